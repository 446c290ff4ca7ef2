"""Gives every error of POST /backtest the older contract's shape, even those of the framework."""

import json
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from src.api.contracts.older.translation import older_refusal
from src.api.http.paths import route_path
from src.utils.json_bytes import json_bytes

OLDER_PATH = "/backtest"


class OlderContractErrors:
    """Rewrites answers of 400 and above on the older route; status, headers and reasons stay."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and route_path(scope) == OLDER_PATH:
            send = _Rewriting(send)
        await self._app(scope, receive, send)


class _Rewriting:
    """Holds an error back until its body is complete; our errors are short."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] >= 400:
            self._start = message
        elif self._start is None:
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._finish(self._start)

    async def _finish(self, start: Message) -> None:
        problem: dict[str, Any] = json.loads(self._body)
        body = json_bytes(older_refusal(start["status"], problem))
        MutableHeaders(scope=start)["content-length"] = str(len(body))
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body})
