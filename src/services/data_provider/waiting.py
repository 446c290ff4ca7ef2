"""Waiting for prices: every wait ends with the request, and its error names the symbol."""

import time
from concurrent.futures import Future, wait
from typing import TypeVar

from src.errors import RunCancelled, RunTimedOut
from src.utils.deadline import POLL_SECONDS, Deadline, DeadlinePassed, WaitCancelled

Result = TypeVar("Result")

REPORTING_SECONDS = 1.0
REPORTING_SHARE = 0.1
"""Part of a request's time reserved for reporting missing prices: this long, or this share of a shorter time."""


def price_deadline(request: Deadline) -> Deadline:
    """A little before the request's, which leaves time to report what did not arrive."""
    left = max(0.0, request.ends_at - time.monotonic())
    return request.earlier(request.ends_at - min(REPORTING_SECONDS, REPORTING_SHARE * left))


def left_seconds(deadline: Deadline, symbol: str) -> float:
    """Remaining time for the prices of that symbol; above zero.

    Raises:
        RunTimedOut, RunCancelled
    """
    try:
        return deadline.left_seconds()
    except WaitCancelled as error:
        raise RunCancelled(f"The request was cancelled while it waited for the prices of '{symbol}'.") from error
    except DeadlinePassed as error:
        raise RunTimedOut(f"The prices of '{symbol}' did not arrive within the request's time limit.") from error


def result_of(coming: "Future[Result]", deadline: Deadline, symbol: str) -> Result:
    """The result of another thread.

    Raises:
        RunTimedOut, RunCancelled, and any exception of that thread
    """
    while not wait([coming], min(left_seconds(deadline, symbol), POLL_SECONDS)).done:
        continue
    return coming.result()
