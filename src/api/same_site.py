"""Refuses what a page of another site would have a visitor's browser do here, with the visitor's cookie or without."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from src.api.auth import COOKIE
from src.api.json_answer import json_answer
from src.api.json_body import media_type

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
PROOF_HEADER = "X-Requested-With"

FORM_MEDIA_TYPES = frozenset({"", "application/x-www-form-urlencoded", "multipart/form-data", "text/plain"})
"""What a page may send to another site without asking it first."""

OTHER_SITE = (
    "A page of another site sent this. Its origin must be in CORS_ORIGINS; a program that sends the cookie "
    f"without an Origin must send {PROOF_HEADER} too."
)


class SameSiteMiddleware:
    """Answers 403 to a request that changes something and comes from a page of another site.

    A page of this site or of an origin that may call the API is let through, and so is a request with an
    Authorization header: no page can send one unasked.

    Args:
        cors_origins: whose pages may call the API; "*" lets all call it, but without the cookie.
    """

    def __init__(self, app: ASGIApp, *, cors_origins: Sequence[str]) -> None:
        self._app = app
        self._origins = frozenset(cors_origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in SAFE_METHODS and self._is_foreign(Request(scope)):
            await json_answer({"detail": OTHER_SITE}, 403)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_foreign(self, request: Request) -> bool:
        if "authorization" in request.headers:
            return False
        site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
        if site in ("same-origin", "none") or self._may_call(origin, request):
            return False
        if site is None and origin is None:
            # No browser of today sends neither; a form of an old one has nothing but the cookie to show.
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
