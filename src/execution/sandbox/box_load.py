"""Decides when the boxes in use leave the machine idle enough to start a box in advance."""

import threading
import time
from collections import deque
from collections.abc import Callable

AFTERWARDS_SECONDS = 0.1
"""A run still uses a core this long after its box: the answer is computed and stored."""

QUIET_SECONDS = 1.0
"""If no run starts for this long, one free core is enough."""


class BoxLoad:
    """Counts the boxes in use. Safe to call from several threads.

    The machine is idle while runs use less than half of its cores, because a run also uses the service and the engine.
    If no run has started for QUIET_SECONDS, those in progress are long, and one core without a run is enough: otherwise
    the next run after a long one would find no warm box.

    Args:
        n_cores: cores of the machine.
        clock: monotonic seconds.
    """

    def __init__(self, n_cores: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._n_cores = n_cores
        self._clock = clock
        self._lock = threading.Lock()
        self._n_open = 0
        self._opened_at = -QUIET_SECONDS
        self._closed_at: deque[float] = deque()

    def opened(self) -> None:
        """A run has taken a box."""
        with self._lock:
            self._n_open += 1
            self._opened_at = self._clock()

    def closed(self) -> None:
        """A run has closed its box."""
        with self._lock:
            self._n_open -= 1
            self._closed_at.append(self._clock())

    def seconds_until_idle(self) -> float:
        """0 if the machine is idle, otherwise seconds after which to ask again; infinity: when a box is closed."""
        with self._lock:
            now = self._clock()
            while self._closed_at and self._closed_at[0] + AFTERWARDS_SECONDS <= now:
                self._closed_at.popleft()
            few = max(1, self._n_cores // 2)
            if self._n_open + len(self._closed_at) < few:
                return 0.0
            waits = [self._opened_at + QUIET_SECONDS] if self._n_open < self._n_cores else []
            if self._n_open < few:
                waits.append(self._closed_at[self._n_open - few] + AFTERWARDS_SECONDS)
            return max(0.0, min(waits, default=float("inf")) - now)
