"""Bars of many symbols are aligned on the union of their days."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.errors import NoPrices, PriceSourceUnavailable
from src.services.data_provider.alignment import align, gather
from src.services.data_provider.base import SuspectBar
from src.services.data_provider.cleaning import SymbolBars, clean

EPOCH = np.datetime64("2020-01-01", "D")
JANUARY = (date(2020, 1, 1), date(2020, 1, 31))


def bars_on(*offsets: int, scale: float = 1.0) -> SymbolBars:
    dates = EPOCH + np.array(sorted(offsets), dtype=np.int64)
    return SymbolBars(dates, scale * (1.0 + np.outer(sorted(offsets), np.ones(5))).reshape(-1, 5))


@given(st.lists(st.sets(st.integers(0, 30)), min_size=1, max_size=4))
def test_the_days_are_the_union_and_absent_bars_are_nan(day_sets):
    symbols = [f"S{column}" for column in range(len(day_sets))]
    frames = {
        name: bars_on(*chosen, scale=column + 1.0)
        for column, (name, chosen) in enumerate(zip(symbols, day_sets, strict=True))
    }
    table = align(symbols, frames)
    union = sorted(set().union(*day_sets))
    assert table.dates.tolist() == (EPOCH + np.array(union, dtype=np.int64)).tolist()
    for row, day in enumerate(union):
        for column, chosen in enumerate(day_sets):
            expected = [(column + 1.0) * (1.0 + day)] * 5 if day in chosen else [np.nan] * 5
            np.testing.assert_array_equal(table.bars[row, column], expected)


def test_symbols_without_days_give_an_empty_table():
    nothing = SymbolBars(np.empty(0, dtype="datetime64[D]"), np.empty((0, 5)))
    assert align(["A", "B"], {"A": nothing, "B": nothing}).bars.shape == (0, 2, 5)


def test_the_table_has_the_suspects_of_all_symbols():
    first, second = SuspectBar("A", date(2020, 1, 2), "x"), SuspectBar("B", date(2020, 1, 1), "y")
    frames = {"A": SymbolBars(*_one_bar(), (first,)), "B": SymbolBars(*_one_bar(), (second,))}
    assert align(["B", "A"], frames).suspects == (second, first)


def _one_bar():
    return np.array(["2020-01-02"], dtype="datetime64[D]"), np.ones((1, 5))


def test_only_the_window_decides_the_days_of_the_table():
    frames = {"A": bars_on(0, 5, 40), "B": bars_on(3, 60)}
    table = gather(["A", "B"], *JANUARY, frames.__getitem__)
    assert table.dates.astype(str).tolist() == ["2020-01-01", "2020-01-04", "2020-01-06"]


def test_a_window_outside_the_prices_reports_their_range():
    with pytest.raises(NoPrices) as raised:
        gather(["A"], date(2019, 1, 1), date(2019, 12, 31), lambda _: bars_on(0, 5))
    assert raised.value.errors == [
        "No prices for 'A' between 2019-01-01 and 2019-12-31: its prices run from 2020-01-01 to 2020-01-06."
    ]


def test_a_window_of_only_unusable_rows_is_reported():
    dates = np.array(["2020-01-02", "2020-02-03"], dtype="datetime64[D]")
    frame = clean("A", dates, np.array([[0.0] * 5, [1.0] * 5]))
    with pytest.raises(NoPrices, match=r"none of the rows there can be used \(on 2020-01-02: open 0, high 0"):
        gather(["A"], *JANUARY, lambda _: frame)


def test_a_source_without_a_usable_day_is_reported():
    frame = SymbolBars(np.empty(0, dtype="datetime64[D]"), np.empty((0, 5)))
    with pytest.raises(NoPrices, match="no usable day"):
        gather(["A"], *JANUARY, lambda _: frame)


def test_only_tickers_are_loaded():
    loaded = []

    def load(symbol):
        loaded.append(symbol)
        return bars_on(0)

    with pytest.raises(NoPrices) as raised:
        gather(["A", "../A", "B\n", "^A", "x" * 5_000], *JANUARY, load)
    assert loaded == ["A", "^A"]
    assert len(raised.value.errors) == 3
    assert max(map(len, raised.value.errors)) < 120


@pytest.mark.parametrize("symbol", ["SPY", "^GSPC", "BRK-B", "BRK.B", "BTC-USD", "EURUSD=X", "0700.HK", "ES=F"])
def test_yahoos_spellings_are_tickers(symbol):
    assert gather([symbol], *JANUARY, lambda _: bars_on(0)).symbols == (symbol,)


def test_a_failing_source_is_not_mistaken_for_an_unknown_symbol():
    def load(symbol):
        raise PriceSourceUnavailable(f"{symbol} broke")

    with pytest.raises(PriceSourceUnavailable, match="A broke"):
        gather(["A", "B"], *JANUARY, load)
