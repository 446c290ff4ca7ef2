"""From a signal to its fills: orders that can fill do, the others wait, and both are recorded."""

import math
from collections.abc import Sequence

from src.engine.budget import ROUNDING
from src.engine.ledger import UnfilledLog
from src.engine.market import Rules
from src.engine.portfolio import Change, Portfolio, Sizing

NO_BAR = "no bar at its fill"
NO_VOLUME = "no volume"
NO_DAY_LEFT = "no trading day left in the window"
OVER_VOLUME = "more than its share of the day's volume"
CASH_IN_A_SELL = "not enough cash while a sell waits"
NO_CASH = "not enough cash"
FEE_OVER_CASH = "its fee is more than the cash at hand"
DELISTED = "it is no longer listed"


class Rebalancer:
    """Carries one signal at a time to its fills in one portfolio, paying with the cash at hand.

    Args:
        log: records orders that could not fill.
    """

    waits_for = CASH_IN_A_SELL
    """Why an order waits for another that cannot fill yet."""

    def __init__(self, rules: Rules, portfolio: Portfolio, log: UnfilledLog) -> None:
        self._rules = rules
        self._is_free = rules.is_free
        self._min_trade_value = rules.min_trade_value
        self._uses_volume = rules.slippage.uses_volume
        self._portfolio = portfolio
        self._sizing = Sizing(rules, portfolio)
        self._universe: Sequence[int] = range(len(portfolio.shares))
        self._delisted_unsaid: set[int] = set()
        self._signal_day = -1
        self._weights: Sequence[float] = ()
        self._log = log
        self.waiting: Sequence[int] = ()
        """The symbols of the latest signal that have not filled yet."""
        self.n_signals = 0
        """Number of signals so far."""
        self.most_requested: float | None = None
        self.most_affordable = 0.0
        """See src.engine.ledger.Ledger."""

    def take(self, day: int, weights: Sequence[float]) -> None:
        """Start on the signal of that day; orders still waiting from an earlier one are dropped."""
        self.n_signals += 1
        self._signal_day = day
        self._weights = weights
        self.waiting = self._universe
        if self._delisted_unsaid:
            self._note_delisted(day)

    def delist(self, day: int, symbol: int, last_close: float) -> None:
        """Settle the position and never trade the symbol again; its share of a signal stays cash."""
        self.settle(day, symbol, last_close)
        self._delisted_unsaid.add(symbol)
        if symbol in self.waiting:
            self._note_delisted(day)
        self._universe = [other for other in self._universe if other != symbol]
        self.waiting = [other for other in self.waiting if other != symbol]

    def settle(self, day: int, symbol: int, last_close: float) -> None:
        """Close the position at its last close times (1 + delisting_return)."""
        self._portfolio.settle(day, symbol, last_close * (1 + self._rules.delisting_return))

    def forget(self, symbol: int) -> None:
        """Make no more orders of this signal that would enter the symbol again."""
        if self._weights[symbol]:
            self.waiting = [other for other in self.waiting if other != symbol]

    def fill(
        self,
        day: int,
        prices: Sequence[float],
        marks: Sequence[float],
        volumes: Sequence[float],
        equity: float,
    ) -> None:
        """Fill the waiting orders that can trade at this moment: sells before buys, each in universe order.

        Args:
            day: timeline index.
            prices: the day's opens or closes, NaN for a symbol without a bar.
            marks: the prices, with a symbol's last known close in place of NaN; the same object if none is NaN.
            volumes: the day's volumes in shares; empty where slippage does not use them.
            equity: the portfolio's value at the marks.
        """
        sizing = self._sizing
        sizing.turn_to(self._weights, marks, volumes, equity)
        ready: Sequence[int] = self.waiting
        stuck: list[int] = []
        if self._uses_volume or marks is not prices:
            ready, stuck = self._split(prices, volumes)
        investable = equity if self._is_free else sizing.investable(ready)
        short_reason = self._note_stuck(day, stuck, prices, investable) if stuck else None
        changes = sizing.changes(ready, investable)
        if ready and not self._portfolio.fills:
            self._record_targets(ready, changes)
        short, short_reason = self._trade(day, changes, short_reason)
        self.waiting = sorted(stuck + short) if short_reason == self.waits_for else stuck

    def _trade(self, day: int, changes: Sequence[Change], short_reason: str | None) -> tuple[list[int], str | None]:
        """Make the changes, sells first.

        Args:
            short_reason: why a buy may not be affordable, None for no reason.

        Returns:
            The symbols of buys that fell short, and the reason, which may be a new one.
        """
        for symbol, change in changes:
            if change < 0 and not self._sell(day, symbol, change):
                short_reason = short_reason or NO_CASH
        short = []
        for symbol, change in changes:
            if change > 0 and not self._buy(day, symbol, change, short_reason):
                short.append(symbol)
        return short, short_reason

    def fill_freely(
        self,
        day: int,
        prices: Sequence[float],
        _marks: Sequence[float],
        _volumes: Sequence[float],
        equity: float,
    ) -> None:
        """The same in one quick loop, for use after the first fill where orders are free and no symbol lacks a bar."""
        portfolio, weights = self._portfolio, self._weights
        cash, shares, fills = portfolio.cash, portfolio.shares, portfolio.fills
        rounding, least = ROUNDING * equity, self._min_trade_value
        least = least if least > rounding else rounding
        buys = []
        for symbol in self.waiting:
            weight, price, held = weights[symbol], prices[symbol], shares[symbol]
            change = weight * equity / price - held if weight else -held
            value = change * price
            if change < 0:
                if value <= -least or not weight:
                    cash -= value
                    shares[symbol] = held + change
                    fills += (day, symbol, change, price, 0.0)
            elif value >= least and change:
                buys.append((symbol, change, price))
        for symbol, change, price in buys:
            value = change * price
            if value <= cash + rounding:
                cash -= value
                shares[symbol] += change
                fills += (day, symbol, change, price, 0.0)
            else:
                portfolio.cash = cash
                self._sizing.turn_to(weights, prices, (), equity)
                self._buy(day, symbol, change, None)
                cash = portfolio.cash
        portfolio.cash = cash
        self.waiting = ()

    def note_no_day_left(self, day: int, marks: Sequence[float]) -> None:
        """Record the orders of a signal on the window's last day, which have no day left to fill."""
        if self._signal_day != day:
            return
        self._sizing.turn_to(self._weights, marks, (), self._portfolio.value(marks))
        for symbol, _ in self._sizing.changes(self.waiting, self._sizing.equity):
            self._log.note(day, symbol, NO_DAY_LEFT)

    def _record_targets(self, ready: Sequence[int], changes: Sequence[Change]) -> None:
        """Keep the amounts that explain a run without orders."""
        wanted = max(abs(self._weights[symbol]) for symbol in ready) * self._sizing.equity
        self.most_requested = max(self.most_requested or 0.0, wanted)
        orders = (abs(change) * self._sizing.prices[symbol] for symbol, change in changes)
        self.most_affordable = max(self.most_affordable, *orders, 0.0)

    def _note_delisted(self, day: int) -> None:
        """Record, once per symbol, that the signal gives weight to a delisted one."""
        for symbol in sorted(self._delisted_unsaid):
            if self._weights[symbol]:
                self._log.note(day, symbol, DELISTED)
                self._delisted_unsaid.remove(symbol)

    def _split(self, prices: Sequence[float], volumes: Sequence[float]) -> tuple[list[int], list[int]]:
        """The waiting symbols that can trade now, and those that cannot but have a weight or a position."""
        max_shares = self._rules.slippage.max_shares
        ready, stuck = [], []
        for symbol in self.waiting:
            has_volume = not self._uses_volume or max_shares(volumes[symbol]) > 0
            if has_volume and not math.isnan(prices[symbol]):
                ready.append(symbol)
            elif self._weights[symbol] or self._portfolio.shares[symbol]:
                stuck.append(symbol)
        return ready, stuck

    def _note_stuck(self, day: int, stuck: list[int], prices: Sequence[float], investable: float) -> str | None:
        """Record the waits that matter at the last known prices.

        Returns:
            `waits_for` when a waiting order would free what others need; None otherwise.
        """
        changes = self._sizing.changes(stuck, investable)
        for symbol, _ in changes:
            self._log.note(day, symbol, NO_BAR if math.isnan(prices[symbol]) else NO_VOLUME)
        return self.waits_for if any(self._frees(symbol, change) for symbol, change in changes) else None

    def _frees(self, symbol: int, change: float) -> bool:
        """Whether the change frees what other orders need: a sell frees cash."""
        return change < 0

    def _sell(self, day: int, symbol: int, wanted: float) -> bool:
        """Sell what the day's volume allows, unless cash cannot pay the fee; True when all of it filled."""
        portfolio, sizing = self._portfolio, self._sizing
        if self._is_free:
            portfolio.trade(day, symbol, wanted, sizing.prices[symbol], 0.0)
            return True
        change = self._fillable(day, symbol, wanted) if self._uses_volume else wanted
        price, fee = sizing.quote(symbol, change)
        if portfolio.cash - change * price - fee < -sizing.rounding:
            self._log.note(day, symbol, FEE_OVER_CASH)
            return False
        portfolio.trade(day, symbol, change, price, fee)
        return change == wanted

    def _buy(self, day: int, symbol: int, wanted: float, short_reason: str | None) -> bool:
        """Buy what the day's volume and cash allow; False when it falls short for `short_reason`.

        Rounding and skipped small sells also cut buys slightly; that is not recorded.
        """
        portfolio, sizing = self._portfolio, self._sizing
        allowed = self._fillable(day, symbol, wanted) if self._uses_volume else wanted
        price, fee = (sizing.prices[symbol], 0.0) if self._is_free else sizing.quote(symbol, allowed)
        has_cash = allowed * price + fee <= portfolio.cash + sizing.rounding
        if has_cash and allowed == wanted and not wanted * sizing.prices[symbol] < sizing.least:
            portfolio.trade(day, symbol, wanted, price, fee)
            return True
        change = allowed
        if not has_cash:
            change = sizing.affordable(symbol, allowed, portfolio.cash)
            price, fee = sizing.quote(symbol, change)
        if not sizing.is_too_small(symbol, change):
            portfolio.trade(day, symbol, change, price, fee)
        if short_reason is None or sizing.is_too_small(symbol, allowed - change):
            return True
        self._log.note(day, symbol, short_reason)
        return False

    def _fillable(self, day: int, symbol: int, wanted: float) -> float:
        """The part of a change that the day's volume allows."""
        change = self._sizing.fillable(symbol, wanted)
        if change != wanted:
            self._log.note(day, symbol, OVER_VOLUME)
        return change
