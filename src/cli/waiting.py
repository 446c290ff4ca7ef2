"""Shows that something is still under way; silent where nobody watches."""

import threading
import time
from types import TracebackType
from typing import Self, TextIO

TICK_SECONDS = 0.2


class Waiting:
    """One line at the foot of a terminal that counts the seconds until the block is left.

    Args:
        stream: where to; when it is no terminal, nothing is ever written.
        what: what is waited for.
    """

    def __init__(self, stream: TextIO, what: str) -> None:
        self._stream = stream
        self._what = what
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._count, name="waiting", daemon=True)

    def __enter__(self) -> Self:
        if self._stream.isatty():
            self._thread.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._is_over.set()
        if self._thread.is_alive():
            self._thread.join()

    def _count(self) -> None:
        started = time.monotonic()
        while not self._is_over.wait(TICK_SECONDS):
            self._stream.write(f"\r\x1b[K{self._what}: {time.monotonic() - started:.0f} s")
            self._stream.flush()
        self._stream.write("\r\x1b[K")
        self._stream.flush()
