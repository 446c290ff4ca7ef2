"""Detects that a client has gone while its answer is being computed."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.types import Receive

from src.errors import BacktesterError

Result = TypeVar("Result")


class ClientGone(BacktesterError):
    """The client closed its connection before the answer; the status 499 appears only in the log."""

    code = "client_gone"
    http_status = 499


async def unless_disconnected(receive: Receive, work: Coroutine[Any, Any, Result]) -> Result:
    """The result of `work`, which is cancelled when the client goes or this task is cancelled.

    Returns or raises only once `work` has ended.

    Args:
        receive: the request's ASGI channel, its body already read.

    Raises:
        ClientGone, and every error of `work`
    """
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(disconnected(receive))
    try:
        await asyncio.wait([working, leaving], return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise ClientGone("the client closed its connection")
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def disconnected(receive: Receive) -> None:
    """Return when the client has closed its connection. The request's body must already have been read."""
    while (await receive())["type"] != "http.disconnect":
        continue
