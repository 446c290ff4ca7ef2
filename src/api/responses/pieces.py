"""Sends long bodies in pieces: each is read off the event loop, once the client has taken the one before."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import closing

from starlette.concurrency import iterate_in_threadpool


async def in_pieces(pieces: Iterator[bytes]) -> AsyncGenerator[bytes]:
    """Yield what a blocking generator yields, read in worker threads; the generator is always closed."""
    with closing(pieces):  # type: ignore[type-var] # every generator can be closed
        async for piece in iterate_in_threadpool(pieces):
            yield piece
