"""Redirects a path with a trailing slash too many or too few to the right one, without naming a host."""

from urllib.parse import quote

from fastapi import FastAPI
from starlette.responses import RedirectResponse
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from src.api.http.paths import route_path


def redirect_slashes(app: FastAPI) -> None:
    """Make the app redirect paths that match none of its routes.

    The framework's own redirect repeats the header Host, which lets an attacker choose its target.
    """
    app.router.redirect_slashes = False
    answer_not_found = app.router.default

    async def redirect_or_not_found(scope: Scope, receive: Receive, send: Send) -> None:
        path = route_path(scope)
        if scope["type"] != "http" or path == "/" or not _matches(app, scope, _toggled(path)):
            await answer_not_found(scope, receive, send)
            return
        query = scope.get("query_string", b"").decode("latin-1")
        root = str(scope.get("root_path", "")).rstrip("/")
        target = quote(root + _toggled(path)) + (f"?{query}" if query else "")
        await RedirectResponse(target)(scope, receive, send)

    app.router.default = redirect_or_not_found


def _toggled(path: str) -> str:
    return path.rstrip("/") if path.endswith("/") else path + "/"


def _matches(app: FastAPI, scope: Scope, path: str) -> bool:
    root = str(scope.get("root_path", "")).rstrip("/")
    other = {**scope, "path": root + path}
    # Two leading slashes would redirect to a host of that name.
    is_path = path.startswith("/") and not path.startswith("//")
    return is_path and any(route.matches(other)[0] is not Match.NONE for route in app.router.routes)
