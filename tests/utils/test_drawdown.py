"""How depth and duration of drawdowns are counted."""

import numpy as np
import pytest

from src.utils.drawdown import drawdowns, max_drawdown_duration


def duration(*equity, capital=100.0):
    return max_drawdown_duration(drawdowns(np.array(equity, dtype=np.float64), capital))


def test_depths_are_fractions_below_the_highest_value_so_far():
    depths = drawdowns(np.array([90.0, 110.0, 99.0, 120.0]), 100.0)
    assert depths == pytest.approx([0.1, 0.0, 0.1, 0.0])


@pytest.mark.parametrize(
    ("equity", "expected", "why"),
    [
        ((100, 100), 0, "never below the capital"),
        ((101, 102, 103), 0, "every day is a peak"),
        ((110, 105, 110, 120), 2, "peak on day 1, reached again on day 3"),
        ((110, 105, 104, 103, 111), 4, "peak on day 1, passed on day 5"),
        ((110, 105, 111, 100, 101, 102), 3, "the second one, still open, from day 3 to day 6"),
        ((110, 105, 104, 103, 111, 100), 4, "the first one; the open one has lasted one day"),
        ((99,), 1, "from the capital before day 1"),
        ((99, 98, 100), 3, "from the capital to the day that reaches it again"),
    ],
)
def test_the_longest_stretch_from_a_peak_to_the_day_that_reaches_it_again(equity, expected, why):
    assert duration(*equity) == expected, why
