"""Warns when prices, the benchmark or the risk-free rate cover only part of a run."""

from datetime import date, timedelta

from src.services.data_provider.arrays import Dates
from src.services.data_provider.base import PriceTable
from src.services.data_provider.calendar import sessions
from src.utils.trading_year import CALENDAR_DAYS, TRADING_DAYS, periods_per_year

FEW_SESSIONS = 5
"""This many New York sessions may be missing at an end: other exchanges have other holidays."""

ENOUGH_YIELDS = 0.95
"""Share of the sessions from which a series of yields counts as complete: bond markets have more holidays."""

MOST_NAMED = 10
ONE_DAY = timedelta(days=1)


def window_warnings(prices: PriceTable, start: date, end: date) -> list[str]:
    """One sentence for each end of the window the prices do not reach, and one for symbols that start later.

    Args:
        start, end: the requested window, inclusive.
    """
    first, last = prices.dates[0].item(), prices.dates[-1].item()
    warnings = []
    if begins_late(start, first):
        warnings.append(f"The prices begin on {first}, but the requested window begins on {start}.")
    if ends_early(last, end):
        warnings.append(f"The prices end on {last}, but the requested window ends on {end}.")
    late = {origin.symbol: origin.first_day for origin in prices.origins if begins_late(first, origin.first_day)}
    if late:
        named = [f"{symbol} on {day}" for symbol, day in list(late.items())[:MOST_NAMED]]
        rest = f" and {len(late) - MOST_NAMED} more" if len(late) > MOST_NAMED else ""
        warnings.append(f"Prices that begin after the first day of the run, {first}: {', '.join(named)}{rest}.")
    return warnings


def period_warnings(dates: Dates) -> list[str]:
    """One sentence if the days of a timeline fit no usual year, so that metrics count them."""
    periods = periods_per_year(dates)
    if periods in (TRADING_DAYS, CALENDAR_DAYS):
        return []
    return [
        f"Yearly figures count {periods} periods a year: the run has {len(dates)} days from {dates[0]} to "
        f"{dates[-1]}, which is near neither {TRADING_DAYS} nor {CALENDAR_DAYS} a year."
    ]


def benchmark_warnings(symbol: str, days: Dates, known: Dates) -> list[str]:
    """One sentence if the benchmark covers only part of the run's days.

    Args:
        days: (n_days,) the run's days.
        known: (n_known,) contiguous days on which the benchmark is known, at least one.
    """
    ends = []
    if known[0] > days[0]:
        ends.append(f"begins on {known[0]}, the run on {days[0]}")
    if known[-1] < days[-1]:
        ends.append(f"ends on {known[-1]}, the run on {days[-1]}")
    if not ends:
        return []
    return [f"The benchmark {symbol} {' and '.join(ends)}; metrics relative to it cover only those days."]


def yield_warnings(symbol: str, days: Dates, known: Dates) -> list[str]:
    """One sentence if a series of yields covers only part of the run's sessions.

    Args:
        days: (n_days,) the run's days.
        known: (n_known,) days on which a yield is known, ascending, at least one.
    """
    n_sessions = sessions(days[0].item(), days[-1].item()).size
    if n_sessions - known.size <= max(FEW_SESSIONS, (1 - ENOUGH_YIELDS) * n_sessions):
        return []
    return [
        f"The risk-free rate is the mean of {symbol} over {known.size} of the run's {n_sessions} trading days, from "
        f"{known[0]} to {known[-1]}; give risk_free_rate to choose another."
    ]


def begins_late(wanted: date, first: date) -> bool:
    """Whether prices that start on `first` miss more than a few sessions after `wanted`."""
    return sessions(wanted, first - ONE_DAY).size > FEW_SESSIONS


def ends_early(last: date, wanted: date) -> bool:
    """Whether prices that end on `last` miss more than a few sessions before `wanted`."""
    return sessions(last + ONE_DAY, wanted).size > FEW_SESSIONS
