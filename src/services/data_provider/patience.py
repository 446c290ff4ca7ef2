"""How long a request waits for prices: until its time is up, or until nobody waits for it any more."""

import math
import threading
import time
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from typing import Self, TypeVar

from src.errors import RunCancelled, RunTimedOut

Result = TypeVar("Result")

POLL_SECONDS = 0.05
"""How late a cancellation may be noticed."""

TELLING_SECONDS = 1.0
TELLING_SHARE = 0.1
"""What is kept of a request's time to say which prices did not come: this long, or this share of a shorter time."""


@dataclass(frozen=True)
class Patience:
    """What everything that waits for prices consults.

    Attributes:
        deadline: time.monotonic() seconds at which waiting ends.
        cancel: set by another thread when nobody waits any more.
    """

    deadline: float = math.inf
    cancel: threading.Event = field(default_factory=threading.Event)

    @classmethod
    def of_request(cls, deadline: float, cancel: threading.Event) -> Self:
        """For a request that is over at that deadline: this ends a little earlier."""
        left = max(0.0, deadline - time.monotonic())
        return cls(deadline - min(TELLING_SECONDS, TELLING_SHARE * left), cancel)

    @property
    def is_over(self) -> bool:
        """Whether to stop waiting."""
        return self.cancel.is_set() or time.monotonic() >= self.deadline

    def left_seconds(self, symbol: str) -> float:
        """How long the prices of that symbol may still take; above zero.

        Raises:
            RunTimedOut, RunCancelled
        """
        if self.cancel.is_set():
            raise RunCancelled(f"Nobody waits for the prices of '{symbol}' any more.")
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise RunTimedOut(f"The prices of '{symbol}' did not come within the time that a request may take.")
        return left

    def pause(self, seconds: float) -> None:
        """Wait that long, or until it is over."""
        self.cancel.wait(max(0.0, min(seconds, self.deadline - time.monotonic())))

    def result(self, symbol: str, coming: "Future[Result]") -> Result:
        """What another thread is about to find.

        Raises:
            RunTimedOut, RunCancelled, and whatever that thread raises
        """
        while not wait([coming], min(self.left_seconds(symbol), POLL_SECONDS)).done:
            continue
        return coming.result()


ENDLESS = Patience()
"""For whoever has all the time there is."""
