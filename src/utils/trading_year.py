"""How many of a timeline's days make a year: counted, so that no single odd date decides."""

import numpy as np
import numpy.typing as npt

Dates = npt.NDArray[np.datetime64]

TRADING_DAYS, CALENDAR_DAYS = 252, 365
"""Periods per year in a market that closes on weekends, and in one that never closes."""

SNAP = 0.05
"""Relative. A count this close to 252 or 365 is rounded to it: holidays and gaps differ by less."""

WEEKEND_SHARE = 1 / 5
WEEKEND_DAY_SHARE = 1 / 14
"""A timeline trades on weekends when at least WEEKEND_SHARE of its days are Saturdays or Sundays, and at least
WEEKEND_DAY_SHARE are each. Both are needed: in a market that never closes each is a seventh; in a week from Sunday to
Thursday a fifth are Sundays but none are Saturdays."""

THURSDAY = 3
"""The weekday of 1970-01-01, counted from Monday."""


def periods_per_year(dates: Dates) -> int:
    """How many of these days make a year.

    Over a year or more: days ÷ years, rounded to 252 or 365 when within 5 % of one of them. Over less than a year a
    count means little: 365 when the timeline trades on weekends, else 252.

    Args:
        dates: (n_days,) datetime64[D], strictly ascending, at least one.

    Returns:
        At least 1; neither 252 nor 365 only where the count is near neither.
    """
    n_calendar_days = int((dates[-1] - dates[0]).astype("timedelta64[D]").astype(np.int64)) + 1
    if n_calendar_days < CALENDAR_DAYS:
        return CALENDAR_DAYS if trades_on_weekends(dates) else TRADING_DAYS
    count = len(dates) * 365.25 / n_calendar_days
    for usual in (TRADING_DAYS, CALENDAR_DAYS):
        if abs(count - usual) <= SNAP * usual:
            return usual
    return max(1, round(count))


def trades_on_weekends(dates: Dates) -> bool:
    """Whether weekends are trading days here, rather than a stray row or the Sundays of Tel Aviv and Riyadh.

    Args:
        dates: (n_days,) datetime64[D]; False for an empty array.
    """
    weekdays = (dates.astype("datetime64[D]").astype(np.int64) + THURSDAY) % 7
    n_saturdays, n_sundays = int((weekdays == 5).sum()), int((weekdays == 6).sum())
    return (
        len(dates) > 0
        and n_saturdays + n_sundays >= WEEKEND_SHARE * len(dates)
        and min(n_saturdays, n_sundays) >= WEEKEND_DAY_SHARE * len(dates)
    )
