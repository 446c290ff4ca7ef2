"""A long line keeps what an eye would miss: its extremes."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from src.services.results.report.lines import COLUMNS, visible


@given(st.integers(0, 2**32 - 1), st.integers(1, 20_000))
def test_every_extreme_the_ends_and_the_order_stay(seed: int, n: int) -> None:
    values = np.random.default_rng(seed).normal(size=n).cumsum()
    x = np.linspace(0.0, 1.0, n)
    keep = visible(x, values)
    assert keep[0] == 0 and keep[-1] == n - 1
    assert (np.diff(keep) > 0).all()
    assert values[keep].max() == values.max() and values[keep].min() == values.min()
    assert len(keep) <= 4 * COLUMNS


def test_a_spike_of_one_day_in_a_century_stays() -> None:
    values = np.ones(36_500)
    values[17_000] = 0.5
    assert 17_000 in visible(np.linspace(0.0, 1.0, len(values)), values)


def test_a_short_line_stays_as_it_is() -> None:
    assert visible(np.linspace(0, 1, 500), np.ones(500)).tolist() == list(range(500))
