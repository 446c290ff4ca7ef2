"""A deadline ends a wait by its time or by its cancellation, whichever comes first."""

import math
import threading
import time

import pytest

from src.utils.deadline import NO_DEADLINE, POLL_SECONDS, Deadline, DeadlinePassed, WaitCancelled


def test_a_deadline_that_has_passed_is_over_and_says_so() -> None:
    deadline = Deadline.after(-1.0)
    assert deadline.is_over
    with pytest.raises(DeadlinePassed):
        deadline.left_seconds()


def test_a_cancelled_deadline_is_over_however_much_time_is_left() -> None:
    cancel = threading.Event()
    deadline = Deadline.after(600.0, cancel)
    assert not deadline.is_over
    cancel.set()
    assert deadline.is_over
    with pytest.raises(WaitCancelled):
        deadline.poll_seconds()


def test_a_wait_is_cut_into_pieces_short_enough_to_notice_a_cancellation() -> None:
    assert Deadline.after(600.0).poll_seconds() == NO_DEADLINE.poll_seconds() == POLL_SECONDS
    assert NO_DEADLINE.left_seconds() == math.inf
    assert 0 < Deadline(time.monotonic() + POLL_SECONDS / 2).poll_seconds() <= POLL_SECONDS / 2


def test_an_earlier_deadline_shares_the_cancellation_and_is_never_later() -> None:
    deadline = Deadline.after(600.0)
    assert deadline.earlier(deadline.ends_at - 60.0).ends_at == deadline.ends_at - 60.0
    assert deadline.earlier(math.inf) == deadline
    deadline.cancel.set()
    assert deadline.earlier(0.0).cancel.is_set()


def test_a_pause_does_not_outlast_the_deadline() -> None:
    for deadline in (Deadline.after(-1.0), Deadline.after(600.0)):
        deadline.cancel.set()
        deadline.pause(600.0)
