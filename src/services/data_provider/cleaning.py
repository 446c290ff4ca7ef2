"""Turns a source's rows of one symbol into bars; rows that cannot be bars are reported, never repaired."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

import numpy as np

from src.services.data_provider.arrays import (
    CLOSE,
    HIGH,
    LOW,
    OPEN,
    VOLUME,
    BoolArray,
    Dates,
    Float64Array,
    bars_present,
    window_rows,
)
from src.services.data_provider.base import SuspectBar

PRICE_NAMES = ("open", "high", "low", "close")

ORDER_TOLERANCE = 1e-9
"""Relative. Adjusting prices rounds them, which must not look like a high below the close."""


@dataclass(frozen=True, eq=False)
class SymbolBars:
    """The usable bars of one symbol.

    Attributes:
        dates: (n_days,) datetime64[D], strictly ascending.
        bars: (n_days, 5) float64: open, high, low, close, volume. Every bar is present.
        suspects: rows of the source worth a warning, by day.
        fetched_at: when the source was asked, if known.
        history_end: the last day of the whole history when these bars are only a part of it; None otherwise.
        known_to: the source was asked for bars up to this day, if known.
        dividends: (n_days,) cash per share on the previous day's holdings, where prices are adjusted for splits alone;
            None where they are adjusted for dividends too.
        dividend_factors: (n_days,) adjusted price ÷ price unadjusted for dividends; None if unknown.
    """

    dates: Dates
    bars: Float64Array
    suspects: tuple[SuspectBar, ...] = ()
    fetched_at: datetime | None = None
    history_end: date | None = None
    known_to: date | None = None
    dividends: Float64Array | None = None
    dividend_factors: Float64Array | None = None

    def __post_init__(self) -> None:
        self.dates.flags.writeable = False
        self.bars.flags.writeable = False

    @property
    def size_bytes(self) -> int:
        """Approximate memory use of these bars."""
        beside = [column.nbytes for column in (self.dividends, self.dividend_factors) if column is not None]
        return self.dates.nbytes + self.bars.nbytes + sum(beside) + 200 * len(self.suspects)

    def window(self, start: date, end: date) -> "SymbolBars":
        """The bars and the suspects between start and end, both days included. Shares memory."""
        rows = slice(*window_rows(self.dates, start, end))
        suspects = tuple(suspect for suspect in self.suspects if start <= suspect.day <= end)
        return replace(
            self,
            dates=self.dates[rows],
            bars=self.bars[rows],
            suspects=suspects,
            history_end=self.last_day(),
            dividends=None if self.dividends is None else self.dividends[rows],
            dividend_factors=None if self.dividend_factors is None else self.dividend_factors[rows],
        )

    def last_day(self) -> date | None:
        """The last day of the whole history; None for an empty one."""
        return self.history_end or (self.dates[-1].item() if self.dates.size else None)


def clean(symbol: str, dates: Dates, rows: Float64Array) -> SymbolBars:
    """Clean the rows of one symbol by the rules of `PriceTable`.

    A row with a missing, infinite or non-positive price is left out. Of several usable rows of one
    day the last one counts. An impossible volume becomes unknown (NaN). Prices out of order (a high
    below the low, …) are kept. All four are reported.

    Args:
        dates: (n_rows,) datetime64[D] in any order, no NaT.
        rows: (n_rows, 5) adjusted open, high, low, close, volume.
    """
    days, bars = _by_day(dates, rows)
    present = bars_present(bars)
    suspects = _report(symbol, days, bars, ~present, _say_unusable)
    days, bars = _only(present, days, bars)

    is_last = np.append(days[1:] != days[:-1], True)[: days.size]
    suspects += _report(symbol, days, bars, ~is_last, _say_duplicate)
    days, bars = _only(is_last, days, bars)

    volume = bars[:, VOLUME]
    is_odd = (volume < 0) | np.isinf(volume)
    suspects += _report(symbol, days, bars, is_odd, _say_odd_volume)
    # One unknown and one zero, so that equal prices are equal bytes.
    volume[is_odd | np.isnan(volume)] = np.nan
    volume += 0.0
    suspects += _report(symbol, days, bars, _out_of_order(bars), _say_out_of_order)
    return SymbolBars(days, bars, tuple(sorted(suspects, key=lambda suspect: suspect.day)))


def _by_day(dates: Dates, rows: Float64Array) -> tuple[Dates, Float64Array]:
    """Copies sorted by day; rows of one day keep their order."""
    if (dates[1:] >= dates[:-1]).all():
        return dates.copy(), np.array(rows, dtype=np.float64, order="C")
    order = np.argsort(dates, kind="stable")
    return dates[order], np.ascontiguousarray(rows[order], dtype=np.float64)


def _only(keep: BoolArray, days: Dates, bars: Float64Array) -> tuple[Dates, Float64Array]:
    if keep.all():
        return days, bars  # the usual case: selecting would take longer than all other steps together
    return days[keep], bars[keep]


def _out_of_order(bars: Float64Array) -> BoolArray:
    inside = bars[:, [OPEN, CLOSE]]
    highest = np.maximum(inside.max(axis=1, initial=0.0), bars[:, LOW])
    lowest = np.minimum(inside.min(axis=1, initial=np.inf), bars[:, HIGH])
    is_high_too_low = bars[:, HIGH] < highest * (1 - ORDER_TOLERANCE)
    is_low_too_high = bars[:, LOW] > lowest * (1 + ORDER_TOLERANCE)
    return np.asarray(is_high_too_low | is_low_too_high)


def _report(
    symbol: str, days: Dates, bars: Float64Array, where: BoolArray, say: Callable[[Float64Array], str]
) -> list[SuspectBar]:
    return [SuspectBar(symbol, days[row].item(), say(bars[row])) for row in np.flatnonzero(where)]


def _say_unusable(bar: Float64Array) -> str:
    wrong = [name for name, price in _prices(bar) if not 0 < price < np.inf]
    return f"{_listed(bar, wrong)}: not a price; the day is left out"


def _say_duplicate(bar: Float64Array) -> str:
    return f"a second row for this day; the one with close {bar[CLOSE]:.10g} is left out"


def _say_odd_volume(bar: Float64Array) -> str:
    return f"volume {bar[VOLUME]:.10g} is impossible; treated as unknown"


def _say_out_of_order(bar: Float64Array) -> str:
    return f"{_listed(bar, PRICE_NAMES)} are out of order; kept as they are"


def _listed(bar: Float64Array, names: Sequence[str]) -> str:
    return ", ".join(f"{name} {price:.10g}" for name, price in _prices(bar) if name in names)


def _prices(bar: Float64Array) -> list[tuple[str, float]]:
    return [(name, float(bar[column])) for column, name in enumerate(PRICE_NAMES)]
