"""Which path a request is for, as routes see it, and paths as clients see them."""

from starlette.requests import Request
from starlette.types import Scope


def route_path(scope: Scope) -> str:
    """The path below the application's root: what a reverse proxy mounts it under does not count."""
    path, root = str(scope["path"]), str(scope.get("root_path", ""))
    return path[len(root) :] if root and path.startswith(root + "/") else path


def mounted(request: Request, path: str) -> str:
    """A path of ours as the client must write it, below whatever a reverse proxy mounts us under."""
    return str(request.scope.get("root_path", "")).rstrip("/") + path
