"""Limits what uvicorn does not: the time a request's head may take, connections per address, streams per client."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from src.api.http.client_address import Network, address_key, is_trusted_address
from src.errors import BacktesterError

HEAD_SECONDS = 10.0
"""How long a client may take to send the request line and the headers."""

MAX_STREAMS_PER_CLIENT = 20

_TOO_MANY = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def bounded_connection(
    *, max_of_address: int, trusted_proxies: Sequence[Network], head_seconds: float = HEAD_SECONDS
) -> type[H11Protocol]:
    """uvicorn's protocol with limits, for its option `http`.

    Args:
        max_of_address: maximum number of open connections per address; per /64 network for IPv6.
        trusted_proxies: unlimited, because they carry the requests of all clients.
        head_seconds: how long the head of a request may take.
    """
    open_connections: Counter[str] = Counter()

    class BoundedConnection(H11Protocol):
        """One connection."""

        def __init__(self, *arguments: Any, **named: Any) -> None:
            super().__init__(*arguments, **named)
            self._counted_as: str | None = None
            self._head_timer: asyncio.TimerHandle | None = None
            self._is_refused = False

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn does
            peer = transport.get_extra_info("peername")
            address = str(peer[0]) if isinstance(peer, tuple) else None
            if address is not None and not is_trusted_address(address, trusted_proxies):
                key = address_key(address)
                if open_connections[key] >= max_of_address:
                    self._is_refused = True
                    transport.write(_TOO_MANY)
                    transport.close()
                    return
                open_connections[key] += 1
                self._counted_as = key
            super().connection_made(transport)
            self._watch_head()

        def connection_lost(self, exc: Exception | None) -> None:
            self._forget_head()
            if self._counted_as is not None:
                open_connections[self._counted_as] -= 1
                if not open_connections[self._counted_as]:
                    del open_connections[self._counted_as]
            if not self._is_refused:
                super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self._watch_head()

        def _watch_head(self) -> None:
            """Start the timer when a head begins; more bytes of the same head do not restart it."""
            if self.conn.their_state is not h11.IDLE:
                self._forget_head()
            elif self._head_timer is None:
                self._head_timer = self.loop.call_later(head_seconds, self._give_up)

        def _forget_head(self) -> None:
            if self._head_timer is not None:
                self._head_timer.cancel()
                self._head_timer = None

        def _give_up(self) -> None:
            if self.conn.their_state is h11.IDLE and not self.transport.is_closing():
                self.transport.write(_TOO_SLOW)
                self.transport.close()

    return BoundedConnection


class TooManyStreams(BacktesterError):
    """The client has reached its limit of open streams."""

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
        """Number of open streams, over all clients."""
        return self._counts.total()

    @contextmanager
    def one_more(self, client: str) -> Iterator[None]:
        """Count a stream of that client during the block.

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
            # Drops clients without open streams, which a Counter would keep.
            self._counts += Counter()
