"""Middleware for every request: id and log line, internal errors, time, size and headers. Pure ASGI."""

import asyncio
import logging
import re
import secrets
import time
from collections.abc import Mapping
from urllib.parse import quote

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from src.api.http.errors import own_fault_response
from src.api.http.json_response import json_response
from src.api.http.telemetry import Telemetry

logger = logging.getLogger(__name__)

REQUEST_ID_HEADER = "X-Request-ID"
SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    # An answer is data: even if a browser shows it as a page, nothing in it may run or load.
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
_ACCEPTED_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MAX_LOGGED_METHOD = 20
_MAX_LOGGED_PATH = 200


class RequestIdMiddleware:
    """Gives the request an id and writes its one log line.

    The id is in `request.state.request_id`, in the answer's header and in every log line of the request. An id that
    the client sends is kept if it is harmless in a log.
    """

    def __init__(self, app: ASGIApp, telemetry: Telemetry) -> None:
        self._app = app
        self._telemetry = telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        started, status = time.perf_counter(), 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[REQUEST_ID_HEADER] = request_id
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, send_with_id)
            finally:
                self._telemetry.request_ended(scope["method"], status)
                _log_request(scope, request_id, status, time.perf_counter() - started)


class FaultMiddleware:
    """Answers unhandled errors, so that our own faults have a shape and an id too."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id, has_started = scope["state"]["request_id"], False

        async def noting_send(message: Message) -> None:
            nonlocal has_started
            has_started = True
            await send(message)

        try:
            await self._app(scope, receive, noting_send)
        except asyncio.CancelledError:
            # The server is stopping and its grace period is over: its runs have been stopped by now.
            if has_started:
                raise
            await _stopping_response()(scope, receive, send)
        except Exception:
            logger.exception("request %s failed", request_id)
            if has_started:
                raise
            await own_fault_response(request_id)(scope, receive, send)


class SecurityHeadersMiddleware:
    """Adds security headers for browsers to every answer; a page's own policy stays."""

    def __init__(self, app: ASGIApp, headers: Mapping[str, str]) -> None:
        self._app = app
        self._headers = dict(headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _stopping_response() -> Response:
    detail = "The service is stopping and the request was not finished; send it again in a moment."
    return json_response({"detail": detail}, 503, {"Retry-After": "5"})


def _request_id(scope: Scope) -> str:
    sent = Headers(scope=scope).get(REQUEST_ID_HEADER, "")
    return sent if _ACCEPTED_ID.fullmatch(sent) else secrets.token_hex(8)


def _log_request(scope: Scope, request_id: str, status: int, seconds: float) -> None:
    # Method and path come from the client: shortened, and quoted so that they stay on one line.
    method, path = scope["method"][:_MAX_LOGGED_METHOD], quote(scope["path"][:_MAX_LOGGED_PATH])
    facts = {"method": method, "path": path, "status": status, "milliseconds": round(seconds * 1000, 1)}
    logger.info("request %s %s %s %d %.0f ms", request_id, method, path, status, seconds * 1000, extra=facts)


class TimeLimitMiddleware:
    """Ends a request that takes too long with 504, after cancelling its work.

    `request.state.ends_at` is the time of that, in time.monotonic() seconds.
    """

    def __init__(self, app: ASGIApp, max_seconds: float) -> None:
        self._app = app
        self._max_seconds = max_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope.setdefault("state", {})["ends_at"] = time.monotonic() + self._max_seconds
        has_started = False

        async def noting_send(message: Message) -> None:
            nonlocal has_started
            has_started = True
            await send(message)

        try:
            async with asyncio.timeout(self._max_seconds) as limit:
                await self._app(scope, receive, noting_send)
        except TimeoutError:
            if has_started or not limit.expired():
                raise
            detail = f"The request took longer than {self._max_seconds:g} s and was stopped."
            await json_response({"detail": detail}, 504)(scope, receive, send)


class BodyLimitMiddleware:
    """Refuses a body over the limit with 413: at once by its declared length, otherwise while it is read."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._counted = RequestBodyLimitMiddleware(app, max_bytes)
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        declared = Headers(scope=scope).get("content-length", "") if scope["type"] == "http" else ""
        if declared.isdecimal() and int(declared[:20]) > self._max_bytes:
            detail = f"The body may have at most {self._max_bytes} bytes."
            await json_response({"detail": detail}, 413)(scope, receive, send)
            return
        await self._counted(scope, receive, send)
