"""New York's trading days decide which period is complete."""

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from hqg_algorithms import BarSize
from hypothesis import given
from hypothesis import strategies as st

from src.services.data_provider.calendar import (
    every_day,
    last_finished_session,
    last_period_is_complete,
    sessions,
)
from src.services.data_provider.files.provider import FilesProvider

ROOT = Path(__file__).parents[3]


def listed(dates: np.ndarray) -> list[str]:
    return dates.astype(str).tolist()


def test_weekends_and_holidays_are_not_sessions():
    assert listed(sessions(date(2020, 12, 24), date(2021, 1, 5))) == [
        "2020-12-24",
        "2020-12-28",
        "2020-12-29",
        "2020-12-30",
        "2020-12-31",
        "2021-01-04",
        "2021-01-05",
    ]


def test_unscheduled_closures_are_not_sessions():
    assert listed(sessions(date(2001, 9, 10), date(2001, 9, 17))) == ["2001-09-10", "2001-09-17"]
    assert listed(sessions(date(2012, 10, 26), date(2012, 10, 31))) == ["2012-10-26", "2012-10-31"]


def test_a_window_that_ends_before_it_starts_has_no_session():
    assert sessions(date(2020, 1, 10), date(2020, 1, 2)).size == 0
    assert every_day(date(2020, 1, 10), date(2020, 1, 2)).size == 0


def test_beyond_the_calendar_weekdays_stand_in():
    assert listed(sessions(date(2150, 1, 1), date(2150, 1, 6))) == [
        "2150-01-01",
        "2150-01-02",
        "2150-01-05",
        "2150-01-06",
    ]
    assert sessions(date(1850, 7, 1), date(1850, 7, 7)).size == 5
    assert listed(sessions(date(1899, 12, 29), date(1900, 1, 3)))[0] == "1899-12-29"
    across = sessions(date(2100, 12, 27), date(2101, 1, 7))
    assert (np.diff(across.astype(int)) > 0).all()
    assert across.size in (9, 10)


def test_sessions_are_the_days_on_which_spy_traded(daily_prices):
    traded = FilesProvider(daily_prices).fetch(["SPY"], date(1993, 1, 29), date(2026, 5, 1)).dates
    np.testing.assert_array_equal(sessions(date(1993, 1, 29), date(2026, 5, 1)), traded)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (datetime(2021, 1, 4, 20, 59, 59, tzinfo=UTC), date(2020, 12, 31)),
        (datetime(2021, 1, 4, 21, 0, tzinfo=UTC), date(2021, 1, 4)),  # 16:00 in New York's winter
        (datetime(2021, 7, 6, 20, 0, tzinfo=UTC), date(2021, 7, 6)),  # and in its summer
        (datetime(2020, 11, 27, 18, 0, tzinfo=UTC), date(2020, 11, 27)),  # the early close after Thanksgiving
        (datetime(2020, 11, 27, 17, 59, tzinfo=UTC), date(2020, 11, 25)),
        (datetime(2021, 1, 3, 12, 0, tzinfo=UTC), date(2020, 12, 31)),
        (datetime(2021, 1, 5, 5, 59, tzinfo=timezone(timedelta(hours=9))), date(2020, 12, 31)),
    ],
)
def test_a_session_is_finished_at_its_close(moment, expected):
    assert last_finished_session(moment) == expected


def test_a_time_without_a_time_zone_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        last_finished_session(datetime(2021, 1, 4, 12, 0))
    with pytest.raises(ValueError, match="no session"):
        last_finished_session(datetime(1850, 1, 4, 12, 0, tzinfo=UTC))


@pytest.mark.parametrize(
    ("last_day", "bar_size", "trades_weekends", "expected"),
    [
        (date(2021, 1, 6), BarSize.DAILY, False, True),
        (date(2021, 1, 8), BarSize.WEEKLY, False, True),  # a Friday
        (date(2021, 1, 7), BarSize.WEEKLY, False, False),
        (date(2020, 12, 31), BarSize.WEEKLY, False, True),  # a Thursday before a holiday
        (date(2020, 12, 31), BarSize.WEEKLY, True, False),
        (date(2021, 1, 9), BarSize.WEEKLY, True, False),  # a Saturday begins the next week
        (date(2021, 1, 8), BarSize.WEEKLY, True, True),
        (date(2021, 1, 29), BarSize.MONTHLY, False, True),  # a Friday, the last session of January
        (date(2021, 1, 29), BarSize.MONTHLY, True, False),
        (date(2021, 1, 31), BarSize.MONTHLY, True, True),
        (date(2021, 1, 28), BarSize.MONTHLY, False, False),
        (date(2020, 12, 31), BarSize.QUARTERLY, False, True),
        (date(2021, 1, 29), BarSize.QUARTERLY, False, False),
        (date(2021, 3, 31), BarSize.QUARTERLY, False, True),
        (date(2018, 3, 29), BarSize.QUARTERLY, False, True),  # the day after was Good Friday
        (date(2018, 3, 29), BarSize.MONTHLY, False, True),
        (date(2024, 2, 29), BarSize.MONTHLY, False, True),
        (date(2024, 2, 28), BarSize.MONTHLY, False, False),
        (date(1890, 1, 31), BarSize.MONTHLY, False, True),  # before the calendar: weekdays
        (date(2190, 1, 28), BarSize.MONTHLY, False, False),
    ],
)
def test_a_period_is_complete_when_no_session_of_it_is_left(last_day, bar_size, trades_weekends, expected):
    assert last_period_is_complete(last_day, bar_size, trades_weekends) is expected


def period_of(day: date, bar_size: BarSize) -> tuple[int, ...]:
    """A label of the period, by another way than the source: weeks are counted, not ended."""
    if bar_size == BarSize.WEEKLY:
        return ((day - date(2000, 1, 1)).days // 7,)  # a Saturday
    if bar_size == BarSize.MONTHLY:
        return (day.year, day.month)
    return (day.year, (day.month - 1) // 3)


@given(
    day=st.dates(date(1960, 1, 1), date(2040, 1, 1)),
    bar_size=st.sampled_from([BarSize.WEEKLY, BarSize.MONTHLY, BarSize.QUARTERLY]),
    trades_weekends=st.booleans(),
)
def test_completeness_is_whether_the_next_trading_day_begins_a_period(day, bar_size, trades_weekends):
    trading_days = every_day if trades_weekends else sessions
    following = trading_days(day + timedelta(days=1), day + timedelta(days=15))[0].item()
    is_new_period = period_of(following, bar_size) != period_of(day, bar_size)
    assert last_period_is_complete(day, bar_size, trades_weekends) is is_new_period


def test_importing_the_providers_does_not_read_the_calendar_library():
    code = (
        "import sys, src.services.data_provider.mock.provider, src.services.data_provider.files.provider;"
        "print([name for name in ('pandas', 'exchange_calendars') if name in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "[]"
