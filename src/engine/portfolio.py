"""Cash and positions of one account, and the trades that target weights require at one moment."""

import math
from collections.abc import Sequence
from operator import mul

from src.engine.budget import ROUNDING, Drop, largest_affordable
from src.engine.ledger import Orders
from src.engine.market import Rules

_Fill = tuple[int, int, float, float, float]

Change = tuple[int, float]
"""A symbol's index and signed shares: above zero to buy, below zero to sell."""


class Portfolio:
    """Cash (account currency), fractional shares (one count per symbol in universe order), and past fills."""

    def __init__(self, cash: float, symbols_count: int) -> None:
        self.cash = cash
        self.shares = [0.0] * symbols_count
        self._fills: list[_Fill] = []
        self._settlements: list[_Fill] = []

    def value(self, prices: Sequence[float]) -> float:
        """Cash plus positions at these prices; a price may be NaN for a symbol never held."""
        worth = math.fsum(map(mul, self.shares, prices))
        if math.isnan(worth):  # 0 shares × NaN
            worth = math.fsum(held * price for held, price in zip(self.shares, prices, strict=True) if held)
        return self.cash + worth

    def trade(self, day: int, symbol: int, change: float, price: float, fee: float) -> None:
        """Book one fill. A change of minus the holding leaves exactly 0.0 shares."""
        self.cash -= change * price + fee
        self.shares[symbol] += change
        self._fills.append((day, symbol, change, price, fee))

    def receive(self, dividends: Sequence[tuple[int, float]]) -> None:
        """Book dividends, given as (symbol, cash per share), on the current holdings."""
        self.cash += math.fsum(self.shares[symbol] * amount for symbol, amount in dividends)

    def settle(self, day: int, symbol: int, price: float) -> None:
        """Turn a position into cash at that price, free of costs; does nothing when none is held."""
        held = self.shares[symbol]
        if held:
            self.cash += held * price
            self.shares[symbol] = 0.0
            self._settlements.append((day, symbol, -held, price, 0.0))

    @property
    def has_traded(self) -> bool:
        """Whether any signal was filled."""
        return bool(self._fills)

    @property
    def n_orders(self) -> int:
        """Number of fills so far."""
        return len(self._fills)

    def orders(self) -> Orders:
        """Every fill so far."""
        return _columns(self._fills)

    def settlements(self) -> Orders:
        """Every position settled so far."""
        return _columns(self._settlements)


def _columns(fills: list[_Fill]) -> Orders:
    return Orders(*map(list, zip(*fills, strict=True))) if fills else Orders()


class Sizing:
    """The trades that target weights require of a portfolio, one moment at a time.

    Args:
        rules: for costs and the minimum trade.
        portfolio: read, never changed.
    """

    prices: Sequence[float]
    """Reference prices of the moment in universe order, NaN for a symbol that never had one."""
    equity: float
    """The portfolio's value at these prices, in account currency."""
    least: float
    """Account currency below which a change is skipped."""

    def __init__(self, rules: Rules, portfolio: Portfolio) -> None:
        self._portfolio = portfolio
        self._min_trade_value = rules.min_trade_value
        self._fee = rules.commission.fee
        self._fraction = rules.slippage.fraction
        self._max_shares = rules.slippage.max_shares
        self._uses_volume = rules.slippage.uses_volume
        self._marginal_fee = rules.commission.marginal_fraction
        self._marginal_slippage = rules.slippage.marginal_fraction()

    def turn_to(self, weights: Sequence[float], prices: Sequence[float], volumes: Sequence[float]) -> None:
        """Use these weights, prices and volumes (shares) from now on."""
        self._weights, self.prices, self._volumes = weights, prices, volumes
        self.equity = self._portfolio.value(prices)
        # Rounding alone must never trade: it would pay a flat fee for nothing.
        rounding, least = ROUNDING * self.equity, self._min_trade_value
        self.least = least if least > rounding else rounding

    def changes(self, symbols: Sequence[int], investable: float) -> list[Change]:
        """The trades that give each of `symbols` its weight of `investable`.

        Changes worth less than `least` are left out, except that a weight of zero always closes the position. A symbol
        that never had a price has a NaN change.
        """
        weights, prices, shares, least = self._weights, self.prices, self._portfolio.shares, self.least
        changes = []
        for symbol in symbols:
            weight, held = weights[symbol], shares[symbol]
            if weight:
                price = prices[symbol]
                change = weight * investable / price - held
                if not -least < change * price < least:
                    changes.append((symbol, change))
            elif held:
                changes.append((symbol, -held))
        return changes

    def is_too_small(self, symbol: int, shares: float) -> bool:
        """True when that many shares are worth less than the minimum trade."""
        return shares * self.prices[symbol] < self.least

    def fillable(self, symbol: int, change: float) -> float:
        """The part of a change that the day's volume allows."""
        most = self._max_shares(self._volumes[symbol])
        return max(-most, min(change, most))

    def quote(self, symbol: int, change: float) -> tuple[float, float]:
        """Fill price and fee of a change: buys pay slippage on top of the price, sells give it up."""
        shares = abs(change)
        fraction = self._fraction(shares, self._volumes[symbol])
        price = self.prices[symbol] * (1 + fraction if change > 0 else 1 - fraction)
        return price, self._fee(shares, price)

    def investable(self, symbols: Sequence[int]) -> float:
        """The equity left after the costs of investing it in `symbols`: E' + costs(E') = equity."""

        def spend(investable: float) -> float:
            parts = [investable]
            for symbol, wanted in self.changes(symbols, investable):
                change = self.fillable(symbol, wanted) if self._uses_volume else wanted
                price, fee = self.quote(symbol, change)
                parts.append((price - self.prices[symbol]) * change + fee)
            return math.fsum(parts)

        def drops_above(investable: float) -> list[Drop]:
            return self._drops(symbols, investable)

        return largest_affordable(spend, self.equity, self.equity, drops_above, self._least_slope(symbols))

    def _drops(self, symbols: Sequence[int], investable: float) -> list[Drop]:
        """The amounts above `investable` at which a sell becomes too small to make, with the sell's cost there."""
        drops = []
        for symbol in symbols:
            weight, price = self._weights[symbol], self.prices[symbol]
            value = self._portfolio.shares[symbol] * price - self.least
            if weight and weight * investable < value < weight * self.equity:
                change = self.fillable(symbol, -self.least / price) if self._uses_volume else -self.least / price
                at, fee = self.quote(symbol, change)
                drops.append((value / weight, (at - price) * change + fee))
        return drops

    def _least_slope(self, symbols: Sequence[int]) -> float:
        """Minimum slope of spending: the more is invested, the smaller the sells and their costs."""
        fees = max((self._marginal_fee(self.prices[symbol]) for symbol in symbols), default=0.0)
        return max(0.0, 1.0 - self._marginal_slippage - fees)

    def affordable(self, symbol: int, change: float, cash: float) -> float:
        """The part of a buy that cash can pay for, costs included; 0.0 when it cannot even pay the fee."""

        def spend(shares: float) -> float:
            price, fee = self.quote(symbol, shares)
            return shares * price + fee

        return largest_affordable(spend, cash, change)
