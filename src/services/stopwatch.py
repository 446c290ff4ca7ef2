"""How long each step of a request took."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Stopwatch:
    """Adds up wall time by step."""

    def __init__(self) -> None:
        self._started = time.perf_counter()
        self._milliseconds: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Count the time of the block to this step; a step may come more than once."""
        started = time.perf_counter()
        try:
            yield
        finally:
            spent = (time.perf_counter() - started) * 1000
            self._milliseconds[name] = self._milliseconds.get(name, 0.0) + spent

    def milliseconds(self) -> dict[str, float]:
        """Milliseconds by step, and "total" since this object was made."""
        total = (time.perf_counter() - self._started) * 1000
        return {name: round(spent, 3) for name, spent in (*self._milliseconds.items(), ("total", total))}
