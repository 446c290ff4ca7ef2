"""The day loop: fill at the open, mark at the close, call the strategy, fill at the close, keep the books."""

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from itertools import repeat
from math import fsum, isnan, nan
from operator import mul
from typing import TYPE_CHECKING, Protocol

from src.engine.ledger import Ledger, TooManyOrders, UnfilledLog
from src.engine.margin import MarginRebalancer
from src.engine.market import FIELDS, Doubles, Market, Rules
from src.engine.portfolio import FILL_FIELDS, Portfolio
from src.engine.rebalancing import Rebalancer
from src.engine.timeline import decisions

if TYPE_CHECKING:
    from src.engine.exits import Exits, Levels

__all__ = ["Decide", "Market", "Rules", "simulate"]

_OPEN, _CLOSE, _VOLUME = 0, 3, 4
_BLOCK_DAYS = 256

_Row = tuple[int, Sequence[float], Sequence[float], Sequence[float], bool]


class ProtectedWeights(list[float]):
    """Target weights whose positions have protective levels.

    Attributes:
        levels: see src.engine.exits.Levels.
    """

    def __init__(self, weights: Sequence[float], levels: "Levels") -> None:
        super().__init__(weights)
        self.levels = levels


class Decide(Protocol):
    """Calls the strategy at one close for its target weights."""

    def __call__(
        self,
        day: int,
        bars: Doubles,
        equity: float,
        cash: float,
        shares: Sequence[float],
        marks: Sequence[float],
        average_costs: Callable[[], Sequence[float]],
    ) -> Sequence[float] | None:
        """Target weights, or None to hold.

        Args:
            day: timeline index.
            bars: (n_symbols × 5) doubles, the bars of the period that ends on this day.
            equity: account currency, marked at this close.
            cash: account currency.
            shares: (n_symbols,) the live holdings; do not keep or change them.
            marks: (n_symbols,) last known closes, NaN before a symbol's first bar.
            average_costs: see Portfolio.average_costs; computed only when called.

        Returns:
            (n_symbols,) finite weights, negative only if the rules allow shorts, of which the absolute ones sum to at
            most max_gross + 1e-7; all zero liquidates.
            As ProtectedWeights they replace all protective levels, as any other sequence they remove them.
        """
        ...


def simulate(  # noqa: PLR0912, PLR0915 - calls slow every bar
    market: Market, rules: Rules, decide: Decide, calls: Mapping[int, Doubles] | None = None
) -> Ledger:
    """Run one strategy over one market.

    Args:
        calls: when the strategy is called, and with which bars; None for every period of the market.

    Returns:
        The books: every fill, daily cash and equity, and orders that could not fill. A margin account whose equity is
        at or below zero at a close ends there: it has no positions, cash or equity from then on.

    Raises:
        TooManyOrders: the run exceeds rules.max_orders.
        TooManyLevels: its strategy changes protective levels too often.
        Exception: any exception of `decide`, unchanged.
    """
    ledger = Ledger()
    count = len(market.symbols)
    portfolio = Portfolio(rules.initial_capital, count)
    is_margin = rules.is_margin
    log = UnfilledLog(ledger.unfilled)
    rebalancer = (MarginRebalancer if is_margin else Rebalancer)(rules, portfolio, log)
    exits: Exits | None = None
    shares, value, fills = portfolio.shares, portfolio.value, portfolio.fills
    average_costs = portfolio.average_costs
    quick_fill, any_fill = rebalancer.fill_freely, rebalancer.fill
    is_free, max_numbers = rules.is_free and not is_margin, rules.max_orders * FILL_FIELDS
    fills_at_open = rules.fills_at_open
    if calls is None:
        calls = decisions(market.days, count, market.bars, rules.bar_size, market.last_period_complete)
    marks: Sequence[float] = [nan] * count
    cash_marks, equity_marks = ledger.cash, ledger.equity
    unused = set() if fills_at_open else {_OPEN}
    if not rules.slippage.uses_volume:
        unused.add(_VOLUME)
    overnight = _Overnight(market, rules, portfolio, rebalancer)
    events = overnight.days

    for day, opens, closes, volumes, has_gap in _rows(market.bars, count, unused):
        if day in events:
            overnight.begin(day, marks)
        fill = quick_fill if is_free and fills and not has_gap else any_fill
        if fills_at_open and rebalancer.waiting:
            known = _carried(opens, marks) if has_gap else opens
            equity = value(known) if has_gap else portfolio.cash + fsum(map(mul, shares, known))
            fill(day, opens, known, volumes, equity)
        if exits is not None:
            exits.check(day)
        marks = _carried(closes, marks) if has_gap else closes
        equity = portfolio.cash + fsum(map(mul, shares, marks))
        if has_gap and isnan(equity):  # 0 shares × NaN
            equity = value(marks)
        if is_margin and equity <= 0:
            ledger.ruined_on, ledger.decisions = day, sum(call < day for call in calls)
            break
        if day in calls:
            weights = decide(day, calls[day], equity, portfolio.cash, shares, marks, average_costs)
            if weights is not None:
                rebalancer.take(day, weights)
                if exits is not None or type(weights) is ProtectedWeights:
                    exits = exits or _exits(market, rules, portfolio, rebalancer, ledger, log)
                    exits.take(day, getattr(weights, "levels", None))
        if not fills_at_open and rebalancer.waiting:
            fill(day, closes, marks, volumes, equity)
            equity = value(marks)
            if is_margin and equity <= 0:
                ledger.ruined_on, ledger.decisions = day, sum(call <= day for call in calls)
                break
        cash_marks.append(portfolio.cash)
        equity_marks.append(equity)
        if len(fills) > max_numbers:
            raise TooManyOrders
    else:
        ledger.decisions = len(calls)
        if fills_at_open:
            rebalancer.note_no_day_left(len(market.days) - 1, marks)
        overnight.end(ledger, marks)
    if len(fills) > max_numbers:  # on the day of a ruin
        raise TooManyOrders
    unmarked = [0.0] * (len(market.days) - len(equity_marks))
    cash_marks += unmarked
    equity_marks += unmarked
    ledger.orders, ledger.settlements = portfolio.orders(), portfolio.settlements()
    ledger.signals = rebalancer.n_signals
    ledger.most_requested, ledger.most_affordable = rebalancer.most_requested, rebalancer.most_affordable
    return ledger


class _Overnight:
    """What happens to an account between two days: it is charged, receives dividends, and symbols leave.

    Attributes:
        days: those before which something may happen.
    """

    def __init__(self, market: Market, rules: Rules, portfolio: Portfolio, rebalancer: Rebalancer) -> None:
        self._market, self._rules, self._portfolio, self._rebalancer = market, rules, portfolio, rebalancer
        self._leaving = _leaving(market)
        self.days: Container[int] = {*market.dividends, *self._leaving}
        if rules.is_margin:
            self.days = range(len(market.days))

    def begin(self, day: int, marks: Sequence[float]) -> None:
        """Begin a day; `marks` are the last known closes of the day before."""
        days, rules = self._market.days, self._rules
        if rules.is_margin and day:
            self._portfolio.charge(days[day] - days[day - 1], marks, rules.borrow_rate, rules.margin_rate)
        self._portfolio.receive(self._market.dividends.get(day, ()))
        for symbol in self._leaving.get(day, ()):
            self._rebalancer.delist(day, symbol, marks[symbol])

    def end(self, ledger: Ledger, marks: Sequence[float]) -> None:
        """Settle what leaves at the end of the last day, which may ruin the account."""
        last_day = len(self._market.days) - 1
        for symbol in self._leaving.get(last_day + 1, ()):
            self._rebalancer.settle(last_day, symbol, marks[symbol])
            ledger.cash[-1], ledger.equity[-1] = self._portfolio.cash, self._portfolio.value(marks)
        if self._rules.is_margin and ledger.equity and ledger.equity[-1] <= 0:
            ledger.ruined_on = last_day
            ledger.cash[-1] = ledger.equity[-1] = 0.0


def _exits(
    market: Market, rules: Rules, portfolio: Portfolio, rebalancer: Rebalancer, ledger: Ledger, log: UnfilledLog
) -> "Exits":
    from src.engine.exits import Exits  # noqa: PLC0415 - most runs do without it, and start sooner

    return Exits(market, rules, portfolio, rebalancer, ledger, log)


def _leaving(market: Market) -> dict[int, list[int]]:
    """The symbols that leave before each day begins; one that leaves at the last day's end is on the day after it."""
    leaving: dict[int, list[int]] = {}
    for symbol, day in sorted(market.delistings.items()):
        has_bar = not isnan(market.bars[(day * len(market.symbols) + symbol) * FIELDS + _CLOSE])
        leaving.setdefault(day + has_bar, []).append(symbol)
    return leaving


def _rows(bars: Doubles, count: int, unused: Container[int]) -> Iterator[_Row]:
    """Each day with its opens, closes and volumes, empty if unused, and whether a symbol may lack a bar on it.

    Converted in blocks of days: as fast as all at once, in little memory.
    """
    width = count * FIELDS
    for start in range(0, len(bars), _BLOCK_DAYS * width):
        block = bars[start : start + _BLOCK_DAYS * width]
        days = range(start // width, (start + len(block)) // width)
        has_gap = isnan(fsum(block[_CLOSE::FIELDS]))
        columns = (
            repeat(()) if field in unused else _by_day(block, count, field) for field in (_OPEN, _CLOSE, _VOLUME)
        )
        yield from zip(days, *columns, repeat(has_gap), strict=False)


def _by_day(block: Doubles, count: int, field: int) -> Iterator[Sequence[float]]:
    """One field of a block, one tuple per day."""
    # zip over one iterator `count` times cuts a column into days.
    return zip(*[iter(block[field::FIELDS].tolist())] * count, strict=True)


def _carried(prices: Sequence[float], before: Sequence[float]) -> Sequence[float]:
    """The prices with the previous ones in place of NaN; the same object without a NaN."""
    if not isnan(fsum(prices)):
        return prices
    return [known if isnan(price) else price for price, known in zip(prices, before, strict=True)]
