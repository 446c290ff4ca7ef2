"""Sends a run's events as they happen: Server-Sent Events over one long answer.

Each event is one chunk, so that whatever ends the answer never leaves half an event behind.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import contextmanager

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from src.api.disconnect import disconnected
from src.api.json_answer import json_bytes
from src.errors import BacktesterError
from src.services.storage.records import RunEvent

logger = logging.getLogger(__name__)

MAX_STREAMS_PER_CLIENT = 20
SEND_SECONDS = 30.0
"""How long a client may take no bytes before its stream is given up."""

_OPENING = b": events of one run\nretry: 1000\n\n"
"""Gets the head of the answer past buffers, and lets a browser come back after a second."""

_HEARTBEAT = b": still here\n\n"


class TooManyStreams(BacktesterError):
    """The client follows as many runs as it may."""

    code = "too_many_streams"
    http_status = 429
    retry_after_seconds = 5

    def __init__(self) -> None:
        super().__init__(f"At most {MAX_STREAMS_PER_CLIENT} event streams at a time: close one first.")


class OpenStreams:
    """Counts the streams that each client has open. Belongs to one event loop."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    @property
    def n_open(self) -> int:
        """Of all clients."""
        return self._counts.total()

    @contextmanager
    def one_more(self, client: str) -> Iterator[None]:
        """A stream of that client while the block goes on.

        Raises:
            TooManyStreams
        """
        if self._counts[client] >= MAX_STREAMS_PER_CLIENT:
            raise TooManyStreams
        self._counts[client] += 1
        try:
            yield
        finally:
            self._counts[client] -= 1
            # A counter remembers clients with nothing open, too.
            self._counts += Counter()


def event_bytes(event: RunEvent | None) -> bytes:
    """One event as a browser's EventSource reads it; None is a heartbeat, which it skips."""
    if event is None:
        return _HEARTBEAT
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (event.id, event.kind.value.encode(), json_bytes(dict(event.data)))


class EventStream(Response):
    """Events until there are no more, the client goes, the time is up or the service stops.

    A client that wants the rest comes back with the last id that it has seen.

    Args:
        events: what to send; closed at the end.
        seen: events that were taken out of it before, to be sent first.
        client: whose stream it is.
        open_streams: where it is counted.
        ends_at: time.monotonic() seconds at which it ends by itself.
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
            TooManyStreams: before anything was sent.
        """
        with self._open_streams.one_more(self._client):
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            if await self._is_to_be_closed(receive, send):
                await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _is_to_be_closed(self, receive: Receive, send: Send) -> bool:
        """Send events until there is a reason to end; whether the client is there to be told."""
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
        """Send everything; whether the client takes what it is sent."""
        try:
            await _send_chunk(send, b"".join([_OPENING, *map(event_bytes, self._seen)]))
            async for event in self._events:
                await _send_chunk(send, event_bytes(event))
        except TimeoutError:
            logger.info("a client takes no events any more: its stream is given up")
            return False
        except BacktesterError as error:
            # The answer has begun; whoever comes back for the rest is told properly.
            logger.warning("a stream of events ends early: %s", error)
        return True


async def _send_chunk(send: Send, chunk: bytes) -> None:
    async with asyncio.timeout(SEND_SECONDS):
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
        # Sending returns at once: without a pause nobody would hear in between that the client has gone.
        await asyncio.sleep(0)
