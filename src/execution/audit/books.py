"""The account of a run, rebuilt from prices and audited orders. Every result shown comes from here."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt

Float64Array = npt.NDArray[np.float64]
IndexArray = npt.NDArray[np.signedinteger]
BoolArray = npt.NDArray[np.bool_]

OPEN, HIGH, LOW, CLOSE, VOLUME = range(5)
NO_EXIT, STOP_LOSS, TAKE_PROFIT, TRAILING_STOP = range(4)
"""Why an order was made: by a signal, or by the protective level of that name."""


class Prices(Protocol):
    """The daily bars sent to the box.

    Attributes:
        dates: (n_days,) datetime64[D], ascending.
        symbols: (n_symbols,) names.
        bars: (n_days, n_symbols, 5) open, high, low, close, volume; five NaNs mean no bar.
    """

    @property
    def dates(self) -> npt.NDArray[np.datetime64]: ...
    @property
    def symbols(self) -> Sequence[str]: ...
    @property
    def bars(self) -> Float64Array: ...


@dataclass(frozen=True)
class Days:
    """Some of the bars: see Prices."""

    dates: npt.NDArray[np.datetime64]
    symbols: Sequence[str]
    bars: Float64Array


@dataclass(frozen=True)
class Books:
    """One audited run. Money is in account currency.

    Attributes:
        prices: the bars of the run.
        fills_at_open: True when orders fill at the day's open, False when they fill at its close.
        initial_capital: cash before the first day.
        day: (n_orders,) index into the dates, ascending.
        symbol: (n_orders,) index into the symbols.
        shares: (n_orders,) signed; positive buys, negative sells.
        price: (n_orders,) fill price per share, slippage included.
        fee: (n_orders,) commission.
        is_settlement: (n_orders,) True if the order closed a delisted symbol's position and filled no signal:
            before the day's fills if the symbol has no bar that day, otherwise after its close.
        positions: (n_days, n_symbols) shares after the day's fills and settlements.
        cash: (n_days,) after the day's fills and settlements.
        marks: (n_days, n_symbols) last known close; 0.0 before a symbol's first bar, when nothing is held.
        income: (n_days,) dividends received in cash, before the day's fills; below zero where shorts paid them.
        charges: (n_days,) what shorts and negative cash cost since the day before, paid before the day's fills.
        may_be_short: whether positions may be negative.
        lost: (n_symbols + 1,) for an account whose equity was gone at the last day's close: its cash, then its shares,
            before they became zero; None for one that survived.
        reason: (n_orders,) 0 for an order of a signal or a settlement, else the protective level that caused it: see
            src.execution.audit.exits. None if none did.
        exit_reference: (n_orders,) the price of a protective exit before slippage; NaN for other orders.
        n_ambiguous: number of exits on bars that reached both a stop and a take profit.
    """

    prices: Prices
    fills_at_open: bool
    initial_capital: float
    day: IndexArray
    symbol: IndexArray
    shares: Float64Array
    price: Float64Array
    fee: Float64Array
    is_settlement: BoolArray
    positions: Float64Array
    cash: Float64Array
    marks: Float64Array
    income: Float64Array
    charges: Float64Array
    reason: IndexArray | None = None
    exit_reference: Float64Array | None = None
    n_ambiguous: int = 0
    may_be_short: bool = False
    lost: Float64Array | None = None

    @cached_property
    def is_exit(self) -> BoolArray:
        """(n_orders,) whether a protective level caused the order."""
        return np.zeros(len(self.day), dtype=np.bool_) if self.reason is None else self.reason != 0

    @cached_property
    def shortfall(self) -> float | None:
        """What a ruined account lacked at its last close, at least zero; None for one that survived."""
        if self.lost is None:
            return None
        return max(0.0, -float(self.lost[0] + (self.lost[1:] * self.marks[-1]).sum()))

    @cached_property
    def gross_value(self) -> Float64Array:
        """(n_days,) value of all long and short positions at the day's close, both counted as positive."""
        return value_of(np.abs(self.positions), self.marks) if self.may_be_short else self.position_value

    @cached_property
    def position_value(self) -> Float64Array:
        """(n_days,) value of all positions at the day's close."""
        return value_of(self.positions, self.marks)

    @cached_property
    def equity(self) -> Float64Array:
        """(n_days,) cash plus positions at the day's close."""
        return self.cash + self.position_value

    @cached_property
    def reference_price(self) -> Float64Array:
        """(n_orders,) the price at which each order would fill without slippage: the open or close, or an exit's.

        A settlement has no slippage, so its price is its own reference.
        """
        field = OPEN if self.fills_at_open else CLOSE
        reference = np.where(self.is_settlement, self.price, self.prices.bars[self.day, self.symbol, field])
        return reference if self.exit_reference is None else np.where(self.is_exit, self.exit_reference, reference)

    @cached_property
    def slippage_cost(self) -> Float64Array:
        """(n_orders,) |shares| · |price − reference price|."""
        return np.abs(self.shares) * np.abs(self.price - self.reference_price)

    @cached_property
    def traded_value(self) -> Float64Array:
        """(n_days,) Σ |shares| · price of the day's orders."""
        value = np.abs(self.shares) * self.price
        return np.bincount(self.day, weights=value, minlength=len(self.cash)).astype(np.float64)

    @cached_property
    def candles(self) -> Float64Array:
        """(n_days, 4) the portfolio's open, high, low and close.

        The open values the overnight holdings and their dividends before the day's fills; the close is `equity`.
        High and low value the shares held during the day at each symbol's own high and low; a short is worth most at
        the low. That is the widest possible range, since symbols need not turn at the same time, and below zero only
        where an account was short or leveraged. A symbol without a bar keeps its last close all day. A position that a
        protective exit closed counts up to its price.
        """
        before = np.vstack((np.zeros_like(self.positions[:1]), self.positions[:-1]))
        cash_before = np.concatenate(([self.initial_capital], self.cash[:-1])) + self.income - self.charges
        held, cash = self._during_the_day(before, cash_before)
        opened = cash_before + value_of(before, self._known(OPEN))
        closed = self.equity
        best, worst = self._known(HIGH), self._known(LOW)
        if self.may_be_short:
            best, worst = np.where(held < 0.0, worst, best), np.where(held < 0.0, best, worst)
        high, low = cash + value_of(held, best), cash + value_of(held, worst)
        if self.is_exit.any():
            high, low = high + self._before_exits(np.maximum), low + self._before_exits(np.minimum)
        high, low = np.maximum(high, np.maximum(opened, closed)), np.minimum(low, np.minimum(opened, closed))
        return np.column_stack((opened, high, low, closed))

    def _before_exits(self, furthest: np.ufunc) -> Float64Array:
        """(n_days,) how much more (np.maximum) or less (np.minimum) equity may have been before the day's exits."""
        day, symbol, reference = self.day[self.is_exit], self.symbol[self.is_exit], self.reference_price[self.is_exit]
        held, bars = -self.shares[self.is_exit], self.prices.bars[day, symbol]
        is_profit = self.reason[self.is_exit] == TAKE_PROFIT  # type: ignore[index]
        other = np.where((held > 0.0) == is_profit, bars[:, LOW], bars[:, HIGH])
        other = np.where(reference == bars[:, OPEN], reference, other)
        received = held * self.price[self.is_exit] - self.fee[self.is_exit]
        difference = furthest(0.0, furthest(held * other, held * reference) - received)
        return np.bincount(day, weights=difference, minlength=len(self.cash)).astype(np.float64)

    def _during_the_day(self, before: Float64Array, cash_before: Float64Array) -> tuple[Float64Array, Float64Array]:
        """(n_days, n_symbols) shares and (n_days,) cash between a day's open and its close, after protective exits."""
        if not self.fills_at_open and self.is_exit.any():
            day, shares, before, cash_before = (
                self.day[self.is_exit],
                self.shares[self.is_exit],
                before.copy(),
                cash_before.copy(),
            )
            before[day, self.symbol[self.is_exit]] += shares
            np.subtract.at(cash_before, day, shares * self.price[self.is_exit] + self.fee[self.is_exit])
        positions, cash_after = self.positions, self.cash
        if self.lost is not None:
            positions, cash_after = positions.copy(), cash_after.copy()
            cash_after[-1], positions[-1] = self.lost[0], self.lost[1:]
        if not self.is_settlement.any():
            return (positions, cash_after) if self.fills_at_open else (before, cash_before)
        is_late = np.isfinite(self.prices.bars[self.day, self.symbol, CLOSE])
        if self.fills_at_open:
            undone, sign, held, cash = self.is_settlement & is_late, -1.0, positions, cash_after
        else:
            undone, sign, held, cash = self.is_settlement & ~is_late, 1.0, before, cash_before
        day, shares = self.day[undone], sign * self.shares[undone]
        held, cash = held.copy(), cash.copy()
        held[day, self.symbol[undone]] += shares
        np.subtract.at(cash, day, shares * self.price[undone])
        return held, cash

    def holding_weights(self) -> tuple[IndexArray, Float64Array]:
        """Holdings right after each day's fills, as fractions of equity at the prices of that moment.

        On a day with a protective exit, that moment is the close.

        Returns:
            (n_fill_days,) the days with at least one order, and (n_fill_days, n_symbols) weights;
            all zero once equity is lost.
        """
        days = self.day[np.append(True, self.day[1:] != self.day[:-1])[: len(self.day)]]  # they ascend
        prices = self.known_at_fills()[days]
        if self.fills_at_open and self.is_exit.any():
            has_exit = np.isin(days, self.day[self.is_exit])
            prices = np.where(has_exit[:, np.newaxis], self._known(CLOSE)[days], prices)
        worth = self.positions[days] * prices
        equity = (self.cash[days] + worth.sum(axis=1))[:, np.newaxis]
        return days, np.divide(worth, equity, out=np.zeros_like(worth), where=equity > 0.0)

    def known_at_fills(self) -> Float64Array:
        """(n_days, n_symbols) each symbol's open or close, whichever orders fill at, or its last known close."""
        return self._known(OPEN if self.fills_at_open else CLOSE)

    def _known(self, field: int) -> Float64Array:
        """(n_days, n_symbols) one field of the bars, with the last known close in place of a missing bar."""
        values = self.prices.bars[:, :, field]
        return np.where(np.isfinite(values), values, self.marks)


def last_known_closes(prices: Prices) -> Float64Array:
    """(n_days, n_symbols) each symbol's latest close up to each day; 0.0 before its first."""
    closes = np.ascontiguousarray(prices.bars[:, :, CLOSE])
    known = np.isfinite(closes)
    if known.all():
        return closes
    rows = np.arange(len(closes))[:, np.newaxis]
    latest = np.maximum.accumulate(np.where(known, rows, -1), axis=0)
    carried = np.take_along_axis(closes, np.maximum(latest, 0), axis=0)
    return np.where(latest >= 0, carried, 0.0)


def value_of(shares: Float64Array, prices: Float64Array) -> Float64Array:
    """(n_days,) Σ shares · price over the symbols, for each day."""
    total: Float64Array = (shares * prices).sum(axis=1)
    return total
