"""The bars that a strategy sees before its books begin."""

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
from hqg_algorithms import BarSize

from src.engine.timeline import period_ends
from src.services.data_provider.arrays import Dates, day_numbers
from src.services.data_provider.base import DataProvider, PriceTable
from src.utils.deadline import Deadline
from src.utils.price_adjustment import PriceAdjustment

MOST_NAMED = 10
EARLIEST_DAY = date(1900, 1, 1)

_CALENDAR_DAYS = {BarSize.DAILY: 1.5, BarSize.WEEKLY: 7.0, BarSize.MONTHLY: 31.0, BarSize.QUARTERLY: 92.0}
"""No calendar has fewer bars than one in so many days, for long."""
_SPARE_DAYS = 100


def earlier_prices(
    provider: DataProvider,
    symbols: Sequence[str],
    start: date,
    end: date,
    bars: int,
    bar_size: BarSize,
    deadline: Deadline,
    adjustment: PriceAdjustment,
) -> PriceTable:
    """The days of the last `bars` periods that end before a window's first day, and of the period that it cuts.

    Args:
        start, end: the window, inclusive; every symbol has a bar before its end.
        bars: number of periods, at least one.

    Returns:
        Days before `start`, fewer periods where the prices do not reach back so far; possibly no day at all.

    Raises:
        NoPrices, PriceSourceUnavailable, RunTimedOut, RunCancelled: see DataProvider.fetch.
    """
    span_days = min(int(bars * _CALENDAR_DAYS[bar_size]) + _SPARE_DAYS, max(0, (start - EARLIEST_DAY).days))
    table = provider.fetch(symbols, start - timedelta(days=span_days), end, deadline, adjustment=adjustment)
    earlier = table.window(EARLIEST_DAY, start - timedelta(days=1))
    ends = _ends_before(table.dates, len(earlier.dates), bar_size)
    first = ends[-bars - 1] + 1 if len(ends) > bars else 0
    # Dates and bars alone: nothing else of these days decides a result, or is worth a warning.
    return PriceTable(earlier.dates[first:], earlier.symbols, earlier.bars[first:])


def warm_up_warnings(wanted: int, bar_size: BarSize, earlier: PriceTable, prices: PriceTable) -> list[str]:
    """One sentence if the prices have fewer bars than a warm-up wants, or a symbol has.

    Args:
        wanted: number of bars.
        earlier: its days.
        prices: the window after it.
    """
    n_days = len(earlier.dates)
    ends = _ends_before(np.concatenate([earlier.dates, prices.dates]), n_days, bar_size)
    if len(ends) < wanted:
        begins = f", from {earlier.dates[0]}" if n_days else ""
        return [f"The warm-up wants {wanted} bars before {prices.dates[0]}, but the prices have {len(ends)}{begins}."]
    starts = [0, *(end + 1 for end in ends[:-1])]
    has_bar = np.add.reduceat(~np.isnan(earlier.close), starts, axis=0)[: len(ends)] > 0
    counts = {symbol: int(count) for symbol, count in zip(earlier.symbols, has_bar.sum(axis=0), strict=True)}
    short = [f"{symbol} {count}" for symbol, count in counts.items() if count < wanted]
    if not short:
        return []
    rest = f" and {len(short) - MOST_NAMED} more symbols" if len(short) > MOST_NAMED else ""
    return [f"Symbols with fewer than the {wanted} bars of the warm-up: {', '.join(short[:MOST_NAMED])}{rest}."]


def _ends_before(dates: Dates, n_earlier: int, bar_size: BarSize) -> list[int]:
    """The last days, as indexes, of the periods that end within the first `n_earlier` of these dates."""
    return [end for end in period_ends(day_numbers(dates).tolist(), bar_size) if end < n_earlier]
