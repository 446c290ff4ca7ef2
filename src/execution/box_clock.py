"""The host's own count of the time that a box takes, for a box that cannot keep count itself."""

import math
import time
from collections.abc import Callable, Sequence

from src.execution.progress import Observe


class BoxClock:
    """How much of its time a box has left, by the host's own clock; it runs inside a `with` block.

    Args:
        seconds: what it has for all blocks together.
        now: monotonic seconds.

    Attributes:
        deadline: when they are used up, infinite outside of a block.
    """

    def __init__(self, seconds: float, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._left_seconds = seconds
        self.deadline = math.inf

    def __enter__(self) -> None:
        self.deadline = self._now() + self._left_seconds

    def __exit__(self, *_: object) -> None:
        self._left_seconds = self.deadline - self._now()
        self.deadline = math.inf

    def pausing(self, observe: Observe) -> Observe:
        """The observer, whose own time is not counted as the box's. Call it inside the `with` block."""

        def paused(day: int, equity: float, lines: Sequence[str]) -> None:
            began = self._now()
            try:
                observe(day, equity, lines)
            finally:
                self.deadline += self._now() - began

        return paused
