"""Double-entry check of the box's output: orders and prices must give the cash and equity that it claims.

The audit does not repeat the engine's trading decisions. It checks that every order was possible (a bar,
a price, a fee, cash or room below max_gross, shares to sell) and that every day's books follow from the orders. The
result is `Books`, in which the orders are the only part that the box chose.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property

import numpy as np
from hqg_algorithms import ExecutionTiming

from src.engine.costs import Commission, Slippage
from src.errors import BacktesterError
from src.execution.audit import expected_costs, margin
from src.execution.audit.books import (
    CLOSE,
    NO_EXIT,
    OPEN,
    TRAILING_STOP,
    VOLUME,
    Books,
    BoolArray,
    Float64Array,
    IndexArray,
    Prices,
    last_known_closes,
)
from src.execution.audit.exits import NO_LEVELS, DueExits, Levels, due_exits

EXIT_NAMES = ("signal", "stop_loss", "take_profit", "trailing_stop")

EXACT = 1e-12
"""Relative tolerance of values from a single formula: prices and fees."""

ROUNDING = 1e-9
"""Relative tolerance below zero: for shares, of the maximum ever held; for cash, of equity."""


class AuditFailed(BacktesterError):
    """The books from the box do not follow from the prices sent to it.

    Args:
        check: which check failed, as a clause ("price is not the day's open plus slippage").
        symbol: the order's symbol, or None if the check does not concern one order.
        date: ISO date, or None if the check does not concern one day.
        detail: the numbers, or "".
    """

    code = "audit_failed"
    http_status = 400

    def __init__(self, check: str, symbol: str | None = None, date: str | None = None, detail: str = "") -> None:
        where = ", ".join(part for part in (symbol, date, detail) if part)
        super().__init__(f"audit failed: {check}" + (f": {where}" if where else ""))
        self.check = check
        self.symbol = symbol
        self.date = date


@dataclass(frozen=True)
class Claim:
    """What the box claims to have happened. Only the dtypes have been checked.

    Attributes:
        day: (n_orders,) integers, index into the dates.
        symbol: (n_orders,) integers, index into the symbols.
        shares: (n_orders,) float64, positive buys, negative sells.
        price: (n_orders,) float64, fill price per share.
        fee: (n_orders,) float64, account currency.
        cash: (n_days,) float64, after the day's last fill.
        equity: (n_days,) float64, at the day's close.
        reason: (n_orders,) integers, 0 for an order of a signal, else the protective level that caused it.
        levels: changes of protective levels; None if there are none.
    """

    day: IndexArray
    symbol: IndexArray
    shares: Float64Array
    price: Float64Array
    fee: Float64Array
    cash: Float64Array
    equity: Float64Array
    reason: IndexArray | None = None
    levels: Levels | None = None


@dataclass(frozen=True)
class AuditRules:
    """The rules that the run had to follow.

    Attributes:
        initial_capital: account currency, above zero.
        execution: when orders fill.
        min_trade_value: account currency; smaller orders only close positions.
        commission: the fee model.
        slippage: the price model.
        first_signal_day: index of the first day on which the strategy was called.
        delistings: symbol index → index of the day on which the symbol leaves: the first day after its last
            bar, or the last day of the timeline.
        delisting_return: the position's gain or loss on that day, as a fraction of its value at the last close.
        dividends: (n_days, n_symbols) cash per share held at the end of the previous day; None for no dividends.
        allow_short, max_gross, borrow_rate, margin_rate: see src.engine.market.Rules.
    """

    initial_capital: float
    execution: ExecutionTiming
    min_trade_value: float
    commission: Commission
    slippage: Slippage
    first_signal_day: int = 0
    delistings: Mapping[int, int] = field(default_factory=dict)
    delisting_return: float = 0.0
    dividends: Float64Array | None = None
    allow_short: bool = False
    max_gross: float = 1.0
    borrow_rate: float = 0.0
    margin_rate: float = 0.0

    @property
    def is_margin(self) -> bool:
        """True when positions or cash may be negative, within max_gross."""
        return self.allow_short or self.max_gross > 1.0

    @property
    def fills_at_open(self) -> bool:
        return self.execution is ExecutionTiming.CLOSE_TO_NEXT_OPEN


def audit(claim: Claim, prices: Prices, rules: AuditRules) -> Books:
    """Rebuild the account of a run and compare it with the claim; linear in orders and in days × symbols.

    Raises:
        AuditFailed: at the first check that fails, naming its first order or day.
    """
    with np.errstate(all="ignore"):  # every comparison below is false for NaN, which rejects the claim
        _check_columns(claim, prices)
        _check_levels(claim, prices, rules)
        evidence = _Evidence(claim, prices, rules)
        _check_sequence(evidence)
        _check_exits(evidence)
        _check_prices_and_fees(evidence)
        held = _shares_held(evidence)
        _check_positions(evidence, held)
        books = _rebuild(evidence, held)
        if not rules.is_margin:
            _check_cash_and_equity(evidence, books)
            return books
        at_last_mark = _rebuild(evidence, held, settles_at_the_end=False)
        is_over = _ruin_day(evidence, at_last_mark) < len(books.cash)
        return _check_margin_account(evidence, at_last_mark if is_over else books)


@dataclass(frozen=True)
class _Evidence:
    """A claim with its prices and rules. Raises for the first order or day that fails a check."""

    claim: Claim
    prices: Prices
    rules: AuditRules

    def each_order(self, is_right: BoolArray, check: str, detail: Callable[[int], str]) -> None:
        if not is_right.all():
            order = int(np.argmin(is_right))
            symbol = self.prices.symbols[self.claim.symbol[order]]
            raise AuditFailed(check, symbol, self.date(int(self.claim.day[order])), detail(order))

    def each_day(self, is_right: BoolArray, check: str, detail: Callable[[int], str]) -> None:
        if not is_right.all():
            day = int(np.argmin(is_right))
            raise AuditFailed(check, None, self.date(day), detail(day))

    def date(self, day: int) -> str:
        """ISO date of a timeline day."""
        return str(self.prices.dates[day].astype("datetime64[D]"))

    @cached_property
    def cells(self) -> IndexArray:
        """(n_orders,) each order's day and symbol as one index into a flat (n_days × n_symbols) array."""
        return self.claim.day.astype(np.int64) * len(self.prices.symbols) + self.claim.symbol

    @cached_property
    def reference(self) -> Float64Array:
        """(n_orders,) the price at which each order fills without slippage: the open or close, or that of an exit.

        NaN without a bar.
        """
        price = self._bar(OPEN if self.rules.fills_at_open else CLOSE)
        return price if self.due is None else np.where(self.is_exit, np.take(self.due.reference, self.cells), price)

    @cached_property
    def is_exit(self) -> BoolArray:
        """(n_orders,) whether a protective level caused the order."""
        return np.zeros(len(self.claim.day), dtype=np.bool_) if self.claim.reason is None else self.claim.reason != 0

    @cached_property
    def due(self) -> DueExits | None:
        """The exits that follow from the claim; None if it has neither levels nor exits."""
        claim, levels = self.claim, self.claim.levels
        if levels is None and not self.is_exit.any():
            return None
        return due_exits(
            claim.day,
            claim.symbol,
            claim.shares,
            claim.price,
            self.is_exit,
            levels or NO_LEVELS,
            self.prices,
            self.rules.fills_at_open,
        )

    @cached_property
    def sizes(self) -> Float64Array:
        """(n_orders,) absolute numbers of shares."""
        return np.abs(self.claim.shares)

    @cached_property
    def volumes(self) -> Float64Array:
        """(n_orders,) volume of each order's bar."""
        return self._bar(VOLUME)

    @cached_property
    def largest(self) -> Float64Array:
        """(n_orders,) the shares that the day's volume allows at most."""
        return expected_costs.largest_sizes(self.rules.slippage.to_wire(), self.volumes)

    def _bar(self, field: int) -> Float64Array:
        return np.take(self.prices.bars[:, :, field], self.cells)


def _check_columns(claim: Claim, prices: Prices) -> None:
    """Check that every column has one finite value per order or day, and that every index is in range."""
    n_days, n_symbols = prices.bars.shape[:2]
    for column in fields(claim):
        values = getattr(claim, column.name)
        if column.name == "levels" or values is None:
            continue
        count = n_days if column.name in ("cash", "equity") else len(claim.day)
        if values.shape != (count,):
            raise AuditFailed(f"column {column.name} has the wrong length", detail=f"{values.shape}, not {count}")
        if not np.isfinite(values).all():
            at = int(np.argmin(np.isfinite(values)))
            raise AuditFailed(f"column {column.name} is not finite", detail=f"row {at}")
    for name, indexes, count in (("day", claim.day, n_days), ("symbol", claim.symbol, n_symbols)):
        outside = (indexes < 0) | (indexes >= count)
        if outside.any():
            at = int(np.argmax(outside))
            raise AuditFailed(f"column {name} is out of range", detail=f"row {at}: {indexes[at]}")
    if claim.reason is not None and not ((claim.reason >= NO_EXIT) & (claim.reason <= TRAILING_STOP)).all():
        raise AuditFailed("column reason is out of range")


def _check_levels(claim: Claim, prices: Prices, rules: AuditRules) -> None:
    n_days, n_symbols = prices.bars.shape[:2]
    problem = None if claim.levels is None else claim.levels.problem(n_days, n_symbols, rules.first_signal_day)
    if problem is not None:
        raise AuditFailed(problem)


def _check_sequence(evidence: _Evidence) -> None:
    """Check that days ascend, that each has sells then buys in universe order, one order per symbol, none too early.

    A protective exit is a second order of its symbol, after the fills at the open or before those at the close. A
    margin account may make the orders of one moment in any order that leaves room below max_gross for each of them.
    """
    claim, rules, n_symbols = evidence.claim, evidence.rules, len(evidence.prices.symbols)
    is_exit = evidence.is_exit
    moment = claim.day.astype(np.int64) * 2 + (is_exit if rules.fills_at_open else ~is_exit)
    place = (moment * 2 + ((claim.shares > 0.0) & ~is_exit)) * n_symbols + claim.symbol
    steps = np.diff(moment) >= 0 if rules.is_margin else place[1:] > place[:-1]
    in_order = np.concatenate(([True], steps))[: len(place)]
    evidence.each_order(in_order, "orders are not in order (day, sells before buys, universe)", _row)
    order_of = moment * n_symbols + claim.symbol
    if np.bincount(order_of).max(initial=0) > 1:
        is_first = np.zeros(len(place), dtype=np.bool_)
        is_first[np.unique(order_of, return_index=True)[1]] = True
        evidence.each_order(is_first, "more than one order for a symbol on one day", _row)
    earliest = rules.first_signal_day + rules.fills_at_open
    evidence.each_order(claim.day >= earliest, "an order before the first possible signal", _row)


def _check_exits(evidence: _Evidence) -> None:
    """Check that every protective exit that follows from the levels was made, as a whole, and no other."""
    claim, due = evidence.claim, evidence.due
    if due is None:
        return
    reached, position = np.take(due.reason, evidence.cells), np.take(due.shares, evidence.cells)
    evidence.each_order(
        ~evidence.is_exit | (claim.reason == reached),
        "a protective exit at a level that the bar did not reach first",
        lambda order: EXIT_NAMES[int(claim.reason[order])],  # type: ignore[index]
    )
    expected = -np.sign(position) * np.minimum(np.abs(position), evidence.largest)
    evidence.each_order(
        ~evidence.is_exit | (np.abs(claim.shares - expected) <= EXACT * np.abs(expected)),
        "a protective exit of another size than its position",
        lambda order: f"{claim.shares[order]}, expected {expected[order]}",
    )
    _check_that_none_is_missing(evidence, due)


def _check_that_none_is_missing(evidence: _Evidence, due: DueExits) -> None:
    """Check that an exit is missing only where no share could be traded, or where its fee exceeds its proceeds.

    After the day on which a margin account claims to be ruined there are none; `_check_margin_account` checks that day.
    """
    rules, bars = evidence.rules, evidence.prices.bars
    is_made = np.zeros(due.reason.shape, dtype=np.bool_)
    is_made.reshape(-1)[evidence.cells[evidence.is_exit]] = True
    is_due = (due.reason != NO_EXIT) & ~is_made
    if rules.is_margin:
        is_due[margin.claimed_end(evidence.claim.equity) :] = False
    days, symbols = np.nonzero(is_due)
    volumes, slippage = bars[days, symbols, VOLUME], rules.slippage.to_wire()
    position = due.shares[days, symbols]
    sizes = np.minimum(np.abs(position), expected_costs.largest_sizes(slippage, volumes))
    fractions = expected_costs.slippage_fractions(slippage, sizes, volumes)
    prices = due.reference[days, symbols] * (1.0 - np.sign(position) * fractions)
    fees = expected_costs.fees(rules.commission.to_wire(), sizes, prices)
    is_wrong = (sizes > 0.0) & (fees < sizes * prices * (1.0 - ROUNDING))
    if is_wrong.any():
        at = int(np.argmax(is_wrong))
        symbol, reason = evidence.prices.symbols[symbols[at]], EXIT_NAMES[int(due.reason[days[at], symbols[at]])]
        raise AuditFailed("a protective exit is missing", symbol, evidence.date(int(days[at])), reason)


def _check_prices_and_fees(evidence: _Evidence) -> None:
    """Check that each order has a bar to fill at, and the price, fee and size that the cost models allow."""
    claim, rules, reference, sizes = evidence.claim, evidence.rules, evidence.reference, evidence.sizes
    moment = "open" if rules.fills_at_open else "close"
    what = f"the day's {moment}" if evidence.due is None else f"the day's {moment}, or that of its exit,"
    evidence.each_order(reference > 0.0, "an order on a day without a bar", _row)
    evidence.each_order(sizes > 0.0, "an order of no shares", _row)
    largest = evidence.largest
    evidence.each_order(
        sizes <= largest * (1.0 + EXACT),
        "an order larger than its maximum share of the day's volume",
        lambda order: f"{sizes[order]} of at most {largest[order]} shares",
    )
    fractions = expected_costs.slippage_fractions(rules.slippage.to_wire(), sizes, evidence.volumes)
    expected_price = reference * (1.0 + np.sign(claim.shares) * fractions)
    evidence.each_order(
        np.abs(claim.price - expected_price) <= EXACT * expected_price,
        f"a price that is not {what} with slippage",
        lambda order: f"{claim.price[order]}, expected {expected_price[order]}",
    )
    expected_fee = expected_costs.fees(rules.commission.to_wire(), sizes, expected_price)
    evidence.each_order(
        np.abs(claim.fee - expected_fee) <= EXACT * expected_fee + EXACT,
        "a fee that does not follow from the commission",
        lambda order: f"{claim.fee[order]}, expected {expected_fee[order]}",
    )


def _shares_held(evidence: _Evidence) -> Float64Array:
    """(n_days, n_symbols) shares after each day's orders, ignoring settlements."""
    claim, due = evidence.claim, evidence.due
    if due is not None:
        latest = np.zeros(evidence.prices.bars.shape[:2], dtype=np.int64)
        latest[claim.day, claim.symbol] = np.arange(1, len(claim.day) + 1)
        return np.concatenate(([0.0], due.held + claim.shares))[np.maximum.accumulate(latest, axis=0)]
    traded = np.zeros(evidence.prices.bars.shape[:2])
    traded[claim.day, claim.symbol] = claim.shares
    return np.cumsum(traded, axis=0)


def _rebuild(evidence: _Evidence, held: Float64Array, settles_at_the_end: bool = True) -> Books:
    """The account that follows from the orders alone, without the claimed cash and equity.

    Args:
        settles_at_the_end: whether symbols that leave after the last close are settled, which a ruined account is not.
    """
    prices, rules, due = evidence.prices, evidence.rules, evidence.due
    marks = last_known_closes(prices)
    orders = _with_settlements(evidence, held, marks, settles_at_the_end)
    positions = held.copy()
    for day, symbol in zip(orders.day[orders.is_settlement], orders.symbol[orders.is_settlement], strict=True):
        positions[day:, symbol] = 0.0
    income = _income(positions, rules)
    orders_until_day = np.searchsorted(orders.day, np.arange(len(held)), side="right")
    cash = _cash_after_orders(orders, rules.initial_capital)[orders_until_day] + np.cumsum(income)
    charges = np.zeros(len(held))
    if rules.is_margin:
        short = margin.short_value(positions, marks)
        charges = margin.charges(cash, short, prices.dates, rules.borrow_rate, rules.margin_rate)
        cash = cash - np.cumsum(charges)
    return Books(
        prices=prices,
        fills_at_open=rules.fills_at_open,
        initial_capital=rules.initial_capital,
        day=orders.day,
        symbol=orders.symbol,
        shares=orders.shares,
        price=orders.price,
        fee=orders.fee,
        is_settlement=orders.is_settlement,
        positions=positions,
        cash=cash,
        marks=marks,
        income=income,
        charges=charges,
        may_be_short=rules.allow_short,
        reason=orders.reason,
        exit_reference=orders.exit_reference,
        n_ambiguous=0 if due is None else int(due.is_ambiguous.reshape(-1)[evidence.cells[evidence.is_exit]].sum()),
    )


@dataclass(frozen=True)
class _Orders:
    """The columns of `Books` with one value per order."""

    day: IndexArray
    symbol: IndexArray
    shares: Float64Array
    price: Float64Array
    fee: Float64Array
    is_settlement: BoolArray
    reason: IndexArray
    exit_reference: Float64Array


def _with_settlements(
    evidence: _Evidence, held: Float64Array, marks: Float64Array, settles_at_the_end: bool
) -> _Orders:
    """The claimed orders, with the sales that settle delisted positions inserted in order."""
    claim, prices, rules = evidence.claim, evidence.prices, evidence.rules
    reason = np.zeros(len(claim.day), dtype=np.int8) if claim.reason is None else claim.reason
    exit_reference = np.where(evidence.is_exit, evidence.reference, np.nan)
    places, rows = [], []
    # A symbol has a bar on its day only if that is the last day: then it leaves after all other orders.
    leaving = (
        (day, bool(np.isfinite(prices.bars[day, symbol, CLOSE])), symbol) for symbol, day in rules.delistings.items()
    )
    for day, is_last, symbol in sorted(leaving):
        shares = held[day, symbol] if settles_at_the_end or not is_last else 0.0
        if shares > 0.0 or (rules.allow_short and shares < 0.0):
            places.append(len(claim.day) if is_last else int(np.searchsorted(claim.day, day)))
            rows.append((day, symbol, -shares, marks[day, symbol] * (1.0 + rules.delisting_return), 0.0))
    if not rows:
        is_settlement = np.zeros(len(claim.day), dtype=np.bool_)
        columns = (claim.day, claim.symbol, claim.shares, claim.price, claim.fee)
        return _Orders(*columns, is_settlement, reason, exit_reference)
    days, symbols, sizes, at, fees = np.array(rows, dtype=np.float64).reshape(-1, 5).T
    return _Orders(
        day=np.insert(claim.day, places, days.astype(claim.day.dtype)),
        symbol=np.insert(claim.symbol, places, symbols.astype(claim.symbol.dtype)),
        shares=np.insert(claim.shares, places, sizes),
        price=np.insert(claim.price, places, at),
        fee=np.insert(claim.fee, places, fees),
        is_settlement=np.insert(np.zeros(len(claim.day), dtype=np.bool_), places, True),
        reason=np.insert(reason, places, NO_EXIT),
        exit_reference=np.insert(exit_reference, places, np.nan),
    )


def _income(positions: Float64Array, rules: AuditRules) -> Float64Array:
    """(n_days,) each day's dividends, on the shares held at the end of the previous day."""
    if rules.dividends is None:
        return np.zeros(len(positions))
    paid: Float64Array = (positions[:-1] * rules.dividends[1:]).sum(axis=1)
    return np.concatenate(([0.0], paid))


def _cash_after_orders(orders: _Orders | Books, initial_capital: float) -> Float64Array:
    """(n_orders + 1,) cash before the first order and after each one, without dividends and charges."""
    paid = orders.shares * orders.price + orders.fee
    return np.cumsum(np.concatenate(([initial_capital], -paid)))


def _check_positions(evidence: _Evidence, held: Float64Array) -> None:
    """Check that only held shares are sold, and that small orders only close positions or meet a volume cap."""
    claim, sizes, reference = evidence.claim, evidence.sizes, evidence.reference
    most_held = np.take(np.maximum.accumulate(np.abs(held), axis=0), evidence.cells)
    left = np.take(held, evidence.cells) if evidence.due is None else evidence.due.held + claim.shares
    evidence.each_order(
        np.full(len(left), True) if evidence.rules.allow_short else left >= -ROUNDING * most_held,
        "more shares sold than held",
        lambda order: f"{left[order]} shares left",
    )
    is_large = sizes * reference >= evidence.rules.min_trade_value * (1.0 - ROUNDING)
    is_closing = np.abs(left) <= ROUNDING * most_held
    is_reducing = (claim.shares < 0.0) if not evidence.rules.is_margin else np.abs(left) < np.abs(left - claim.shares)
    may_be_small = is_reducing & (is_closing | (sizes >= evidence.largest * (1.0 - EXACT)))
    evidence.each_order(
        is_large | may_be_small | evidence.is_exit,
        "an order below the minimum trade value that does not close a position",
        lambda order: f"{sizes[order]} shares at {reference[order]}",
    )


def _check_cash_and_equity(evidence: _Evidence, books: Books) -> None:
    """Check that cash covers each order, and that the claimed cash and equity match the rebuilt account."""
    claim = evidence.claim
    scale, allowed = _rounding(books, np.abs(books.equity))
    after_order = _cash_after_each_order(books)
    floor = -(ROUNDING * np.abs(books.equity) + EXACT * scale)[claim.day]
    evidence.each_order(
        after_order >= floor,
        "not enough cash for an order",
        lambda order: f"{after_order[order]} left",
    )
    _check_daily(evidence, "cash", claim.cash, books.cash, allowed)
    _check_daily(evidence, "equity", claim.equity, books.equity, allowed)


def _rounding(books: Books, size: Float64Array) -> tuple[Float64Array, Float64Array]:
    """(n_days,) the account's scale, and the difference that rounding explains.

    A claim may differ only by the rounding of sums in a different grouping. The scale is the account's maximum size so
    far, so an account that has shrunk to pennies still passes.

    Args:
        size: (n_days,) the amounts that are summed up at each close.
    """
    scale = np.maximum.accumulate(np.maximum(size, books.initial_capital))
    n_bookings = len(books.day) + np.count_nonzero(books.income) + np.count_nonzero(books.charges)
    return scale, np.maximum(EXACT, 4.0 * np.finfo(np.float64).eps * n_bookings) * scale


def _cash_after_each_order(books: Books) -> Float64Array:
    """(n_claimed_orders,) cash after each order that the box claims."""
    booked = np.cumsum(books.income - books.charges)[books.day]
    after: Float64Array = (_cash_after_orders(books, books.initial_capital)[1:] + booked)[~books.is_settlement]
    return after


def _ruin_day(evidence: _Evidence, books: Books) -> int:
    """Index of the first day at whose close a margin account has no equity left; the number of days if none."""
    return margin.ruin_day(books.equity, evidence.claim.equity, _margin_rounding(books))


def _margin_rounding(books: Books) -> Float64Array:
    """(n_days,) the difference that rounding explains where large positions may offset each other."""
    return _rounding(books, books.gross_value + np.abs(books.cash))[1]


def _check_margin_account(evidence: _Evidence, books: Books) -> Books:
    """Check the limit on gross exposure and the day of ruin, then the claimed cash and equity.

    Returns:
        The books up to the day of ruin.
    """
    claim, rules = evidence.claim, evidence.rules
    allowed = _margin_rounding(books)
    orders = margin.OrdersAtHand.of(books, _cash_after_each_order(books))
    most = rules.max_gross * orders.equity
    evidence.each_order(
        (orders.gross <= most + (ROUNDING * np.abs(most) + allowed[claim.day])) | ~orders.increases,
        "gross exposure beyond max_gross after an order",
        lambda order: f"{orders.gross[order]} of at most {most[order]}",
    )
    ruin = _ruin_day(evidence, books)
    evidence.each_order(claim.day <= ruin, "an order after the account was ruined", _row)
    if ruin < len(books.cash) and not rules.fills_at_open:
        evidence.each_order(
            (claim.day < ruin) | evidence.is_exit | (orders.equity_at_first > -allowed[claim.day]),
            "an order after the account was ruined",
            _row,
        )
    is_over = np.arange(len(books.cash)) >= ruin
    _check_daily(evidence, "cash", claim.cash, np.where(is_over, 0.0, books.cash), allowed)
    _check_daily(evidence, "equity", claim.equity, np.where(is_over, 0.0, books.equity), allowed)
    return margin.until(books, ruin)


def _check_daily(
    evidence: _Evidence, name: str, claimed: Float64Array, rebuilt: Float64Array, allowed: Float64Array
) -> None:
    evidence.each_day(
        np.abs(claimed - rebuilt) <= allowed,
        f"{name} that does not follow from orders and prices",
        lambda day: f"{claimed[day]}, expected {rebuilt[day]}",
    )


def _row(order: int) -> str:
    return f"row {order}"
