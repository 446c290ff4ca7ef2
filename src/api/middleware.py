"""What holds for every request: its id and its log line, its time limit, the size of its body. Pure ASGI."""

import asyncio
import logging
import re
import secrets
import time
from urllib.parse import quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from src.api.handlers import own_fault_answer
from src.api.json_answer import json_answer

logger = logging.getLogger(__name__)

REQUEST_ID_HEADER = "X-Request-ID"
_ACCEPTED_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MAX_LOGGED_METHOD = 20
_MAX_LOGGED_PATH = 200


class RequestIdMiddleware:
    """Names the request, writes its one log line, and answers for errors that nobody else did.

    The id is in `request.state.request_id` and in the answer's header. One that the client sends is kept
    if it is harmless in a log.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

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

        try:
            await self._app(scope, receive, send_with_id)
        except asyncio.CancelledError:
            # The server stops and has waited long enough: its runs are stopped by now, and it ends after us.
            if status:
                raise
            await _stopping_answer()(scope, receive, send_with_id)
        except Exception:
            logger.exception("request %s failed", request_id)
            if status:
                raise
            await own_fault_answer(request_id)(scope, receive, send_with_id)
        finally:
            _log_request(scope, request_id, status, time.perf_counter() - started)


def _stopping_answer() -> Response:
    detail = "The service is stopping and the request was not finished; send it again in a moment."
    return json_answer({"detail": detail}, 503, {"Retry-After": "5"})


def _request_id(scope: Scope) -> str:
    sent = Headers(scope=scope).get(REQUEST_ID_HEADER, "")
    return sent if _ACCEPTED_ID.fullmatch(sent) else secrets.token_hex(8)


def _log_request(scope: Scope, request_id: str, status: int, seconds: float) -> None:
    # Method and path are a stranger's text: cut, and quoted so that they stay on their line.
    method, path = scope["method"][:_MAX_LOGGED_METHOD], quote(scope["path"][:_MAX_LOGGED_PATH])
    logger.info("request %s %s %s %d %.0f ms", request_id, method, path, status, seconds * 1000)


class TimeLimitMiddleware:
    """Ends a request that takes too long with 504. Whatever works for it is cancelled first.

    `request.state.deadline` is when that happens, in time.monotonic() seconds.
    """

    def __init__(self, app: ASGIApp, max_seconds: float) -> None:
        self._app = app
        self._max_seconds = max_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope.setdefault("state", {})["deadline"] = time.monotonic() + self._max_seconds
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
            await json_answer({"detail": detail}, 504)(scope, receive, send)


class BodyLimitMiddleware:
    """Refuses a body over the limit with 413: by its declared length at once, else while it is read."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._counted = RequestBodyLimitMiddleware(app, max_bytes)
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        declared = Headers(scope=scope).get("content-length", "") if scope["type"] == "http" else ""
        if declared.isdecimal() and int(declared[:20]) > self._max_bytes:
            detail = f"The body may have at most {self._max_bytes} bytes."
            await json_answer({"detail": detail}, 413)(scope, receive, send)
            return
        await self._counted(scope, receive, send)
