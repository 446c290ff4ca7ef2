"""Sends what is long piece by piece: each is read off the event loop, and only when the client has taken the last."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import closing

from starlette.concurrency import iterate_in_threadpool


async def in_pieces(pieces: Iterator[bytes]) -> AsyncGenerator[bytes]:
    """What a blocking generator yields, read in worker threads; it is closed whoever ends first."""
    with closing(pieces):  # type: ignore[type-var] # every generator can be closed
        async for piece in iterate_in_threadpool(pieces):
            yield piece
