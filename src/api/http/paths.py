"""Request paths as routes see them, and our paths as clients see them."""

from starlette.requests import Request
from starlette.types import Scope


def route_path(scope: Scope) -> str:
    """The path without the prefix that a reverse proxy mounts the application under."""
    path, root = str(scope["path"]), str(scope.get("root_path", ""))
    return path[len(root) :] if root and path.startswith(root + "/") else path


def mounted(request: Request, path: str) -> str:
    """One of our paths as the client must request it, with the prefix that a reverse proxy mounts us under."""
    return str(request.scope.get("root_path", "")).rstrip("/") + path
