"""Tells long answers at once that the process was told to stop: the server itself waits for them to end."""

import asyncio
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def stop_event() -> Iterator[asyncio.Event]:
    """An event of this loop that is set when the process is told to stop.

    The server's own handler is called as before; after the block it stands alone again. Outside of the main thread,
    which no signal reaches, the event is set by nobody.
    """
    event = asyncio.Event()
    if threading.current_thread() is not threading.main_thread():
        yield event
        return
    loop = asyncio.get_running_loop()
    replaced = {number: _chain(number, loop, event) for number in STOP_SIGNALS}
    try:
        yield event
    finally:
        for number, (before, ours) in replaced.items():
            # Whoever came after us keeps its place.
            if signal.getsignal(number) is ours:
                signal.signal(number, before)


def _chain(number: signal.Signals, loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> tuple[Any, Any]:
    """Put a handler before the present one; the present one and ours."""
    before = signal.getsignal(number)
    if not callable(before):
        # Nobody handles it: it ends the process, streams and all.
        return before, None

    def handle(received: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(event.set)
        before(received, frame)

    signal.signal(number, handle)
    return before, handle
