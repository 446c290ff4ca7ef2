"""When a strategy is called, and with which bars."""

import math
from array import array
from collections.abc import Sequence
from itertools import groupby

from hqg_algorithms import BarSize

from src.engine.market import FIELDS, Doubles

_EPOCH = 719_163
"""date(1970, 1, 1).toordinal()"""


def decisions(
    days: Sequence[int],
    symbols_count: int,
    bars: Doubles,
    bar_size: BarSize,
    last_period_complete: bool,
) -> dict[int, Doubles]:
    """When on_data is called, and with which bars: at the end of each completed day, week, month or quarter.

    Args:
        days: (n_days,) ascending days since 1970-01-01.
        bars: (n_days × symbols_count × 5) doubles in C order; a NaN close means no bar.
        last_period_complete: False when the window cuts off the last period, which then has no call.

    Returns:
        The period's bars, (symbols_count × 5) doubles, by the timeline index of its last day, ascending.
        Open first, high max, low min, close last, volume sum (of the known volumes); five NaNs for a
        symbol without a bar in the period. Weeks end on Friday.
    """
    width = symbols_count * FIELDS
    if bar_size is BarSize.DAILY:
        return {day: bars[day * width : (day + 1) * width] for day in range(len(days))}
    ends = period_ends(days, bar_size)
    starts = [0, *(end + 1 for end in ends)]
    periods = list(zip(starts, ends, strict=False))  # the last start has no period
    if not last_period_complete:
        periods = periods[:-1]
    return {end: _aggregate(bars[start * width : (end + 1) * width], width) for start, end in periods}


def period_ends(days: Sequence[int], bar_size: BarSize) -> list[int]:
    """The index of the last timeline day of each period, ascending.

    Args:
        days: (n_days,) ascending days since 1970-01-01.
    """
    if bar_size is BarSize.DAILY:
        return list(range(len(days)))
    if bar_size is BarSize.WEEKLY:
        periods = [(day - 2) // 7 for day in days]  # Saturday to Friday: day 2, 1970-01-03, was a Saturday
    else:
        months = _months(days)
        periods = months if bar_size is BarSize.MONTHLY else [month // 3 for month in months]
    return [list(indices)[-1] for _, indices in groupby(range(len(days)), periods.__getitem__)]


def _months(days: Sequence[int]) -> list[int]:
    """The month of each day, counted from January of year 0."""
    from datetime import date  # noqa: PLC0415 - a box that needs no dates starts without them

    moments = (date.fromordinal(_EPOCH + day) for day in days)
    return [moment.year * 12 + moment.month - 1 for moment in moments]


def _aggregate(rows: Doubles, width: int) -> Doubles:
    """One bar per symbol over a period's days."""
    period = array("d")
    for offset in range(0, width, FIELDS):
        opens, highs, lows, closes, volumes = (_known(rows[offset + field :: width]) for field in range(FIELDS))
        if not closes:
            period.extend([math.nan] * FIELDS)
            continue
        volume = math.fsum(volumes) if volumes else math.nan
        period.extend((opens[0], max(highs), min(lows), closes[-1], volume))
    return memoryview(period)


def _known(values: Doubles) -> list[float]:
    return [value for value in values.tolist() if not math.isnan(value)]
