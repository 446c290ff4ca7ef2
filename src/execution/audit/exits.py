"""The protective exits that a run should have had, recomputed from its prices, its signals' orders and its levels.

The box states its levels: which ones its strategy asked for cannot be known here. Everything else follows from them.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from src.execution.audit.books import (
    CLOSE,
    HIGH,
    LOW,
    NO_EXIT,
    OPEN,
    STOP_LOSS,
    TAKE_PROFIT,
    TRAILING_STOP,
    BoolArray,
    Float64Array,
    IndexArray,
    Prices,
)


@dataclass(frozen=True)
class Levels:
    """Changes of protective levels, by day of the signal and symbol; a level of 0.0 is none.

    Attributes:
        day, symbol: (n_changes,) indexes.
        stop_loss, take_profit, trailing_stop: (n_changes,) fractions.
    """

    day: IndexArray
    symbol: IndexArray
    stop_loss: Float64Array
    take_profit: Float64Array
    trailing_stop: Float64Array

    def problem(self, n_days: int, n_symbols: int, first_signal_day: int) -> str | None:
        """What is wrong with their form, as a clause; None if nothing is."""
        place = self.day.astype(np.int64) * n_symbols + self.symbol
        stops, gains = np.concatenate((self.stop_loss, self.trailing_stop)), self.take_profit
        if not ((self.day >= first_signal_day) & (self.day < n_days)).all():
            return "a protective level on a day without a signal"
        if not ((self.symbol >= 0) & (self.symbol < n_symbols)).all():
            return "a protective level of an unknown symbol"
        if not (place[1:] > place[:-1]).all():
            return "protective levels are not in order (day, universe)"
        if not ((stops >= 0.0) & (stops < 1.0)).all() or not ((gains >= 0.0) & (gains < np.inf)).all():
            return "a protective level out of range"
        return None


_NO_DAYS, _NO_FRACTIONS = np.zeros(0, dtype=np.int32), np.zeros(0)
NO_LEVELS = Levels(_NO_DAYS, _NO_DAYS, _NO_FRACTIONS, _NO_FRACTIONS, _NO_FRACTIONS)


@dataclass(frozen=True)
class DueExits:
    """The exits that follow from a claim's orders and levels, and how each order stands to them.

    Attributes:
        held: (n_orders,) shares before each order.
        reason: (n_days, n_symbols) the level that the bar reaches, NO_EXIT for none.
        reference: (n_days, n_symbols) the price at which it closes the position, before slippage; NaN for none.
        shares: (n_days, n_symbols) the position before that.
        is_ambiguous: (n_days, n_symbols) the bar reached a stop and a take profit after its open.
    """

    held: Float64Array
    reason: npt.NDArray[np.int8]
    reference: Float64Array
    shares: Float64Array
    is_ambiguous: BoolArray


def due_exits(
    day: IndexArray,
    symbol: IndexArray,
    shares: Float64Array,
    price: Float64Array,
    is_exit: BoolArray,
    levels: Levels,
    prices: Prices,
    fills_at_open: bool,
) -> DueExits:
    """Recompute every exit.

    Args:
        day, symbol, shares, price, is_exit: (n_orders,) the claimed orders in order of filling.
    """
    n_days, n_symbols = prices.bars.shape[:2]
    due = DueExits(
        held=np.zeros(len(day)),
        reason=np.zeros((n_days, n_symbols), dtype=np.int8),
        reference=np.full((n_days, n_symbols), np.nan),
        shares=np.zeros((n_days, n_symbols)),
        is_ambiguous=np.zeros((n_days, n_symbols), dtype=np.bool_),
    )
    # An order at the open precedes the check of its bar; any other is seen from the next bar on.
    counts_from = day + np.where(is_exit, 1, 0 if fills_at_open else 1)
    by_symbol = np.argsort(symbol, kind="stable")
    for index, own in enumerate(np.split(by_symbol, np.searchsorted(symbol[by_symbol], np.arange(1, n_symbols)))):
        position = _Position(shares[own], price[own], counts_from[own], n_days)
        due.held[own] = position.before
        own_levels = levels.symbol == index
        if own_levels.any():
            due.shares[:, index] = position.shares
            _check(due, index, position, _daily(levels, own_levels, n_days), prices.bars[:, index])
    return due


class _Position:
    """One symbol's position as each bar's check finds it.

    Attributes:
        before: (n_orders,) shares before each order.
        shares: (n_days,) shares held.
        cost: (n_days,) their average fill price; 0.0 without any.
        counted_from: (n_days,) the first bar whose extremes belong to the position.
    """

    def __init__(self, shares: Float64Array, price: Float64Array, counts_from: IndexArray, n_days: int) -> None:
        held = cost = 0.0
        start = 0
        helds, costs, starts = [0.0], [0.0], [0]
        # A plain loop, because each average depends on all orders before it.
        for change, at, day in zip(shares.tolist(), price.tolist(), counts_from.tolist(), strict=True):
            after = held + change
            if held * after <= 0.0:
                cost, start = at, day
            elif abs(after) > abs(held):
                cost = (held * cost + change * at) / after
            held = after
            helds.append(held)
            costs.append(cost)
            starts.append(start)
        latest = np.searchsorted(counts_from, np.arange(n_days), side="right")
        after_orders = np.array(helds)
        self.before, self.shares, self.cost = after_orders[:-1], after_orders[latest], np.array(costs)[latest]
        self.counted_from: IndexArray = np.array(starts)[latest]

    def best_prices(self, highs: Float64Array, lows: Float64Array) -> Float64Array:
        """(n_days,) the best of the average cost and of the earlier bars of the same position."""
        best: Float64Array = self.cost.copy()
        changes = np.flatnonzero(np.diff(self.counted_from, prepend=-1)).tolist()
        for first, end in zip(changes, [*changes[1:], len(best)], strict=True):
            start = int(self.counted_from[first])
            if start < end - 1 and self.shares[first] != 0.0:
                is_long = self.shares[first] > 0.0
                extremes = (np.fmax if is_long else np.fmin).accumulate((highs if is_long else lows)[start : end - 1])
                days = slice(start + 1, end)
                best[days] = (np.fmax if is_long else np.fmin)(best[days], extremes)
        return best


def _daily(levels: Levels, own: BoolArray, n_days: int) -> Float64Array:
    """(3, n_days) one symbol's stop loss, take profit and trailing stop for the check of each bar."""
    columns = np.array([column[own] for column in (levels.stop_loss, levels.take_profit, levels.trailing_stop)])
    latest = np.searchsorted(levels.day[own], np.arange(n_days), side="left")
    daily: Float64Array = np.concatenate((np.zeros((3, 1)), columns), axis=1)[:, latest]
    return daily


def _check(due: DueExits, symbol: int, position: _Position, levels: Float64Array, bars: Float64Array) -> None:
    """Enter the exits of one symbol. Prices are compared times the side, so that a fall is always a loss."""
    loss, gain, trail = levels
    side = np.sign(position.shares)
    opens, highs, lows = side * bars[:, OPEN], bars[:, HIGH], bars[:, LOW]
    worst, best = np.minimum(side * highs, side * lows), np.maximum(side * highs, side * lows)
    stop_loss = np.where(loss > 0.0, side * position.cost * (1.0 - side * loss), -np.inf)
    peaks = position.best_prices(highs, lows)
    trailing = np.where(trail > 0.0, side * peaks * (1.0 - side * trail), -np.inf)
    stop = np.maximum(stop_loss, trailing)
    target = np.where(gain > 0.0, side * position.cost * (1.0 + side * gain), np.inf)
    can_exit = (side != 0.0) & np.isfinite(bars[:, CLOSE])
    is_stop, is_target = (
        can_exit & ((opens <= stop) | (worst <= stop)),
        can_exit & ((opens >= target) | (best >= target)),
    )
    at_open = (opens <= stop) | (opens >= target)
    takes = is_target & ~((opens <= stop) | (~at_open & is_stop))
    due.reason[:, symbol] = np.where(
        takes, TAKE_PROFIT, np.where(is_stop, np.where(trailing > stop_loss, TRAILING_STOP, STOP_LOSS), NO_EXIT)
    )
    reference = side * np.where(at_open, opens, np.where(takes, target, stop))
    due.reference[:, symbol] = np.where(is_stop | is_target, reference, np.nan)
    due.is_ambiguous[:, symbol] = is_stop & is_target & ~at_open
