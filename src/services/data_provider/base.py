"""The port through which prices come in, and the table every provider fills."""

import hashlib
import json
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any, Protocol

import numpy as np

from src.services.data_provider.arrays import (
    CLOSE,
    HIGH,
    LOW,
    OPEN,
    VOLUME,
    Dates,
    Float64Array,
    check_bars,
    check_dividends,
    check_frame,
    day_numbers,
    window_rows,
)
from src.utils.deadline import NO_DEADLINE, Deadline
from src.utils.price_adjustment import FULL, PriceAdjustment
from src.utils.trading_year import trades_on_weekends

HASHED_ROWS = 1024
"""Days hashed at a time, so that hashing needs no second copy of a large table."""


@dataclass(frozen=True, slots=True)
class SuspectBar:
    """A faulty row of the source.

    Attributes:
        symbol: the row's symbol.
        day: the row's day in the source.
        what: a clause that says what is wrong and how the row was treated.
    """

    symbol: str
    day: date
    what: str

    def __str__(self) -> str:
        return f"{self.symbol} on {self.day}: {self.what}."


@dataclass(frozen=True, slots=True)
class SymbolOrigin:
    """The origin of one symbol's bars in a table.

    Attributes:
        symbol: the bars' symbol.
        first_day: the day of its first bar in the table.
        last_day: the day of its last bar.
        rows: number of its bars in the table.
        fetched_at: when they were fetched from the source, with a time zone; None if unknown.
    """

    symbol: str
    first_day: date
    last_day: date
    rows: int
    fetched_at: datetime | None

    def as_json(self) -> dict[str, Any]:
        """As plain values: ISO dates, the time in UTC."""
        moment = self.fetched_at and self.fetched_at.astimezone(UTC).isoformat(timespec="seconds")
        return {
            "symbol": self.symbol,
            "first_day": self.first_day.isoformat(),
            "last_day": self.last_day.isoformat(),
            "rows": self.rows,
            "fetched_at": moment and moment.replace("+00:00", "Z"),
        }


@dataclass(frozen=True, eq=False)
class PriceTable:
    """Adjusted daily bars of several symbols over one window.

    A bar is present when its open, high, low and close are all finite and above zero; otherwise all
    five of its values are NaN. A present bar may have a NaN volume (the source gave none).
    The table takes over its arrays: they become read-only.

    Attributes:
        dates: (n_days,) datetime64[D], strictly ascending; the union of the days on which any symbol
            has a bar.
        symbols: (n_symbols,) in the order requested.
        bars: (n_days, n_symbols, 5) float64, C-contiguous: open, high, low, close (account currency
            per share, split and dividend adjusted), volume (shares).
        suspects: rows of the source worth a warning; not part of `data_hash`.
        fetched_at: when the source was asked, by symbol, where known; not part of `data_hash`.
        history_ends: the day of the source's last bar of each symbol, in the window or after it; not part of
            `data_hash`.
        known_to: the day up to which the source was asked for bars of each symbol, where known; not part of
            `data_hash`.
        dividends: (n_days, n_symbols) cash per share on the ex-date, paid on the previous day's holdings, where prices
            are adjusted for splits alone; None where they are adjusted for dividends too.
        dividend_factors: the smallest ratio of adjusted price to price unadjusted for dividends, by symbol, where
            known; not part of `data_hash`.

    Raises:
        ValueError: the arrays break one of these rules.
    """

    dates: Dates
    symbols: tuple[str, ...]
    bars: Float64Array
    suspects: tuple[SuspectBar, ...] = ()
    fetched_at: Mapping[str, datetime] = field(default_factory=dict)
    history_ends: Mapping[str, date] = field(default_factory=dict)
    known_to: Mapping[str, date] = field(default_factory=dict)
    dividends: Float64Array | None = None
    dividend_factors: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_frame(self.dates, self.symbols, self.bars)
        check_bars(self.bars)
        if self.dividends is not None:
            check_dividends(self.dividends, self.bars)
            self.dividends.flags.writeable = False
        self.dates.flags.writeable = False
        self.bars.flags.writeable = False

    @property
    def open(self) -> Float64Array:
        """(n_days, n_symbols) view of the opening prices."""
        return self.bars[:, :, OPEN]

    @property
    def high(self) -> Float64Array:
        """(n_days, n_symbols) view of the highest prices of the day."""
        return self.bars[:, :, HIGH]

    @property
    def low(self) -> Float64Array:
        """(n_days, n_symbols) view of the lowest prices of the day."""
        return self.bars[:, :, LOW]

    @property
    def close(self) -> Float64Array:
        """(n_days, n_symbols) view of the closing prices; NaN exactly where there is no bar."""
        return self.bars[:, :, CLOSE]

    @property
    def volume(self) -> Float64Array:
        """(n_days, n_symbols) view of the shares traded; NaN where there is no bar or no volume."""
        return self.bars[:, :, VOLUME]

    def has_weekend_days(self) -> bool:
        """Whether the timeline traded on weekends in its last year, by the rule of `trades_on_weekends`."""
        if not self.dates.size:
            return False
        return trades_on_weekends(self.dates[self.dates > self.dates[-1] - np.timedelta64(365, "D")])

    @property
    def origins(self) -> tuple[SymbolOrigin, ...]:
        """The origin of each symbol's bars; symbols without a bar are left out."""
        has_bar = ~np.isnan(self.close)
        origins = []
        for column, symbol in enumerate(self.symbols):
            days = self.dates[has_bar[:, column]]
            if days.size:
                first, last = days[0].item(), days[-1].item()
                origins.append(SymbolOrigin(symbol, first, last, days.size, self.fetched_at.get(symbol)))
        return tuple(origins)

    def window(self, start: date, end: date) -> "PriceTable":
        """The part between start and end, both days included; possibly empty. Shares memory."""
        rows = slice(*window_rows(self.dates, start, end))
        suspects = tuple(suspect for suspect in self.suspects if start <= suspect.day <= end)
        dividends = None if self.dividends is None else self.dividends[rows]
        return replace(self, dates=self.dates[rows], bars=self.bars[rows], suspects=suspects, dividends=dividends)

    def data_hash(self) -> str:
        """SHA-256 over symbols, dates and bars: 64 hexadecimal digits.

        The same data has the same hash on every machine: little-endian bytes, one NaN, one zero.
        """
        header = {"table": 1, "symbols": self.symbols, "n_days": self.dates.size}
        digest = hashlib.sha256(json.dumps(header, sort_keys=True).encode())
        digest.update(day_numbers(self.dates).astype("<i8").tobytes())
        for first in range(0, self.dates.size, HASHED_ROWS):
            rows = self.bars[first : first + HASHED_ROWS]
            # Adding 0.0 turns negative zero into positive zero.
            digest.update(np.where(np.isnan(rows), np.nan, rows + 0.0).astype("<f8").tobytes())
        if self.dividends is not None:
            digest.update(b"dividends" + (self.dividends + 0.0).astype("<f8").tobytes())
        return digest.hexdigest()

    def warnings(self, limit: int = 20) -> list[str]:
        """The suspect bars as sentences: the first `limit`, then one that counts the rest by symbol."""
        sentences = [str(suspect) for suspect in self.suspects[:limit]]
        rest = Counter(suspect.symbol for suspect in self.suspects[limit:])
        if rest:
            counts = ", ".join(f"{symbol} {count}" for symbol, count in rest.most_common(limit))
            sentences.append(f"{rest.total()} more suspect bars: {counts}{' …' if len(rest) > limit else ''}.")
        return sentences


@dataclass(frozen=True, eq=False)
class Yields:
    """The closing values of a yield index over one window.

    Attributes:
        dates: (n_days,) datetime64[D], strictly ascending.
        percent: (n_days,) percent per year, all finite; may be zero or negative.
    """

    dates: Dates
    percent: Float64Array

    @property
    def size_bytes(self) -> int:
        """Approximate memory use."""
        return self.dates.nbytes + self.percent.nbytes


class DataProvider(Protocol):
    """A source of daily prices. Implementations are thread-safe."""

    name: str
    """Short name for provenance: "mock", "files", "yahoo"."""

    is_synthetic: bool
    """True when the prices are made up; the answer then says so in its warnings."""

    def fetch(
        self,
        symbols: Sequence[str],
        start: date,
        end: date,
        deadline: Deadline = NO_DEADLINE,
        adjustment: PriceAdjustment = FULL,
    ) -> PriceTable:
        """The bars of `symbols` between start and end, both days included.

        Every symbol has at least one bar in the table. A symbol's bars depend neither on the window nor on
        the other symbols requested.

        Args:
            symbols: upper-case, unique, at least one, already checked against the ticker pattern.
            deadline: how long to wait for a slow source.
            adjustment: how prices are adjusted; with "splits" the table has dividends.

        Raises:
            NoPrices: a symbol is unknown, has no bar in the window, or none with that adjustment (names all such
                symbols at once).
            PriceSourceUnavailable: the source failed.
            RunTimedOut, RunCancelled: the deadline has passed.
        """
        ...

    def fetch_yields(self, symbol: str, start: date, end: date, deadline: Deadline = NO_DEADLINE) -> Yields:
        """The daily closing values of a yield index such as ^IRX between start and end, at least one.

        A yield is not a price: it may be zero or negative, so it does not go through `fetch`.

        Raises:
            NoPrices, PriceSourceUnavailable, RunTimedOut, RunCancelled: as `fetch`.
        """
        ...

    def version(self, symbol: str, end: date) -> Hashable | None:
        """A value that differs once `fetch` or `fetch_yields` may return something else for a window ending on `end`.

        Takes microseconds. None if only the source can tell, such as for a symbol that it did not know.
        """
        ...
