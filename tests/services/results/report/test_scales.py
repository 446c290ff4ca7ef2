"""Labels of charts: round, few, and where they belong."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.services.results.report.scales import day_ticks, positions, value_scale

VALUES = st.floats(0.0, 1e15)


@given(VALUES, VALUES)
def test_every_value_has_a_height_inside_and_ticks_are_few(one: float, other: float) -> None:
    lowest, highest = sorted((one, other))
    scale = value_scale(lowest, highest)
    heights = scale.heights(np.array([lowest, highest]))
    assert (heights >= 0.0).all() and (heights <= 1.0).all() and heights[0] <= heights[1]
    assert len(scale.ticks) <= 9
    assert scale.ticks == sorted(scale.ticks)
    at = scale.heights(np.array(scale.ticks))
    assert (at > -1e-9).all() and (at < 1 + 1e-9).all()


@given(VALUES.filter(lambda value: value > 1e-6))
def test_there_is_a_label_whatever_the_range(lowest: float) -> None:
    for factor in (1.0, 1.001, 1.5, 4.9, 5.0, 7.0, 1e4):
        assert value_scale(lowest, lowest * factor).ticks


def test_far_apart_values_are_shown_by_growth() -> None:
    assert not value_scale(10_000, 40_000).is_logarithmic
    scale = value_scale(10_000, 1_000_000)
    assert scale.is_logarithmic
    low, middle, high = scale.heights(np.array([1e4, 1e5, 1e6]))
    assert middle - low == pytest.approx(high - middle)
    assert scale.ticks == [1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6]


@pytest.mark.parametrize(
    ("last", "first_label"),
    [
        ("2015-01-05", "2015-01-02"),
        ("2015-02-10", "2015-01-02"),
        ("2015-12-31", "2015-01"),
        ("2019-12-31", "2015-01"),
        ("2029-12-31", "2015"),
        ("2099-12-31", "2015"),
    ],
)
def test_the_time_axis_has_a_few_labels_from_the_first_day_on_that_do_not_touch(last: str, first_label: str) -> None:
    dates = np.arange("2015-01-02", np.datetime64(last) + 1, dtype="datetime64[D]")
    ticks = day_ticks(dates)
    assert 2 <= len(ticks) <= 13
    assert all(0.0 <= at <= 1.0 for at, _ in ticks)
    assert ticks[0] == (0.0, first_label)
    assert all(later - earlier >= 0.05 for (earlier, _), (later, _) in itertools.pairwise(ticks))


def test_a_label_that_has_no_room_before_the_next_one_is_left_out() -> None:
    dates = np.arange("2015-12-20", np.datetime64("2020-12-31"), dtype="datetime64[D]")
    assert day_ticks(dates)[0][1] == "2016-01"


def test_one_day_alone_stands_in_the_middle() -> None:
    dates = np.array(["2015-01-02"], dtype="datetime64[D]")
    assert positions(dates).tolist() == [0.5]
    assert day_ticks(dates) == [(0.5, "2015-01-02")]
