"""A source's raw data about one symbol: prices, dividends, splits."""

from dataclasses import dataclass
from datetime import date
from typing import Protocol

import numpy as np

from src.services.data_provider.arrays import CLOSE, HIGH, LOW, OPEN, VOLUME, BoolArray, Dates, Float64Array
from src.services.data_provider.base import SuspectBar
from src.services.data_provider.trading_hours import TradingHours
from src.utils.deadline import NO_DEADLINE, Deadline

COLUMNS = ("open", "high", "low", "close", "adj_close", "volume", "dividend", "split", "capital_gain")
ADJ_CLOSE, RAW_VOLUME, DIVIDEND, SPLIT, CAPITAL_GAIN = range(4, 9)
"""Positions of the columns after the four prices in `History.rows`."""

OVERLAP_ROWS = 20
"""Known days requested again with every tail: about a month, the time in which late corrections come."""

SAME = 1e-6
"""Relative. Sources round prices to seven digits; a larger difference is a changed price."""

MISSING_DAYS_FRACTION = 0.01
"""A whole history that lacks more than this fraction of the days known before is incomplete."""


@dataclass(frozen=True, eq=False)
class History:
    """A source's data about one symbol, complete or only its last days.

    Attributes:
        symbol: the history's symbol.
        dates: (n_days,) datetime64[D], strictly ascending.
        rows: (n_days, 9) float64 in the order of COLUMNS: raw prices and volume, the close adjusted for
            splits and dividends, and that day's dividend, split ratio and capital gain (0 for none).
            NaN where the source has no value.
        market: when the symbol trades.
        first_trade_day: the first day of trading according to the source; None if it gives none.
        notes: oddities of the answer that do not show in the rows.
    """

    symbol: str
    dates: Dates
    rows: Float64Array
    market: TradingHours
    first_trade_day: date | None = None
    notes: tuple[SuspectBar, ...] = ()

    def __post_init__(self) -> None:
        if self.rows.shape != (self.dates.size, len(COLUMNS)) or self.rows.dtype != np.float64:
            raise ValueError(f"rows must be float64 of shape ({self.dates.size}, {len(COLUMNS)})")
        if self.dates.dtype != np.dtype("datetime64[D]") or not (np.diff(self.dates.astype(np.int64)) > 0).all():
            raise ValueError("dates must be strictly ascending datetime64[D]")

    def adjusted(self) -> Float64Array:
        """(n_days, 5) open, high, low, close, volume with prices adjusted for splits and dividends."""
        bars = np.empty((self.dates.size, 5))
        with np.errstate(all="ignore"):  # a close of zero leaves a row that cleaning reports
            factor = self.rows[:, ADJ_CLOSE] / self.rows[:, CLOSE]
            for column in range(OPEN, CLOSE):
                bars[:, column] = self.rows[:, column] * factor
        bars[:, CLOSE] = self.rows[:, ADJ_CLOSE]
        bars[:, VOLUME] = self.rows[:, RAW_VOLUME]
        return bars

    def split_adjusted(self) -> Float64Array:
        """(n_days, 5) open, high, low, close, volume with prices adjusted for splits alone."""
        return self.rows[:, [OPEN, HIGH, LOW, CLOSE, RAW_VOLUME]]

    def overlap_start(self) -> date:
        """First day to request for a tail of this history, which must have a row."""
        day: date = self.dates[-min(OVERLAP_ROWS, self.dates.size)].item()
        return day

    def last_priced_day(self) -> date:
        """The last day with a close: a source may list a day before it has prices. Needs at least one row."""
        priced = np.flatnonzero(~np.isnan(self.rows[:, CLOSE]))
        day: date = self.dates[priced[-1] if priced.size else 0].item()
        return day

    def since(self, start: date) -> "History":
        """The rows from `start` on."""
        keep = self.dates >= np.datetime64(start, "D")
        return self._with(self.dates[keep], self.rows[keep])

    def until(self, end: date) -> "History":
        """The rows up to and including `end`."""
        keep = self.dates <= np.datetime64(end, "D")
        return self._with(self.dates[keep], self.rows[keep])

    def _with(self, dates: Dates, rows: Float64Array) -> "History":
        notes = tuple(note for note in self.notes if dates.size and dates[0].item() <= note.day <= dates[-1].item())
        return History(self.symbol, dates, rows, self.market, self.first_trade_day, notes)


class HistorySource(Protocol):
    """A source of whole histories. Implementations are thread-safe."""

    name: str
    """Short name for provenance."""

    is_synthetic: bool
    """See `DataProvider.is_synthetic`."""

    def history(self, symbol: str, start: date | None = None, deadline: Deadline = NO_DEADLINE) -> History:
        """All finished days of a symbol, or those from `start` on; without rows if there are none.

        Raises:
            NoPrices: the source does not know the symbol.
            PriceSourceUnavailable: it failed; names the symbol.
            RunTimedOut, RunCancelled: the deadline has passed.
        """
        ...

    def prepare(self) -> None:
        """Prepare for the first request; may take seconds, never fails."""
        ...


def extended(known: History, tail: History) -> History | None:
    """A known history with its new days, or None when the two do not fit together.

    They do not fit when a common day differs, when a known day is missing, or when the new days contain a
    dividend or a split, which restates earlier prices.

    Args:
        known: has at least one row.
        tail: the source's current rows from `known.overlap_start()` on.
    """
    again = known.since(known.overlap_start())
    is_known = np.isin(tail.dates, again.dates)
    if tail.rows[~is_known][:, DIVIDEND:].any() or int(is_known.sum()) < again.dates.size:
        return None
    if not _agree(again.rows, tail.rows[is_known]).all():
        return None
    before = known.dates < again.dates[0]
    notes = tuple(note for note in known.notes if note.day < again.dates[0].item()) + tail.notes
    return History(
        known.symbol,
        np.concatenate([known.dates[before], tail.dates]),
        np.concatenate([known.rows[before], tail.rows]),
        tail.market,
        tail.first_trade_day or known.first_trade_day,
        notes,
    )


def is_cut_short(whole: History, known: History) -> bool:
    """Whether an answer that should be whole lacks days known before, and so must be rejected."""
    if whole.dates.size == 0 or whole.dates[0] > known.dates[0] or whole.dates[-1] < known.dates[-1]:
        return True
    n_missing = int(known.dates.size - np.isin(known.dates, whole.dates).sum())
    return n_missing > MISSING_DAYS_FRACTION * known.dates.size


def _agree(before: Float64Array, now: Float64Array) -> BoolArray:
    """(n_days,) whether prices, adjustment and events are the same; volumes are usually corrected later."""
    columns = [column for column in range(len(COLUMNS)) if column != RAW_VOLUME]
    close = np.isclose(before[:, columns], now[:, columns], rtol=SAME, atol=0.0, equal_nan=True)
    return np.asarray(close.all(axis=1))
