"""The methods of a resource, for the header Allow: the framework names those of only one of its routes."""

import re
from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.routing import iter_route_contexts
from starlette.routing import compile_path

from src.api.http.paths import route_path


def allowed_methods(request: Request) -> str:
    """The methods of the request's path, separated by commas; "" if no route has that path."""
    path = route_path(request.scope)
    found = [methods for pattern, methods in _methods(request.app).items() if pattern.match(path)]
    return ", ".join(sorted(frozenset().union(*found)))


def _methods(app: FastAPI) -> Mapping[re.Pattern[str], frozenset[str]]:
    """The methods of each path, over all its routes."""
    found: dict[re.Pattern[str], frozenset[str]] = {}
    for route in iter_route_contexts(app.routes):
        if route.path and route.methods:
            pattern = compile_path(route.path)[0]
            found[pattern] = found.get(pattern, frozenset()) | route.methods
    return found
