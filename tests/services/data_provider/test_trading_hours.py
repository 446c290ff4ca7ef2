"""A bar is final when its market's day is over, and some time has passed."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.services.data_provider.trading_hours import TradingHours
from tests.fakes.yahoo import Clock

NEW_YORK = TradingHours("America/New_York", has_new_york_sessions=True, trades_weekends=False)
TOKYO = TradingHours("Asia/Tokyo", has_new_york_sessions=False, trades_weekends=False)
RIYADH = TradingHours("Asia/Riyadh", has_new_york_sessions=False, trades_weekends=True)
COINS = TradingHours("UTC", has_new_york_sessions=False, trades_weekends=True)
MARKETS = (NEW_YORK, TOKYO, RIYADH, COINS)

moments = st.datetimes(datetime(1990, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC))


def at(*parts: int, zone: str) -> datetime:
    clock = Clock(datetime(2000, 1, 1, tzinfo=UTC))
    clock.set(*parts, zone=zone)
    return clock.now


@pytest.mark.parametrize(
    ("market", "moment", "expected"),
    [
        (NEW_YORK, at(2021, 3, 3, 16, 59, zone="America/New_York"), date(2021, 3, 2)),
        (NEW_YORK, at(2021, 3, 3, 17, 0, zone="America/New_York"), date(2021, 3, 3)),
        (NEW_YORK, at(2021, 3, 4, 0, 0, zone="America/New_York"), date(2021, 3, 3)),  # midnight
        (NEW_YORK, at(2020, 12, 24, 13, 59, zone="America/New_York"), date(2020, 12, 23)),  # a half-day
        (NEW_YORK, at(2020, 12, 24, 14, 0, zone="America/New_York"), date(2020, 12, 24)),
        (NEW_YORK, at(2020, 12, 27, 12, 0, zone="America/New_York"), date(2020, 12, 24)),  # Christmas, a weekend
        (NEW_YORK, at(2001, 9, 14, 20, 0, zone="America/New_York"), date(2001, 9, 10)),  # closed for days
        (NEW_YORK, at(2021, 3, 15, 16, 59, zone="America/New_York"), date(2021, 3, 12)),  # summer time began
        (NEW_YORK, at(2021, 3, 15, 17, 0, zone="America/New_York"), date(2021, 3, 15)),
        (TOKYO, at(2021, 3, 4, 0, 59, zone="Asia/Tokyo"), date(2021, 3, 2)),
        (TOKYO, at(2021, 3, 4, 1, 0, zone="Asia/Tokyo"), date(2021, 3, 3)),
        (TOKYO, at(2021, 3, 8, 12, 0, zone="Asia/Tokyo"), date(2021, 3, 5)),  # Monday: Friday is the last
        (RIYADH, at(2021, 3, 8, 12, 0, zone="Asia/Riyadh"), date(2021, 3, 7)),  # it trades on Sundays
        (COINS, at(2021, 3, 7, 0, 59, zone="UTC"), date(2021, 3, 5)),
        (COINS, at(2021, 3, 7, 1, 0, zone="UTC"), date(2021, 3, 6)),
    ],
)
def test_the_last_finished_day(market: TradingHours, moment: datetime, expected: date) -> None:
    assert market.last_finished_day(moment) == expected


@given(moments, st.sampled_from(MARKETS))
def test_a_finished_day_lies_in_the_past_and_not_long_ago(moment: datetime, market: TradingHours) -> None:
    day = market.last_finished_day(moment)
    age = moment.date() - day
    assert timedelta(0) <= age <= timedelta(days=8)  # 2001 and a few others


@given(moments, st.integers(0, 10_000), st.sampled_from(MARKETS))
def test_a_finished_day_stays_finished(moment: datetime, minutes: int, market: TradingHours) -> None:
    assert market.last_finished_day(moment) <= market.last_finished_day(moment + timedelta(minutes=minutes))


def test_a_missing_bar_is_expected_for_six_hours() -> None:
    day, missing = date(2021, 3, 3), date(2021, 3, 2)
    finished = at(2021, 3, 3, 17, 0, zone="America/New_York")
    assert NEW_YORK.covered_to(missing, finished) == missing
    assert NEW_YORK.covered_to(missing, finished + timedelta(hours=6)) == day
    assert NEW_YORK.covered_to(day, finished) == day


def test_a_time_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        COINS.last_finished_day(datetime(2021, 3, 3))
