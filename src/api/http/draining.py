"""Lets a client finish sending a refused body, so that it reads the answer instead of losing its connection."""

import asyncio
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_DRAINED_BYTES = 8_000_000
DRAIN_SECONDS = 10.0


class DrainMiddleware:
    """Reads the rest of a body, within limits, after its answer is complete; then the connection is closed.

    Closing a connection with unread bytes resets it, and the client's side discards the answer.

    Args:
        max_bytes, max_seconds: limits on reading the rest.
    """

    def __init__(self, app: ASGIApp, max_bytes: int = MAX_DRAINED_BYTES, max_seconds: float = DRAIN_SECONDS) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._max_seconds = max_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _has_body(scope):
            await self._app(scope, receive, send)
            return
        body = _Body(scope, receive)

        async def send_and_drain(message: Message) -> None:
            if body.is_on_its_way and message["type"] == "http.response.start":
                MutableHeaders(scope=message)["Connection"] = "close"
            if body.is_on_its_way and message["type"] == "http.response.body" and not message.get("more_body"):
                await send({**message, "more_body": True})
                await body.drain(self._max_bytes, self._max_seconds)
                message = {"type": "http.response.body", "body": b""}
            await send(message)

        await self._app(scope, body.receive, send_and_drain)


class _Body:
    """A request's body, which knows whether more of it is coming."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._receive = receive
        # Such a client sends nothing until the server asks it to, which our first receive does.
        self._is_sent = Headers(scope=scope).get("expect", "").lower() != "100-continue"
        self._is_over = False

    @property
    def is_on_its_way(self) -> bool:
        """Whether the client is still sending it."""
        return self._is_sent and not self._is_over

    async def receive(self) -> MutableMapping[str, Any]:
        """See the ASGI specification. It may be called, and cancelled, after the body has ended."""
        self._is_sent = True
        message = await self._receive()
        if message["type"] != "http.request" or not message.get("more_body"):
            self._is_over = True
        return message

    async def drain(self, max_bytes: int, max_seconds: float) -> None:
        """Discard the rest, within these limits."""
        with suppress(TimeoutError):
            async with asyncio.timeout(max_seconds):
                while self.is_on_its_way and max_bytes > 0:
                    max_bytes -= len((await self.receive()).get("body", b""))


def _has_body(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"
