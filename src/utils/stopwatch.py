"""Measures the duration of each step of a request."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Stopwatch:
    """Adds up wall time by step.

    Args:
        earlier_seconds: time already spent before this object was made; it counts to the total.
    """

    def __init__(self, earlier_seconds: float = 0.0) -> None:
        self._started = time.perf_counter() - earlier_seconds
        self._milliseconds: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Add the block's duration to this step; a step may occur more than once."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.count(name, time.perf_counter() - started)

    def count(self, name: str, seconds: float) -> None:
        """Count seconds measured elsewhere to this step, which the total includes already."""
        self._milliseconds[name] = self._milliseconds.get(name, 0.0) + seconds * 1000

    def milliseconds(self) -> dict[str, float]:
        """Milliseconds by step, and the "total" since this object was made, with the earlier seconds."""
        total = (time.perf_counter() - self._started) * 1000
        return {name: round(spent, 3) for name, spent in (*self._milliseconds.items(), ("total", total))}
