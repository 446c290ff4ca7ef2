"""How long the client keeps retrying."""

from datetime import UTC, datetime

import pytest

from hqg_backtester.client.backoff import LONGEST_PAUSE_SECONDS, Backoff, retry_after_seconds
from hqg_backtester.client.errors import ServiceBusy

BUSY = ServiceBusy("busy")


class Time:
    """A clock that advances only by sleeping."""

    def __init__(self) -> None:
        self.now, self.pauses = 100.0, []

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


def backoff(seconds: float, draw: float = 1.0) -> tuple[Backoff, Time]:
    time = Time()
    return Backoff(seconds, time.sleep, lambda: draw, lambda: time.now), time


def test_the_client_pauses_as_long_as_the_service_asks():
    it, time = backoff(60)
    it.pause(BUSY, 7.0)
    it.pause(BUSY, 3.0)
    assert time.pauses == [7.0, 3.0]


def test_without_retry_after_pauses_double_up_to_a_maximum():
    it, time = backoff(60)
    for _ in range(8):
        it.pause(BUSY)
    assert time.pauses == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 3.2, LONGEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS])


def test_pauses_differ_between_clients_by_up_to_a_half():
    it, time = backoff(60, draw=0.0)
    it.pause(BUSY)
    assert time.pauses == [0.05]


def test_a_pause_longer_than_the_patience_left_is_not_started():
    it, time = backoff(10)
    it.pause(BUSY, 8.0)
    with pytest.raises(ServiceBusy):
        it.pause(BUSY, 3.0)
    assert time.pauses == [8.0]


def test_a_dead_service_is_given_up_when_patience_has_run_out():
    it, time = backoff(30)
    with pytest.raises(ServiceBusy):
        for _ in range(1000):
            it.pause(BUSY)
    assert 20 < sum(time.pauses) <= 30


def test_a_success_renews_patience():
    it, time = backoff(10)
    for _ in range(5):
        it.pause(BUSY, 8.0)
        it.renew()
    assert sum(time.pauses) == 40


def test_a_hundred_thousand_attempts_overflow_nothing():
    it, _ = backoff(1e9)
    for _ in range(100_000):
        it.pause(BUSY)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("5", 5.0),
        (" 0 ", 0.0),
        ("Fri, 20 Nov 2026 12:00:30 GMT", 30.0),
        ("Fri, 20 Nov 2026 11:00:00 GMT", 0.0),
        ("Fri, 20 Nov 2026 12:00:30 -0000", 30.0),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("²", None),
        ("9" * 400, 999_999_999.0),
        ("", None),
    ],
)
def test_a_retry_after_header_is_seconds_or_a_date(value, seconds):
    assert retry_after_seconds(value, lambda: datetime(2026, 11, 20, 12, tzinfo=UTC)) == seconds
