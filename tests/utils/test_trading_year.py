"""Periods per year are counted; expected counts come from calendar arithmetic or from the days of real prices."""

from datetime import date
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.services.data_provider.calendar import sessions
from src.services.data_provider.files.provider import FilesProvider
from src.utils.metrics import measure
from src.utils.trading_year import periods_per_year, trades_on_weekends

MONDAY = np.datetime64("2018-01-01")


def every_day(first, last):
    return np.arange(first, last, dtype="datetime64[D]")


def on_weekdays(dates, *weekdays):
    """The dates that fall on these weekdays, Monday is 0."""
    return dates[np.isin((dates.astype(int) + 3) % 7, weekdays)]


def with_row(dates, text):
    return np.unique(np.append(dates, np.datetime64(text)))


@pytest.fixture(scope="module")
def spy(market_folder: Path):
    """SPY from 2013 on: days and closes."""
    table = FilesProvider(market_folder).fetch(("SPY",), date(2013, 1, 2), date(2025, 12, 31))
    return table.dates, table.close[:, 0]


def sharpe(dates, closes):
    metrics = measure(closes, float(closes[0]), dates, periods_per_year=periods_per_year(dates))
    return metrics.values["sharpe_ratio"]


def test_one_stray_saturday_changes_the_sharpe_ratio_of_spy_only_by_its_return(spy):
    dates, closes = spy
    at = int(np.searchsorted(dates, np.datetime64("2020-06-06")))
    stray = with_row(dates, "2020-06-06")
    marked = np.insert(closes, at, closes[at - 1])  # the Friday's close again
    assert periods_per_year(stray) == 252
    assert (
        sharpe(stray, marked) == measure(marked, float(marked[0]), stray, periods_per_year=252).values["sharpe_ratio"]
    )
    assert sharpe(stray, marked) == pytest.approx(sharpe(dates, closes), rel=1e-3)


@pytest.fixture(scope="module")
def bitcoin(market_folder: Path):
    """The days of bitcoin's minutes; May 2015, April and May 2016 and a week of August 2016 are not in them."""
    files = [market_folder.parent / "minute" / f"BTCUSD_{year}.parquet" for year in (2015, 2016)]
    if not all(file.is_file() for file in files):
        pytest.skip("no bitcoin minutes")
    stamps = [pq.read_table(file, columns=["timestamp"])["timestamp"].to_numpy() for file in files]
    return np.unique(np.concatenate(stamps).astype("datetime64[D]"))


def test_bitcoin_has_365_periods_a_year(bitcoin):
    without_a_gap = bitcoin[(bitcoin > np.datetime64("2015-05-31")) & (bitcoin < np.datetime64("2016-04-02"))]
    assert len(without_a_gap) == 306
    assert periods_per_year(without_a_gap) == 365
    # The same days a year later make 22 months without a gap.
    assert periods_per_year(np.union1d(without_a_gap, without_a_gap + 306)) == 365
    assert trades_on_weekends(bitcoin)


def test_missing_days_are_not_counted(bitcoin):
    assert periods_per_year(bitcoin) == round(634 / 731 * 365.25) == 317


def test_a_year_of_new_york_has_252_periods():
    assert periods_per_year(sessions(date(2015, 1, 1), date(2015, 12, 31))) == 252
    assert periods_per_year(sessions(date(1993, 1, 29), date(2026, 5, 1))) == 252


@pytest.mark.parametrize("years", [0.1, 0.5, 0.99, 1, 1.5, 10])
def test_a_market_open_from_sunday_to_thursday_has_252_periods(years):
    days = on_weekdays(every_day(MONDAY, MONDAY + round(years * 365.25)), 6, 0, 1, 2, 3)
    holidays = days[5::26]  # ten a year, as in Tel Aviv and Riyadh
    assert periods_per_year(np.setdiff1d(days, holidays)) == 252
    assert not trades_on_weekends(days)


@pytest.mark.parametrize("first", range(7))
@pytest.mark.parametrize("n_weeks", [1, 2, 3, 10, 51])
def test_whole_weeks_under_a_year_without_a_closed_day_have_365_periods(first, n_weeks):
    assert periods_per_year(every_day(MONDAY + first, MONDAY + first + 7 * n_weeks)) == 365


def test_weekdays_of_less_than_a_year_have_252_periods_despite_a_single_weekend_day():
    days = on_weekdays(every_day(MONDAY, MONDAY + 180), 0, 1, 2, 3, 4)
    assert periods_per_year(days) == 252
    assert periods_per_year(with_row(days, "2018-03-03")) == 252
    assert periods_per_year(with_row(with_row(days, "2018-03-03"), "2018-03-04")) == 252
    assert periods_per_year(days[:1]) == 252


def test_a_count_near_neither_is_kept():
    # New York traded on Saturdays until 1952: six days a week, 313 a year.
    six = on_weekdays(every_day(MONDAY, MONDAY + 4 * 365 + 1), 0, 1, 2, 3, 4, 5)
    assert periods_per_year(six) == round(len(six) / 4) == 313
    assert periods_per_year(on_weekdays(every_day(MONDAY, MONDAY + 3653), 4)) == 52
    assert periods_per_year(np.array(["1990-01-01", "2020-01-01"], dtype="datetime64[D]")) == 1


@pytest.mark.parametrize(
    ("per_year", "expected"),
    [(239, 239), (240, 252), (264, 252), (266, 266), (346, 346), (347, 365), (365, 365)],
)
def test_a_count_within_five_percent_is_252_or_365(per_year, expected):
    # Ten years of 3,652 or 3,653 days, of which per_year * 10 are kept, spread evenly.
    days = every_day("2010-01-01", "2020-01-01")
    kept = days[np.linspace(0, len(days) - 1, per_year * 10).round().astype(int)]
    assert periods_per_year(kept) == expected


@given(st.integers(0, 6), st.integers(400, 3000), st.integers(0, 399))
def test_no_single_day_changes_the_periods_of_a_year_of_weekdays(first, n_days, at):
    calendar = every_day(MONDAY + first, MONDAY + first + n_days)
    days = on_weekdays(calendar, 0, 1, 2, 3, 4)
    assert periods_per_year(days) == 252
    assert periods_per_year(np.unique(np.append(days, calendar[at]))) == 252


def test_an_empty_timeline_does_not_trade_on_weekends():
    assert not trades_on_weekends(np.array([], dtype="datetime64[D]"))
