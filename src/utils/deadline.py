"""How long to wait: until a time, or until the wait is cancelled."""

import math
import threading
import time
from dataclasses import dataclass, field
from typing import Self

POLL_SECONDS = 0.05
"""How late a cancellation may be noticed."""


class DeadlinePassed(Exception):
    """The time is up."""


class WaitCancelled(Exception):
    """The wait was cancelled."""


@dataclass(frozen=True)
class Deadline:
    """The end of every wait of one request.

    Attributes:
        ends_at: time.monotonic() seconds at which waiting ends; infinite for no limit.
        cancel: set by another thread to end all waiting at once.
    """

    ends_at: float = math.inf
    cancel: threading.Event = field(default_factory=threading.Event)

    @classmethod
    def after(cls, seconds: float, cancel: threading.Event | None = None) -> Self:
        """That many seconds from now."""
        return cls(time.monotonic() + seconds, cancel or threading.Event())

    @property
    def is_over(self) -> bool:
        """Whether to stop waiting."""
        return self.cancel.is_set() or time.monotonic() >= self.ends_at

    def left_seconds(self) -> float:
        """The remaining time, above zero.

        Raises:
            WaitCancelled, DeadlinePassed
        """
        if self.cancel.is_set():
            raise WaitCancelled
        left = self.ends_at - time.monotonic()
        if left <= 0:
            raise DeadlinePassed
        return left

    def poll_seconds(self) -> float:
        """How long to block before asking again, so that a cancellation is noticed.

        Raises:
            WaitCancelled, DeadlinePassed
        """
        return min(self.left_seconds(), POLL_SECONDS)

    def earlier(self, ends_at: float) -> Self:
        """The same cancellation, ending at that time if it comes first."""
        return type(self)(min(self.ends_at, ends_at), self.cancel)

    def pause(self, seconds: float) -> None:
        """Wait that long, or until the deadline."""
        self.cancel.wait(max(0.0, min(seconds, self.ends_at - time.monotonic())))


NO_DEADLINE = Deadline()
"""For callers without a time limit."""
