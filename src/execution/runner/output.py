"""The strategy's printed output: kept up to a bound, counted beyond it, and stopped if it floods."""

import os
import signal
import threading
from collections.abc import Callable

_CHUNK_BYTES = 1 << 16


class OutputReader:
    """Reads the strategy's standard output and error in a thread, so that printing never blocks the run.

    Args:
        descriptor: the reading end of the pipe.
        keep_bytes: how many bytes are kept; the rest are only counted.
        flood_bytes: the number of bytes at which on_flood is called, once.
        on_flood: ends the strategy process.
    """

    def __init__(self, descriptor: int, *, keep_bytes: int, flood_bytes: int, on_flood: Callable[[], None]) -> None:
        self._descriptor = descriptor
        self._keep_bytes = keep_bytes
        self._flood_bytes = flood_bytes
        self._on_flood = on_flood
        self._kept = bytearray()
        self._seen_bytes = 0
        self.has_flooded = False
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        # The time limit's alarm is for the main thread and must not interrupt this one.
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        while chunk := os.read(self._descriptor, _CHUNK_BYTES):
            room = self._keep_bytes - len(self._kept)
            if room > 0:
                self._kept += chunk[:room]
            self._seen_bytes += len(chunk)
            if self._seen_bytes >= self._flood_bytes and not self.has_flooded:
                self.has_flooded = True
                self._on_flood()

    def complete_lines(self, start_byte: int) -> bytes:
        """The output kept from there to the last complete line so far; empty if no further line is complete."""
        end_byte = self._kept.rfind(b"\n", start_byte) + 1
        return bytes(self._kept[start_byte:end_byte])

    @property
    def kept(self) -> bytes:
        """The output kept so far."""
        return bytes(self._kept)

    def lines(self, wait_seconds: float) -> tuple[list[str], int]:
        """The printed lines, and the number of bytes that were not kept.

        Args:
            wait_seconds: how long to wait for all writers to close the pipe.
        """
        self._thread.join(wait_seconds)
        text = self.kept.decode("utf-8", errors="replace")
        return text.splitlines(), self._seen_bytes - len(self._kept)
