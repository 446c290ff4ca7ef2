"""Sends a run's events as they happen: Server-Sent Events over one long answer.

Each event is one chunk, so that an interrupted answer never ends in half an event.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from src.api.http.connections import OpenStreams
from src.api.http.disconnect import disconnected
from src.errors import BacktesterError
from src.services.storage.records.attempts import RunEvent
from src.utils.json_bytes import json_bytes

logger = logging.getLogger(__name__)

SEND_SECONDS = 30.0
"""How long a client may accept no bytes before its stream is closed."""

_OPENING = b": events of one run\nretry: 1000\n\n"
"""Pushes the head of the answer through buffers, and makes a browser reconnect after a second."""

_HEARTBEAT = b": still here\n\n"


def event_bytes(event: RunEvent | None) -> bytes:
    """One event as a browser's EventSource reads it; None is a heartbeat, which it skips."""
    if event is None:
        return _HEARTBEAT
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (event.id, event.kind.value.encode(), json_bytes(dict(event.data)))


class EventStream(Response):
    """Sends events until there are no more, the client goes, the time is up or the service stops.

    A client that wants the rest reconnects with the last id it received.

    Args:
        events: the events to send; closed at the end.
        seen: events already taken from it, to be sent first.
        client: the stream's client.
        open_streams: counts the stream.
        ends_at: time.monotonic() seconds at which the stream ends.
        stopping: set when the service stops.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        events: AsyncIterator[RunEvent | None],
        *,
        seen: Sequence[RunEvent | None] = (),
        client: str,
        open_streams: OpenStreams,
        ends_at: float,
        stopping: asyncio.Event,
    ) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._events = events
        self._seen = seen
        self._client = client
        self._open_streams = open_streams
        self._ends_at = ends_at
        self._stopping = stopping

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See starlette.responses.Response.

        Raises:
            TooManyStreams: before anything is sent.
        """
        with self._open_streams.one_more(self._client):
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            if await self._is_to_be_closed(receive, send):
                await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _is_to_be_closed(self, receive: Receive, send: Send) -> bool:
        """Send events until there is a reason to stop; return whether the client is still connected."""
        sending = asyncio.ensure_future(self._send_events(send))
        leaving = asyncio.ensure_future(disconnected(receive))
        stopping = asyncio.ensure_future(self._stopping.wait())
        tasks = [sending, leaving, stopping]
        seconds = max(0.0, self._ends_at - time.monotonic())
        try:
            await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            return sending.result() if sending.done() else not leaving.done()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if isinstance(self._events, AsyncGenerator):
                await self._events.aclose()

    async def _send_events(self, send: Send) -> bool:
        """Send all events; return whether the client accepted them."""
        try:
            await _send_chunk(send, b"".join([_OPENING, *map(event_bytes, self._seen)]))
            async for event in self._events:
                await _send_chunk(send, event_bytes(event))
        except TimeoutError:
            logger.info("closing a stream of events: its client accepts no more bytes")
            return False
        except BacktesterError as error:
            # The answer has begun; a client that reconnects for the rest gets the error properly.
            logger.warning("ending a stream of events early: %s", error)
        return True


async def _send_chunk(send: Send, chunk: bytes) -> None:
    async with asyncio.timeout(SEND_SECONDS):
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
        # Sending returns at once; only this pause lets the event loop notice that the client has gone.
        await asyncio.sleep(0)
