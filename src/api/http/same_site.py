"""Refuses requests that another site's page makes a visitor's browser send, with or without the visitor's cookie."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from src.api.http.auth import COOKIE
from src.api.http.headers import media_type
from src.api.http.json_response import json_response

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
PROOF_HEADER = "X-Requested-With"

FORM_MEDIA_TYPES = frozenset({"", "application/x-www-form-urlencoded", "multipart/form-data", "text/plain"})
"""Media types that a page may send to another site without a preflight."""

OTHER_SITE = (
    "This request came from another site's page. Its origin must be in CORS_ORIGINS; a program that sends the cookie "
    f"without an Origin must also send {PROOF_HEADER}."
)


class SameSiteMiddleware:
    """Answers 403 to a request that changes something and comes from another site's page.

    Requests from this site's pages and from allowed origins pass, and so do those with an Authorization header, which
    a page cannot send without a preflight.

    Args:
        cors_origins: origins whose pages may call the API; "*" allows all, but without the cookie.
    """

    def __init__(self, app: ASGIApp, *, cors_origins: Sequence[str]) -> None:
        self._app = app
        self._origins = frozenset(cors_origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in SAFE_METHODS and self._is_foreign(Request(scope)):
            await json_response({"detail": OTHER_SITE}, 403)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_foreign(self, request: Request) -> bool:
        if "authorization" in request.headers:
            return False
        site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
        if site in ("same-origin", "none") or self._may_call(origin, request):
            return False
        if site is None and origin is None:
            # Every current browser sends one of the two; a form in an old browser has only the cookie.
            return COOKIE in request.cookies and not _is_from_a_program(request)
        return site is not None or not _is_own(origin, request)

    def _may_call(self, origin: str | None, request: Request) -> bool:
        return origin in self._origins or ("*" in self._origins and COOKIE not in request.cookies)


def _is_own(origin: str | None, request: Request) -> bool:
    try:
        return bool(origin) and urlsplit(origin).netloc.lower() == request.headers.get("host", "").lower()
    except ValueError:
        return False


def _is_from_a_program(request: Request) -> bool:
    return PROOF_HEADER in request.headers or media_type(request) not in FORM_MEDIA_TYPES
