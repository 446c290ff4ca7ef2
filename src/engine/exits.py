"""Protective exits: positions closed when a bar reaches a level, without a call of the strategy."""

from collections.abc import Sequence
from math import inf, isnan

from src.engine.ledger import (
    MAX_LEVEL_CHANGES,
    STOP_LOSS,
    TAKE_PROFIT,
    TRAILING_STOP,
    Ledger,
    TooManyLevels,
    UnfilledLog,
)
from src.engine.market import FIELDS, Market, Rules
from src.engine.portfolio import Portfolio
from src.engine.rebalancing import FEE_OVER_CASH, NO_VOLUME, OVER_VOLUME, Rebalancer

Levels = Sequence[tuple[float, float, float]]
"""(n_symbols,) stop loss, take profit and trailing stop, each a fraction of its base or 0.0 for none."""

_NONE = (0.0, 0.0, 0.0)


class Exits:
    """Holds the levels of the latest signal, and closes the positions whose prices reach them.

    Levels are relative to a position: stop loss and take profit to its average cost, the trailing stop to the best of
    that cost and of all prices since the bar of its opening. A bar is followed from its open: a price beyond a level
    there fills at the open, whatever the level. Afterwards the adverse extreme counts first, so that of a stop and a
    take profit within one bar the stop fills. Each order fills at the level or the open, with the run's costs.

    Args:
        rebalancer: stops waiting to enter a position that was closed.
    """

    def __init__(
        self,
        market: Market,
        rules: Rules,
        portfolio: Portfolio,
        rebalancer: Rebalancer,
        ledger: Ledger,
        log: UnfilledLog,
    ) -> None:
        count = len(market.symbols)
        self._bars, self._width = market.bars, count * FIELDS
        self._rules, self._portfolio, self._rebalancer = rules, portfolio, rebalancer
        self._ledger, self._log = ledger, log
        self._levels: list[tuple[float, float, float]] = [_NONE] * count
        self._guarded: list[int] = []
        self._best: dict[int, tuple[int, int, float]] = {}

    def take(self, day: int, levels: Levels | None) -> None:
        """Replace every level by those of that day's signal, which apply after its fill; None for none.

        Raises:
            TooManyLevels: the run has changed too many.
        """
        for symbol, level in enumerate(levels or [_NONE] * len(self._levels)):
            if level != self._levels[symbol]:
                self._levels[symbol] = level
                for column, value in zip(self._ledger.levels, (day, symbol, *level), strict=True):
                    column.append(value)
        if len(self._ledger.levels[0]) > MAX_LEVEL_CHANGES:
            raise TooManyLevels
        self._guarded = [symbol for symbol, level in enumerate(self._levels) if any(level)]

    def check(self, day: int) -> None:
        """Close each protected position whose level this bar reaches, in universe order."""
        shares = self._portfolio.shares
        held = [symbol for symbol in self._guarded if shares[symbol]]
        costs = self._portfolio.average_costs() if held else ()
        for symbol in held:
            at = day * self._width + symbol * FIELDS
            opened, high, low, close, volume = self._bars[at : at + FIELDS].tolist()
            if isnan(close):
                continue
            side = 1.0 if shares[symbol] > 0 else -1.0
            worst, best = (low, high) if side > 0 else (high, low)
            stop, target, reason = self._prices(day, symbol, side, costs[symbol])
            found = reached(side, opened, worst, best, stop, target)
            if found is not None:
                price, is_target = found
                self._close(day, symbol, price, volume, TAKE_PROFIT if is_target else reason)

    def _prices(self, day: int, symbol: int, side: float, cost: float) -> tuple[float, float, int]:
        """The stop and the take profit as prices, and which of the two stops it is: the one reached first."""
        loss, gain, trail = self._levels[symbol]
        stop, reason = (cost * (1 - side * loss) if loss else -side * inf), STOP_LOSS
        if trail:
            trailing = self._best_price(day, symbol, side, cost) * (1 - side * trail)
            if side * trailing > side * stop:
                stop, reason = trailing, TRAILING_STOP
        return stop, cost * (1 + side * gain) if gain else side * inf, reason

    def _best_price(self, day: int, symbol: int, side: float, cost: float) -> float:
        """The best of the average cost and of the bars before this day on which the position was held."""
        start = self._portfolio.opened[symbol] + (not self._rules.fills_at_open)
        opening, seen, best = self._best.get(symbol, (-1, start, -side * inf))
        if opening != start:
            seen, best = start, -side * inf
        field = 1 if side > 0 else 2
        for earlier in range(seen, day):
            price = self._bars[earlier * self._width + symbol * FIELDS + field]
            if side * price > side * best:  # false for NaN, a day without a bar
                best = price
        self._best[symbol] = start, day, best
        return max(best, cost) if side > 0 else min(best, cost)

    def _close(self, day: int, symbol: int, reference: float, volume: float, reason: int) -> None:
        """Close the position, or what the bar's volume allows of it; the rest keeps its levels."""
        portfolio, slippage = self._portfolio, self._rules.slippage
        held = portfolio.shares[symbol]
        size = min(abs(held), slippage.max_shares(volume))
        if not size:
            self._log.note(day, symbol, NO_VOLUME)
            return
        change = -held if size == abs(held) else -size if held > 0 else size
        fraction = slippage.fraction(size, volume)
        price = reference * (1 + fraction if change > 0 else 1 - fraction)
        fee = self._rules.commission.fee(size, price)
        if not self._rules.is_margin and portfolio.cash - change * price < fee:
            self._log.note(day, symbol, FEE_OVER_CASH)
            return
        if change != -held:
            self._log.note(day, symbol, OVER_VOLUME)
        portfolio.exit(day, symbol, change, price, fee, reason)
        self._rebalancer.forget(symbol)


def reached(
    side: float, opened: float, worst: float, best: float, stop: float, target: float
) -> tuple[float, bool] | None:
    """The price at which a bar closes a position, and whether that is its take profit; None if it reaches no level.

    Args:
        side: 1.0 for a long position, -1.0 for a short one.
        opened: the bar's open.
        worst, best: its low and high, for a short position its high and low.
        stop, target: prices, infinite for none.
    """
    if side * opened <= side * stop:
        return opened, False
    if side * opened >= side * target:
        return opened, True
    if side * worst <= side * stop:
        return stop, False
    if side * best >= side * target:
        return target, True
    return None
