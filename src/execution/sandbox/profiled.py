"""HQG_PROFILE: logs how a box spends its time, as seen by the host, and its bytes in and out."""

import logging
import time
from collections.abc import Callable, Sequence

from src.execution.sandbox.base import Box, Sandbox
from src.execution.sandbox.wrapped import WrappedBox, WrappedSandbox
from src.utils.deadline import Deadline

logger = logging.getLogger(__name__)


class ProfiledSandbox(WrappedSandbox):
    """A sandbox whose boxes log a profile when they are closed. Everything else is delegated.

    Args:
        sandbox: creates the boxes.
        clock: monotonic seconds.
    """

    def __init__(self, sandbox: Sandbox, clock: Callable[[], float] = time.perf_counter) -> None:
        super().__init__(sandbox)
        self._clock = clock

    def open(self, *, preload: Sequence[str] = ()) -> Box:
        """See Sandbox.open."""
        started = self._clock()
        return _ProfiledBox(super().open(preload=preload), started, self._clock)


class _ProfiledBox(WrappedBox):
    def __init__(self, box: Box, started: float, clock: Callable[[], float]) -> None:
        super().__init__(box)
        self._clock = clock
        self._started = started
        self._opened = clock()
        self._first_heard: float | None = None
        self._write_seconds = self._read_seconds = 0.0
        self._bytes_in = self._bytes_out = 0
        self._is_closed = False

    def write(self, data: bytes, deadline: Deadline) -> None:
        """See Box.write."""
        before = self._clock()
        try:
            super().write(data, deadline)
            self._bytes_in += len(data)
        finally:
            self._write_seconds += self._clock() - before

    def read(self, max_bytes: int, deadline: Deadline) -> bytes:
        """See Box.read."""
        before = self._clock()
        try:
            data = super().read(max_bytes, deadline)
        finally:
            self._read_seconds += self._clock() - before
        if self._first_heard is None:
            self._first_heard = self._clock()
        self._bytes_out += len(data)
        return data

    def close(self, *, is_ending: bool = False) -> None:
        """See Box.close."""
        before = self._clock()
        super().close(is_ending=is_ending)
        if self._is_closed:
            return
        self._is_closed = True
        first = None if self._first_heard is None else _milliseconds(self._first_heard - self._started)
        profile = {
            "open_ms": _milliseconds(self._opened - self._started),
            "first_word_ms": first,
            "writing_ms": _milliseconds(self._write_seconds),
            "waiting_ms": _milliseconds(self._read_seconds),
            "life_ms": _milliseconds(before - self._started),
            "close_ms": _milliseconds(self._clock() - before),
            "bytes_in": self._bytes_in,
            "bytes_out": self._bytes_out,
        }
        shown = ", ".join(f"{name} {value}" for name, value in profile.items())
        logger.info("box profile: %s", shown, extra=profile)


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 1)
