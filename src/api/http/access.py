"""Access and rate limits: every request except to open pages passes here before its body is read. Pure ASGI."""

import secrets
from collections.abc import Sequence

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from src.api.http.auth import Authentication, Principal, Unauthenticated
from src.api.http.client_address import Network, client_key
from src.api.http.errors import error_response
from src.api.http.paths import route_path
from src.api.http.rate_limits import RateLimits
from src.errors import BacktesterError
from src.models.plain import printable

METRICS_PATH = "/metrics"
OPEN_PATHS = frozenset({"/", "/health", METRICS_PATH, "/docs", "/redoc", "/openapi.json"})
OPEN_FOLDERS = ("/docs/", "/studio/")
"""Paths without a token and rate limit; /metrics is open only if no token is configured. Every other path is
protected, including unknown ones."""


class AccessMiddleware:
    """Checks the token and counts the request. Sets `request.state.principal`, the authenticated user (None without
    log-in), and `request.state.client`, the client that the request counts to.

    A bad token counts to its address, which limits guessing too. /metrics needs METRICS_TOKEN if one is set.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        authentication: Authentication,
        rate_limits: RateLimits,
        metrics_token: str = "",
        trusted_proxies: Sequence[Network],
    ) -> None:
        self._app = app
        self._authentication = authentication
        self._rate_limits = rate_limits
        self._metrics_token = metrics_token
        self._trusted_proxies = trusted_proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._is_open(route_path(scope)):
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        try:
            request.state.principal = await self._admitted(request)
        except BacktesterError as error:
            answer = error_response(error)
            if answer is None:
                raise
            if isinstance(error, Unauthenticated):
                answer.headers["WWW-Authenticate"] = "Bearer"
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def _admitted(self, request: Request) -> Principal | None:
        client = f"address:{client_key(request, self._trusted_proxies)}"
        principal = None
        if self._metrics_token and route_path(request.scope) == METRICS_PATH:
            await self._count(request, client)
            self._check_metrics_token(request)
            return None
        if self._authentication.is_on:
            try:
                principal = await self._authentication.principal(request)
                client = f"subject:{printable(principal.subject, 255)}"
            except Unauthenticated:
                await self._count(request, client)
                raise
        request.state.client = client
        await self._count(request, client)
        return principal

    def _is_open(self, path: str) -> bool:
        has_token = self._authentication.is_on or bool(self._metrics_token)
        return is_open(path) and not (path == METRICS_PATH and has_token)

    def _check_metrics_token(self, request: Request) -> None:
        sent = request.headers.get("authorization", "").encode()
        if not secrets.compare_digest(sent, f"Bearer {self._metrics_token}".encode()):
            raise Unauthenticated("Send METRICS_TOKEN as 'Authorization: Bearer …'.")

    async def _count(self, request: Request, client: str) -> None:
        if self._rate_limits.is_remote:
            await run_in_threadpool(self._rate_limits.count, request, client)
        else:
            self._rate_limits.count(request, client)


def is_open(path: str) -> bool:
    """Whether the path needs no token and has no rate limit."""
    return path in OPEN_PATHS or path.startswith(OPEN_FOLDERS)
