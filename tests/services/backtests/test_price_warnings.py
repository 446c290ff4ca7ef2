import numpy as np
import pytest

from src.services.backtests.price_warnings import jump_warnings
from src.services.data_provider.base import PriceTable

NAN = float("nan")


def table(**closes: list[float]) -> PriceTable:
    """One bar per day from 2020-01-01 on; each opens at its close."""
    bars = np.stack([np.stack([np.array(values, dtype=np.float64)] * 5, axis=1) for values in closes.values()], axis=1)
    dates = np.datetime64("2020-01-01") + np.arange(bars.shape[0])
    return PriceTable(dates, tuple(closes), np.ascontiguousarray(bars))


def test_a_jump_is_named_with_symbol_days_and_both_prices():
    (warning,) = jump_warnings(table(CALM=[10, 11, 12], SPLIT=[200, 200, 10]))
    assert warning == (
        "SPLIT moves more than tenfold overnight: it closes at 200 on 2020-01-02 and closes at 10 on 2020-01-03. "
        "If that is an error, so is this result."
    )


@pytest.mark.parametrize(("steps", "count"), [([1, 10], 0), ([1, 10.01], 1), ([10.01, 1], 1), ([10, 1], 0)])
def test_exactly_ten_times_is_not_a_jump(steps, count):
    assert len(jump_warnings(table(A=steps))) == count


def test_an_open_that_jumps_alone_is_named_because_orders_may_fill_at_it():
    prices = table(A=[10, 10, 10])
    bars = prices.bars.copy()
    bars[1, 0, [0, 1]] = 1000
    (warning,) = jump_warnings(PriceTable(prices.dates.copy(), ("A",), bars))
    assert "closes at 10 on 2020-01-01 and opens at 1000 on 2020-01-02" in warning


def test_days_without_a_bar_are_not_jumps_and_hide_none():
    (warning,) = jump_warnings(table(A=[10, NAN, 101], B=[5, 5, 5]))
    assert "closes at 10 on 2020-01-01 and closes at 101 on 2020-01-03" in warning


def test_many_jumps_are_counted():
    warnings = jump_warnings(table(A=[1, 100] * 10))
    assert len(warnings) == 11
    assert warnings[-1] == "9 more prices move more than tenfold overnight."
