"""Weeks, months and quarters of real prices: pandas agrees on the values, the exchange's calendar on the dates."""

import warnings
from datetime import date
from pathlib import Path

import exchange_calendars
import numpy as np
import pandas as pd
import pytest
from hqg_algorithms import BarSize

from src.engine.timeline import decisions
from src.services.data_provider.arrays import day_numbers
from src.services.data_provider.base import PriceTable
from src.services.data_provider.calendar import last_period_is_complete
from src.services.data_provider.files.provider import FilesProvider

START, END = date(1998, 12, 22), date(2026, 4, 30)
SYMBOLS = ("SPY", "XLE", "BND", "GLD")  # two of them listed later: weeks, months and quarters that begin without them
FIELDS = ("open", "high", "low", "close", "volume")
RULES = {BarSize.WEEKLY: "W-FRI", BarSize.MONTHLY: "ME", BarSize.QUARTERLY: "QE"}
HOW = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}


@pytest.fixture(scope="module")
def table(market_folder: Path) -> PriceTable:
    return FilesProvider(market_folder).fetch(SYMBOLS, START, END)


@pytest.fixture(scope="module")
def calendar() -> pd.DatetimeIndex:
    """New York's sessions, by the calendar library itself."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        nyse = exchange_calendars.get_calendar("XNYS", start="1998-01-02", end="2026-12-31")
    return nyse.sessions_in_range(pd.Timestamp(START), pd.Timestamp(END))


def ours(table: PriceTable, bar_size: BarSize) -> tuple[pd.DatetimeIndex, np.ndarray]:
    """The days on which a strategy is called, and the bars (n_periods, n_symbols, 5) that it sees then."""
    last_day = table.dates[-1].item()
    found = decisions(
        day_numbers(table.dates).tolist(),
        len(table.symbols),
        memoryview(table.bars.reshape(-1)),
        bar_size,
        last_period_is_complete(last_day, bar_size, table.has_weekend_days()),
    )
    days = pd.DatetimeIndex(table.dates[list(found)].astype("datetime64[ns]"))
    return days, np.array([list(bars) for bars in found.values()]).reshape(-1, len(table.symbols), 5)


def by_pandas(table: PriceTable, bar_size: BarSize, n_periods: int) -> np.ndarray:
    """The same bars by pandas' own resample."""
    index = pd.DatetimeIndex(table.dates.astype("datetime64[ns]"))
    symbols = []
    for column in range(len(table.symbols)):
        frame = pd.DataFrame(table.bars[:, column], index=index, columns=list(FIELDS))
        periods = frame.resample(RULES[bar_size]).agg(HOW)
        periods.loc[periods["close"].isna(), "volume"] = np.nan  # pandas' sum of nothing is 0
        symbols.append(periods.to_numpy()[:n_periods])
    return np.stack(symbols, axis=1)


@pytest.mark.parametrize("bar_size", RULES)
def test_values_are_those_of_pandas(table: PriceTable, bar_size: BarSize) -> None:
    days, bars = ours(table, bar_size)
    expected = by_pandas(table, bar_size, len(days))
    assert np.isnan(bars).any()
    np.testing.assert_array_equal(bars[:, :, :4], expected[:, :, :4])
    np.testing.assert_allclose(bars[:, :, 4], expected[:, :, 4], rtol=1e-12)  # a sum depends on its order


@pytest.mark.parametrize("bar_size", RULES)
def test_dates_are_the_last_sessions_of_their_periods(
    table: PriceTable, calendar: pd.DatetimeIndex, bar_size: BarSize
) -> None:
    days, _ = ours(table, bar_size)
    last_sessions = calendar.to_series().resample(RULES[bar_size]).max()
    if bar_size is BarSize.QUARTERLY or bar_size is BarSize.WEEKLY:
        last_sessions = last_sessions[:-1]  # Thursday 2026-04-30 ends a month, but no week and no quarter
    assert days.tolist() == last_sessions.tolist()


def test_a_month_that_ends_on_a_weekend_is_complete(market_folder: Path) -> None:
    days, _ = ours(FilesProvider(market_folder).fetch(("SPY",), date(2020, 5, 1), date(2020, 5, 31)), BarSize.MONTHLY)
    assert [day.date() for day in days] == [date(2020, 5, 29)]
    days, _ = ours(FilesProvider(market_folder).fetch(("SPY",), date(2020, 5, 1), date(2020, 5, 28)), BarSize.MONTHLY)
    assert len(days) == 0
