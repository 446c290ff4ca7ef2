"""Drawdowns one by one, against pandas and against the metrics."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from src.utils.drawdown import DrawdownPeriod, drawdowns, max_drawdown, max_drawdown_duration, worst_drawdowns

EQUITY = hnp.arrays(np.float64, st.integers(1, 60), elements=st.integers(50, 150).map(float))


def test_one_fall_and_its_recovery() -> None:
    equity = np.array([100.0, 120.0, 90.0, 60.0, 120.0, 130.0])
    assert worst_drawdowns(equity, 100.0, 5) == [DrawdownPeriod(0.5, peak=1, trough=3, recovery=4, n_days=3)]


def test_a_fall_below_the_initial_capital_has_its_peak_before_the_first_day() -> None:
    (period,) = worst_drawdowns(np.array([90.0, 80.0]), 100.0, 5)
    assert period == DrawdownPeriod(pytest.approx(0.2), peak=-1, trough=1, recovery=None, n_days=2)


def test_a_fall_within_a_fall_is_not_counted_separately() -> None:
    equity = np.array([100.0, 80.0, 90.0, 70.0, 95.0, 100.0])
    assert [(p.trough, p.n_days) for p in worst_drawdowns(equity, 100.0, 5)] == [(3, 5)]


def test_rounding_noise_is_not_a_drawdown() -> None:
    assert worst_drawdowns(np.array([100.0, 100.0 * (1 - 1e-15), 100.0]), 100.0, 5) == []


@given(EQUITY)
def test_the_deepest_and_the_longest_are_the_metrics(equity: np.ndarray) -> None:
    depths = drawdowns(equity, 100.0)
    periods = worst_drawdowns(equity, 100.0, len(equity))
    assert max((p.depth for p in periods), default=0.0) == max_drawdown(depths)
    assert max((p.n_days for p in periods), default=0) == max_drawdown_duration(depths)


@given(EQUITY)
def test_stretches_troughs_and_depths_agree_with_pandas(equity: np.ndarray) -> None:
    series = pd.Series(np.concatenate(([100.0], equity)))
    below = series / series.cummax() - 1.0
    groups = (below == 0.0).cumsum()
    expected = sorted(
        (round(below[of].min(), 12), int(of[0]) - 1, int(below[of].idxmin()) - 1, len(of) - 1)
        for of in groups.groupby(groups).groups.values()
        if len(of) > 1
    )
    periods = worst_drawdowns(equity, 100.0, len(equity))
    found = [(round(-p.depth, 12), p.peak, p.trough, p.n_days - (p.recovery is not None)) for p in periods]
    assert sorted(found) == expected
    assert [p.depth for p in periods] == sorted((p.depth for p in periods), reverse=True)


def test_at_most_the_requested_number_is_returned() -> None:
    equity = np.array([100.0, 90.0, 100.0, 80.0, 100.0, 70.0, 100.0])
    assert [p.trough for p in worst_drawdowns(equity, 100.0, 2)] == [5, 3]
