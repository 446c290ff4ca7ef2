"""Monthly and yearly returns, against pandas and against each other."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.utils.monthly_returns import yearly_table


def walk(n_days: int, seed: int, start: str = "2013-11-18") -> tuple[np.ndarray, np.ndarray]:
    """Equity on weekdays."""
    generator = np.random.default_rng(seed)
    dates = pd.bdate_range(start, periods=n_days).to_numpy().astype("datetime64[D]")
    return 10_000.0 * np.cumprod(1.0 + generator.normal(0.0004, 0.01, n_days)), dates


def test_months_and_years_agree_with_pandas() -> None:
    equity, dates = walk(1_000, seed=1)
    series = pd.Series(equity, index=pd.DatetimeIndex(dates.astype("datetime64[ns]")))
    table = {entry.year: entry for entry in yearly_table(equity, 9_900.0, dates)}
    for frequency, found in (
        ("ME", lambda day: table[day.year].months[day.month - 1]),
        ("YE", lambda day: table[day.year].total),
    ):
        last = series.resample(frequency).last()
        expected = last / last.shift(1, fill_value=9_900.0) - 1.0
        assert [found(day) for day in expected.index] == pytest.approx(expected.tolist(), rel=1e-12)


@given(st.integers(1, 800), st.integers(0, 2**32 - 1))
def test_months_compound_to_their_year_and_years_to_the_whole(n_days: int, seed: int) -> None:
    equity, dates = walk(n_days, seed)
    table = yearly_table(equity, 10_000.0, dates)
    for entry in table:
        assert entry.total is not None
        compounded = math.prod(1.0 + month for month in entry.months if month is not None)
        assert compounded - 1.0 == pytest.approx(entry.total, rel=1e-9, abs=1e-12)
    whole = math.prod(1.0 + (entry.total or 0.0) for entry in table)
    assert whole == pytest.approx(equity[-1] / 10_000.0, rel=1e-9)


def test_a_month_without_days_has_no_return_and_the_next_counts_from_the_last_one_with_days() -> None:
    dates = np.array(["2015-01-30", "2015-03-31", "2016-01-04"], dtype="datetime64[D]")
    first, second = yearly_table(np.array([110.0, 121.0, 60.5]), 100.0, dates)
    assert first.months[:3] == (pytest.approx(0.1), None, pytest.approx(0.1))
    assert set(first.months[3:]) == {None}
    assert first.total == pytest.approx(0.21)
    assert (second.year, second.months[0], second.total) == (2016, -0.5, -0.5)


def test_ruin_is_a_total_loss_after_which_no_return_has_a_base() -> None:
    dates = np.array(["2015-01-30", "2015-02-27", "2015-03-31"], dtype="datetime64[D]")
    (year,) = yearly_table(np.array([0.0, 0.0, 5.0]), 100.0, dates)
    assert year.months[:3] == (-1.0, None, None)
    assert year.total == pytest.approx(-0.95)
