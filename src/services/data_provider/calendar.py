"""New York's trading days, and whether a week, month or quarter is complete."""

import warnings
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from threading import Lock

import numpy as np
from hqg_algorithms import BarSize

from src.services.data_provider.arrays import Dates, window_rows

KNOWN_FROM, KNOWN_TO = date(1900, 1, 1), date(2100, 12, 31)
"""Between these days the exchange calendar applies; before and after, Monday to Friday."""

ONE_DAY = timedelta(days=1)
FRIDAY = 4

_reading = Lock()


def sessions(start: date, end: date) -> Dates:
    """The trading days of the New York Stock Exchange from start to end, both included.

    The first call in a process takes about a second (`prepare`), later ones microseconds.
    Closures announced after the calendar library's release are not known.

    Returns:
        (n_days,) datetime64[D], ascending; empty when end is before start.
    """
    days, _ = _nyse()
    known = days[slice(*window_rows(days, start, end))]
    before = _weekdays(start, min(end, KNOWN_FROM - ONE_DAY))
    after = _weekdays(max(start, KNOWN_TO + ONE_DAY), end)
    return np.concatenate([before, known, after])


def every_day(start: date, end: date) -> Dates:
    """All calendar days from start to end, both included; empty when end is before start."""
    return np.arange(np.datetime64(start, "D"), np.datetime64(end, "D") + 1)


def last_finished_session(now: datetime) -> date:
    """The last New York session whose close is not after `now`; early closes count.

    Raises:
        ValueError: `now` has no time zone, or lies before the first known session.
    """
    if now.tzinfo is None:
        raise ValueError("now needs a time zone")
    days, closes = _nyse()
    moment = np.datetime64(now.astimezone(UTC).replace(tzinfo=None), "s")
    position = int(np.searchsorted(closes, moment, side="right")) - 1
    if position < 0:
        raise ValueError(f"no session is known before {now}")
    day: date = days[position].item()
    return day


def last_period_is_complete(last_day: date, bar_size: BarSize, trades_weekends: bool) -> bool:
    """Whether `last_day` is the last trading day of its week (ending Friday), month or quarter.

    Args:
        last_day: the last day of a timeline.
        bar_size: the period; a day is always complete.
        trades_weekends: the timeline trades on every calendar day, not only when New York does.
    """
    if bar_size == BarSize.DAILY:
        return True
    following, period_end = last_day + ONE_DAY, _period_end(last_day, bar_size)
    trading_days = every_day if trades_weekends else sessions
    return trading_days(following, period_end).size == 0


def prepare() -> None:
    """Read the exchange calendar now, so that the first request need not.

    This also imports pandas, which the first read of a price file would otherwise wait for.
    """
    _nyse()


def _period_end(day: date, bar_size: BarSize) -> date:
    if bar_size == BarSize.WEEKLY:
        return day + timedelta(days=(FRIDAY - day.weekday()) % 7)
    month = day.month if bar_size == BarSize.MONTHLY else (day.month + 2) // 3 * 3
    return date(day.year, month, monthrange(day.year, month)[1])


def _weekdays(start: date, end: date) -> Dates:
    days = every_day(start, end)
    return days[np.is_busday(days)]


def _nyse() -> tuple[Dates, Dates]:
    with _reading:  # so that concurrent threads read it once
        return _read_nyse()


@lru_cache(maxsize=1)
def _read_nyse() -> tuple[Dates, Dates]:
    """All sessions (datetime64[D]) and their closes (datetime64[s], UTC)."""
    import exchange_calendars  # noqa: PLC0415 - takes a second with pandas; startup should not wait for it

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library lags behind pandas' deprecations
        nyse = exchange_calendars.get_calendar("XNYS", start=KNOWN_FROM.isoformat(), end=KNOWN_TO.isoformat())
        closes = nyse.closes.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy()
    return nyse.sessions.to_numpy().astype("datetime64[D]"), closes.astype("datetime64[s]")
