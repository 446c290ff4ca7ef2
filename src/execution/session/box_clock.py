"""Measures a box's time on the host, for a box that cannot measure its own."""

import math
import time
from collections.abc import Callable, Sequence

from src.execution.session.progress import Observe


class BoxClock:
    """A box's remaining time by the host's clock, which runs inside `with` blocks.

    Args:
        seconds: the time limit for all blocks together.
        now: monotonic seconds.

    Attributes:
        ends_at: when the time runs out, in seconds of `now`; infinite outside a block.
    """

    def __init__(self, seconds: float, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._left_seconds = seconds
        self.ends_at = math.inf

    def __enter__(self) -> None:
        self.ends_at = self._now() + self._left_seconds

    def __exit__(self, *_: object) -> None:
        self._left_seconds = self.ends_at - self._now()
        self.ends_at = math.inf

    def pausing(self, observe: Observe) -> Observe:
        """Wrap the observer so that its own time does not count as the box's. Call it inside the `with` block."""

        def paused(day: int, equity: float, lines: Sequence[str]) -> None:
            began = self._now()
            try:
                observe(day, equity, lines)
            finally:
                self.ends_at += self._now() - began

        return paused
