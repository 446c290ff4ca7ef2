"""Round trips: each opening fill matched with the fills that close it, first in, first out."""

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from src.utils.return_stats import Float64Array

IndexArray = npt.NDArray[np.integer]

EXITS = ("signal", "stop_loss", "take_profit", "trailing_stop", "end", "delisting", "ruin")
"""Why a round trip ended, by its code. The first four are those of orders. "end": it was still open on the last day."""

SIGNAL, STOP_LOSS, TAKE_PROFIT, TRAILING_STOP, END, DELISTING, RUIN = range(len(EXITS))

NEGLIGIBLE_SHARES = 1e-9
"""Relative to the position: fewer shares than this are rounding, not a round trip."""

BLOCK_CELLS = 1_000_000
"""Limit on days × symbols whose extremes are computed at a time."""

OPEN, HIGH, LOW, CLOSE = range(4)


@dataclass(frozen=True, eq=False)
class RoundTrips:
    """Round trips by exit, each column (n_trips,). Money is in account currency.

    Attributes:
        symbol: index into the universe.
        entry_day, exit_day: index into the dates.
        shares: signed; negative was sold short.
        entry_price, exit_price: fill prices per share, slippage included; the last known close for one still open.
        fees: its part of the commissions of both fills.
        mae, mfe: largest adverse and favourable move from the entry price while held, fractions, mae ≤ 0 ≤ mfe, by the
            highs and lows of the bars. An exit before its bar's close counts with its fill price only.
        mae_close, mfe_close: the same by closes and the exit price.
        reason: index into EXITS.
    """

    symbol: IndexArray
    entry_day: IndexArray
    exit_day: IndexArray
    shares: Float64Array
    entry_price: Float64Array
    exit_price: Float64Array
    fees: Float64Array
    mae: Float64Array
    mfe: Float64Array
    mae_close: Float64Array
    mfe_close: Float64Array
    reason: IndexArray

    def __len__(self) -> int:
        return len(self.symbol)

    @property
    def reasons(self) -> tuple[str, ...]:
        """What `reason` is an index into."""
        return EXITS

    @cached_property
    def pnl(self) -> Float64Array:
        """Profit after fees; dividends and interest are not part of it."""
        profit: Float64Array = self.shares * (self.exit_price - self.entry_price) - self.fees
        return profit

    @cached_property
    def cost(self) -> Float64Array:
        """|shares| · entry price."""
        return np.abs(self.shares) * self.entry_price

    @cached_property
    def returns(self) -> Float64Array:
        """pnl ÷ cost, fractions; NaN where shares were sold short for nothing."""
        ratio: Float64Array = np.divide(self.pnl, self.cost, out=np.full(len(self), np.nan), where=self.cost > 0.0)
        return ratio

    @property
    def bars_held(self) -> IndexArray:
        """Days of the timeline from entry to exit."""
        return self.exit_day - self.entry_day

    @property
    def is_closed(self) -> npt.NDArray[np.bool_]:
        """False where it was still open on the last day."""
        is_closed: npt.NDArray[np.bool_] = self.reason != END
        return is_closed

    def chosen(self, rows: npt.NDArray[Any] | slice) -> "RoundTrips":
        """Some of them."""
        return RoundTrips(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


@dataclass(frozen=True, eq=False)
class Fills:
    """Orders in order of filling, each column (n_orders,).

    Attributes:
        shares: signed; positive buys, negative sells.
        price: per share, slippage included.
        reason: index into EXITS.
    """

    day: IndexArray
    symbol: IndexArray
    shares: Float64Array
    price: Float64Array
    fee: Float64Array
    reason: IndexArray


@np.errstate(all="ignore")  # a short sale at a price of zero has no return
def round_trips(fills: Fills, bars: Float64Array, marks: Float64Array, *, fills_at_open: bool) -> RoundTrips:
    """Match every closing fill with the oldest shares that are still open, in both directions.

    A fill that turns a long position into a short one, or the reverse, closes the first and opens the second; its fee
    is split by shares. Shares still open on the last day get an exit at the last known close, without a fee.

    Args:
        bars: (n_days, n_symbols, 5) open, high, low, close, volume; NaN without a bar.
        marks: (n_days, n_symbols) last known closes.
        fills_at_open: whether signals fill at the open of a day rather than at its close.
    """
    fills = _closed_at_the_end(fills, marks)
    entry, leaving, shares = _matched(fills)
    symbol, entry_day, exit_day, reason = (
        fills.symbol[entry],
        fills.day[entry],
        fills.day[leaving],
        fills.reason[leaving],
    )
    is_within_bar = np.isin(reason, (STOP_LOSS, TAKE_PROFIT, TRAILING_STOP)) | (fills_at_open & (reason == SIGNAL))
    low, low_close, high, high_close = _extremes(
        bars, symbol, entry_day + (not fills_at_open), exit_day - is_within_bar
    )
    prices, is_long = (fills.price[entry], fills.price[leaving]), fills.shares[entry] > 0.0
    mae, mfe = _excursions(low, high, *prices, is_long)
    mae_close, mfe_close = _excursions(low_close, high_close, *prices, is_long)
    fee_per_share = fills.fee / np.abs(fills.shares)
    return RoundTrips(
        symbol=symbol.astype(np.int32),
        entry_day=entry_day.astype(np.int32),
        exit_day=exit_day.astype(np.int32),
        shares=np.where(is_long, shares, -shares),
        entry_price=prices[0],
        exit_price=prices[1],
        fees=(fee_per_share[entry] + fee_per_share[leaving]) * shares,
        mae=mae,
        mfe=mfe,
        mae_close=mae_close,
        mfe_close=mfe_close,
        reason=reason.astype(np.int8),
    )


def _closed_at_the_end(fills: Fills, marks: Float64Array) -> Fills:
    """The fills, and one more for each position still open that closes it at the last known close."""
    n_symbols = marks.shape[1]
    held = np.bincount(fills.symbol, weights=fills.shares, minlength=n_symbols)
    largest = np.zeros(n_symbols)
    np.maximum.at(largest, fills.symbol, np.abs(fills.shares))
    still = np.flatnonzero(np.abs(held) > 0.5 * NEGLIGIBLE_SHARES * largest)
    last = np.full(len(still), len(marks) - 1)
    return Fills(
        day=np.concatenate((fills.day, last)),
        symbol=np.concatenate((fills.symbol, still)),
        shares=np.concatenate((fills.shares, -held[still])),
        price=np.concatenate((fills.price, marks[-1, still])),
        fee=np.concatenate((fills.fee, np.zeros(len(still)))),
        reason=np.concatenate((fills.reason, np.full(len(still), END))),
    )


def _matched(fills: Fills) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], Float64Array]:
    """Opening fill, closing fill and shares of each round trip, by exit.

    Every position has the length one on two axes: its opening fills lie on the first, its closing fills on the second.
    Between two neighbouring ends on either axis lie shares of exactly one opening and one closing fill.
    """
    rows = np.argsort(fills.symbol, kind="stable")
    opened, closed, position = _positions(fills.shares[rows], fills.symbol[rows])
    opening, closing = np.flatnonzero(opened), np.flatnonzero(closed)
    # A fill that changes the direction closes the position before the one that it opens.
    opens, closes = position[opening], position[closing] - (opened[closing] > 0.0)
    size = np.bincount(opens, weights=opened[opening])
    ends = np.concatenate((_ends(opened[opening], opens), _ends(closed[closing], closes)))
    owner = np.concatenate((opens, closes))
    along = np.lexsort((ends, owner))
    ends, owner, is_opening = ends[along], owner[along], along < len(opening)
    lengths = np.diff(ends, prepend=0.0) + _is_first(owner) * np.concatenate(([0.0], ends))[:-1]
    kept = np.flatnonzero(lengths > NEGLIGIBLE_SHARES)
    entry = opening[(np.cumsum(is_opening) - is_opening)[kept]]
    leaving = closing[(np.cumsum(~is_opening) - ~is_opening)[kept]]
    shares = lengths[kept] * size[position[entry]]
    for whole in (opened[entry], closed[leaving]):
        shares = np.where(np.abs(shares - whole) <= NEGLIGIBLE_SHARES * whole, whole, shares)
    by_exit = np.lexsort((rows[entry], rows[leaving]))
    return rows[entry][by_exit], rows[leaving][by_exit], shares[by_exit]


def _ends(amounts: Float64Array, position: npt.NDArray[np.intp]) -> Float64Array:
    """Where each fill ends on the axis of its position, which has the length one."""
    lengths = amounts / np.bincount(position, weights=amounts)[position]
    # Each position takes the length of the one before it back, so that rounding does not grow with their number.
    lengths[1:] -= np.diff(position) != 0
    return np.cumsum(lengths)


def _is_first(values: npt.NDArray[np.integer]) -> npt.NDArray[np.bool_]:
    """Whether each differs from the one before it."""
    is_first: npt.NDArray[np.bool_] = np.diff(values, prepend=-1) != 0
    return is_first


def _positions(shares: Float64Array, symbol: IndexArray) -> tuple[Float64Array, Float64Array, npt.NDArray[np.intp]]:
    """Shares that each fill opens and closes, and the number of the position that it leaves behind.

    Args:
        symbol: grouped. Each group ends flat.
    """
    after = np.empty_like(shares)
    edges = np.flatnonzero(np.diff(symbol, prepend=-1, append=-1))
    for first, stop in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        # Added up one by one, as the account does: a position that was closed is exactly zero.
        held = np.cumsum(shares[first:stop])
        after[first:stop] = np.where(np.abs(held) > NEGLIGIBLE_SHARES * np.abs(held).max(), held, 0.0)
    before = np.concatenate(([0.0], after[:-1]))[: len(after)]
    size, closes = np.abs(shares), np.sign(before) * np.sign(shares) < 0.0
    closed = np.where(closes, np.where(after == 0.0, size, np.minimum(size, np.abs(before))), 0.0)
    opened = np.where(after == 0.0, 0.0, size - closed)
    return opened, closed, np.cumsum((opened > 0.0) & (closes | (before == 0.0))) - 1


def _extremes(
    bars: Float64Array, symbol: IndexArray, first: IndexArray, last: IndexArray
) -> tuple[Float64Array, Float64Array, Float64Array, Float64Array]:
    """Lowest low and close, highest high and close of one symbol over some days, each (n_ranges,).

    Args:
        first, last: the days, inclusive.

    Returns:
        Infinite, above for the lowest and below for the highest, where there is no bar.
    """
    found = np.full((4, len(symbol)), np.inf)
    n_block = max(1, BLOCK_CELLS // len(bars))
    for start in range(0, bars.shape[1], n_block):
        rows = np.flatnonzero((symbol >= start) & (symbol < start + n_block) & (last >= first))
        if not rows.size:
            continue
        block = bars[:, start : start + n_block]
        lows = np.stack([block[..., LOW], block[..., CLOSE], -block[..., HIGH], -block[..., CLOSE]])
        lows[np.isnan(lows)] = np.inf
        found[:, rows] = _lowest(lows, symbol[rows] - start, first[rows], last[rows])
    return found[0], found[1], -found[2], -found[3]


def _lowest(values: Float64Array, column: IndexArray, first: IndexArray, last: IndexArray) -> Float64Array:
    """The lowest of each of four kinds over ranges of days, (4, n_ranges).

    Two overlapping stretches whose length is a power of two cover any range, so the work does not grow with the
    lengths of the ranges.

    Args:
        values: (4, n_days, n_columns).
    """
    found = np.empty((4, len(column)))
    powers = np.frexp(last - first + 1)[1] - 1
    for power in range(int(powers.max(initial=-1)) + 1):
        rows = np.flatnonzero(powers == power)
        stops = last[rows] - (1 << power) + 1
        found[:, rows] = np.minimum(values[:, first[rows], column[rows]], values[:, stops, column[rows]])
        step = 1 << power
        values = np.minimum(values[:, :-step], values[:, step:]) if step < values.shape[1] else values
    return found


def _excursions(
    low: Float64Array, high: Float64Array, entry: Float64Array, leaving: Float64Array, is_long: npt.NDArray[np.bool_]
) -> tuple[Float64Array, Float64Array]:
    """Largest adverse (at most 0) and favourable (at least 0) move from the entry price, as fractions of it."""
    fell, rose = np.minimum(low, leaving) - entry, np.maximum(high, leaving) - entry
    adverse, favourable = np.where(is_long, fell, -rose), np.where(is_long, rose, -fell)
    return np.minimum(adverse, 0.0) / entry, np.maximum(favourable, 0.0) / entry
