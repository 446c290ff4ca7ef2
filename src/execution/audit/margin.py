"""The audit of an account that may be short or leveraged: charges, gross exposure and ruin."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from src.execution.audit.books import CLOSE, Books, BoolArray, Days, Float64Array, value_of

_GROWTH = 2e-9
"""Growth of a position, as a fraction of it, up to which an order may count as one that does not increase it; twice
what the engine takes for rounding."""

_DAYS_PER_YEAR = 365


def short_value(positions: Float64Array, marks: Float64Array) -> Float64Array:
    """(n_days,) value of the short positions at each close, at least zero."""
    return value_of(np.maximum(-positions, 0.0), marks)


def charges(
    cash: Float64Array,
    short: Float64Array,
    dates: npt.NDArray[np.datetime64],
    borrow_rate: float,
    margin_rate: float,
) -> Float64Array:
    """What an account pays before each day's first fill, for the calendar days since the day before.

    Args:
        cash: (n_days,) at the day's close, without any charge.
        short: (n_days,) value of the short positions at the day's close.
        borrow_rate, margin_rate: yearly fractions, of the shorts and of negative cash.

    Returns:
        (n_days,) account currency, at least zero; zero on the first day.
    """
    years = np.diff(dates.astype("datetime64[D]").astype(np.int64)) / _DAYS_PER_YEAR
    borrowed: Float64Array = np.concatenate(([0.0], borrow_rate * short[:-1] * years))
    if not margin_rate:
        return borrowed
    paid, due = 0.0, []
    rows = zip(np.concatenate(([0.0], cash[:-1])).tolist(), [0.0, *years.tolist()], borrowed.tolist(), strict=True)
    for before, elapsed, fee in rows:
        owed = paid - before
        due.append(fee + (margin_rate * owed * elapsed if owed > 0.0 else 0.0))
        paid += due[-1]
    return np.array(due)


@dataclass(frozen=True)
class OrdersAtHand:
    """The account right after each claimed order, at the prices of the moment of its fill; all (n_orders,).

    Attributes:
        increases: whether the order made its position larger.
        equity: cash plus positions.
        gross: value of long and short positions, both counted as positive.
        equity_at_first: equity before the first order of the same moment: before the close, or at it.
    """

    increases: BoolArray
    equity: Float64Array
    gross: Float64Array
    equity_at_first: Float64Array

    @classmethod
    def of(cls, books: Books, cash: Float64Array) -> Self:
        """From audited orders, and cash after each."""
        known = books.known_at_fills()
        claimed = ~books.is_settlement
        day, symbol, shares = books.day[claimed], books.symbol[claimed], books.shares[claimed]
        price = known[day, symbol]
        before, after = _holdings(symbol, shares)
        start = _held_before_fills(books)
        growth = np.abs(after) - np.abs(before)
        equity = cash + value_of(start, known)[day] + _running(day, shares * price)
        gross = value_of(np.abs(start), known)[day] + _running(day, growth * price)
        paid = books.price[claimed] * shares + books.fee[claimed] - shares * price
        is_exit = books.is_exit[claimed]
        moment = 2 * day.astype(np.int64) + (is_exit if books.fills_at_open else ~is_exit)
        first = np.searchsorted(moment, moment)
        return cls(growth > _GROWTH * np.abs(before), equity, gross, (equity + paid)[first])


def _holdings(symbol: npt.NDArray[np.signedinteger], shares: Float64Array) -> tuple[Float64Array, Float64Array]:
    """(n_orders,) shares of the order's symbol before and after it, summed in order as the engine does."""
    after = np.empty_like(shares)
    by_symbol = np.argsort(symbol, kind="stable")
    for rows in np.split(by_symbol, np.flatnonzero(np.diff(symbol[by_symbol])) + 1):
        after[rows] = np.cumsum(shares[rows])
    return after - shares, after


def _held_before_fills(books: Books) -> Float64Array:
    """(n_days, n_symbols) shares before the day's orders, after symbols have left."""
    held = np.vstack((np.zeros_like(books.positions[:1]), books.positions[:-1]))
    is_early = books.is_settlement & np.isnan(books.prices.bars[books.day, books.symbol, CLOSE])
    held[books.day[is_early], books.symbol[is_early]] = 0.0
    return held


def _running(day: npt.NDArray[np.signedinteger], amounts: Float64Array) -> Float64Array:
    """(n_orders,) sum of the amounts of the same day up to each order."""
    total = np.concatenate(([0.0], np.cumsum(amounts)))
    return total[1:] - total[np.searchsorted(day, day)]


def ruin_day(equity: Float64Array, claimed: Float64Array, allowed: Float64Array) -> int:
    """Index of the first day at whose close equity is gone; the number of days if it never is.

    Args:
        claimed: (n_days,) the box's equity, which decides where rounding could.
        allowed: (n_days,) the difference that rounding explains.
    """
    is_gone = (equity <= -allowed) | ((equity <= allowed) & (claimed == 0.0))
    return int(np.argmax(is_gone)) if is_gone.any() else len(equity)


def claimed_end(equity: Float64Array) -> int:
    """Number of days up to and including the first of those at the end whose claimed equity is zero."""
    alive = np.flatnonzero(equity)
    return min(int(alive[-1]) + 2 if alive.size else 1, len(equity))


def until(books: Books, ruin: int) -> Books:
    """The books up to the day of ruin, on which cash and positions become zero; all of them without a ruin."""
    if ruin >= len(books.cash):
        return books
    days, orders = slice(ruin + 1), books.day <= ruin
    positions, cash = books.positions[days].copy(), books.cash[days].copy()
    lost = np.concatenate((cash[-1:], positions[-1]))
    positions[-1], cash[-1] = 0.0, 0.0
    prices = books.prices
    return replace(
        books,
        prices=Days(prices.dates[days], prices.symbols, prices.bars[days]),
        **{
            name: getattr(books, name)[orders]
            for name in ("day", "symbol", "shares", "price", "fee", "is_settlement", "reason", "exit_reference")
        },
        **{name: getattr(books, name)[days] for name in ("marks", "income", "charges")},
        positions=positions,
        cash=cash,
        lost=lost,
    )
