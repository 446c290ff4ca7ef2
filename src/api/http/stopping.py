"""Ends long answers as soon as the process receives a stop signal; the server itself would wait for them."""

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
    """An event of this loop that is set when the process receives a stop signal.

    The server's own handler still runs, and is restored after the block. Outside the main thread, which alone
    receives signals, the event is never set.
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
            # A handler installed after ours stays.
            if signal.getsignal(number) is ours:
                signal.signal(number, before)


def _chain(number: signal.Signals, loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> tuple[Any, Any]:
    """Put our handler before the present one; return the present one and ours."""
    before = signal.getsignal(number)
    if not callable(before):
        # Unhandled, the signal ends the process at once, streams included.
        return before, None

    def handle(received: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(event.set)
        before(received, frame)

    signal.signal(number, handle)
    return before, handle
