"""The host's clock for a box: which time counts."""

import math

import pytest

from src.execution.session.box_clock import BoxClock
from tests.fakes.clock import Clock


@pytest.fixture
def now() -> Clock:
    return Clock(100.0)


def test_all_blocks_share_the_time_limit(now: Clock) -> None:
    clock = BoxClock(10.0, now)
    assert clock.ends_at == math.inf
    with clock:
        assert clock.ends_at == 110.0
        now.now += 4.0
    assert clock.ends_at == math.inf
    now.now += 1_000.0
    with clock:
        assert clock.ends_at - now.now == 6.0


def test_an_observers_time_does_not_count_as_the_boxs(now: Clock) -> None:
    clock = BoxClock(10.0, now)

    def observe(day: int, equity: float, lines: object) -> None:
        now.now += 3.0
        if day:
            raise ValueError(day)

    with clock:
        clock.pausing(observe)(0, 1.0, [])
        assert clock.ends_at == 113.0
        with pytest.raises(ValueError, match="7"):
            clock.pausing(observe)(7, 1.0, [])
        assert clock.ends_at == 116.0
