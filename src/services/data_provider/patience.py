"""How long a request waits for prices: until its deadline or its cancellation."""

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

REPORTING_SECONDS = 1.0
REPORTING_SHARE = 0.1
"""Part of a request's time reserved for reporting missing prices: this long, or this share of a shorter time."""


@dataclass(frozen=True)
class Patience:
    """The limit on all waiting for prices.

    Attributes:
        deadline: time.monotonic() seconds at which waiting ends.
        cancel: set by another thread when the request is cancelled.
    """

    deadline: float = math.inf
    cancel: threading.Event = field(default_factory=threading.Event)

    @classmethod
    def of_request(cls, deadline: float, cancel: threading.Event) -> Self:
        """For a request with that deadline; ends a little earlier."""
        left = max(0.0, deadline - time.monotonic())
        return cls(deadline - min(REPORTING_SECONDS, REPORTING_SHARE * left), cancel)

    @property
    def is_over(self) -> bool:
        """Whether to stop waiting."""
        return self.cancel.is_set() or time.monotonic() >= self.deadline

    def left_seconds(self, symbol: str) -> float:
        """Remaining time for the prices of that symbol; above zero.

        Raises:
            RunTimedOut, RunCancelled
        """
        if self.cancel.is_set():
            raise RunCancelled(f"The request was cancelled while it waited for the prices of '{symbol}'.")
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise RunTimedOut(f"The prices of '{symbol}' did not arrive within the request's time limit.")
        return left

    def pause(self, seconds: float) -> None:
        """Wait that long, or until the patience ends."""
        self.cancel.wait(max(0.0, min(seconds, self.deadline - time.monotonic())))

    def result(self, symbol: str, coming: "Future[Result]") -> Result:
        """The result of another thread.

        Raises:
            RunTimedOut, RunCancelled, and any exception of that thread
        """
        while not wait([coming], min(self.left_seconds(symbol), POLL_SECONDS)).done:
            continue
        return coming.result()


ENDLESS = Patience()
"""For callers without a time limit."""
