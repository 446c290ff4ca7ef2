"""Cash and positions of one account, and the trades that target weights require at one moment."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import fsum, isnan, nan
from operator import mul
from typing import Any

from src.engine.budget import ROUNDING, Drop, largest_affordable
from src.engine.ledger import SIGNAL, Orders
from src.engine.market import Rules

FILL_FIELDS = 5
"""Numbers per fill in a flat list, which costs less than an object per fill."""

Change = tuple[int, float]
"""A symbol's index and signed shares: above zero to buy, below zero to sell."""

_Row = tuple[int, float, float, float]


class Portfolio:
    """One account: its cash, its positions and its past fills.

    Attributes:
        cash: account currency.
        shares: (n_symbols,) fractional shares in universe order.
        fills: every fill but settlements, flat: day, symbol, signed shares, price and fee of each.
        opened: (n_symbols,) timeline index of the fill that opened each position, as of the last call of average_costs.
    """

    def __init__(self, cash: float, symbols_count: int) -> None:
        self.cash = cash
        self.shares = [0.0] * symbols_count
        self.fills: list[Any] = []
        self.opened = [-1] * symbols_count
        self._settlements: list[Any] = []
        self._reasons: dict[int, int] = {}
        self._costs, self._counted = [nan] * symbols_count, [0.0] * symbols_count
        self._n_counted = 0

    def value(self, prices: Sequence[float]) -> float:
        """Cash plus positions at these prices; a price may be NaN for a symbol never held."""
        worth = fsum(map(mul, self.shares, prices))
        if isnan(worth):  # 0 shares × NaN
            worth = fsum(held * price for held, price in zip(self.shares, prices, strict=True) if held)
        return self.cash + worth

    def trade(self, day: int, symbol: int, change: float, price: float, fee: float) -> None:
        """Book one fill. A change of minus the holding leaves exactly 0.0 shares."""
        self.cash -= change * price + fee
        self.shares[symbol] += change
        self.fills += (day, symbol, change, price, fee)

    def exit(self, day: int, symbol: int, change: float, price: float, fee: float, reason: int) -> None:
        """Book one fill that a protective level caused."""
        self._reasons[len(self.fills) // FILL_FIELDS] = reason
        self.trade(day, symbol, change, price, fee)

    def receive(self, dividends: Sequence[tuple[int, float]]) -> None:
        """Book dividends, given as (symbol, cash per share), on the current holdings; shorts pay them."""
        if dividends:
            self.cash += fsum(self.shares[symbol] * amount for symbol, amount in dividends)

    def charge(self, days: int, marks: Sequence[float], borrow_rate: float, margin_rate: float) -> None:
        """Pay what shorts and negative cash cost over that many calendar days.

        Args:
            marks: the closes at which shorts are valued; NaN for a symbol never held.
            borrow_rate, margin_rate: yearly fractions, of the value of the shorts and of negative cash.
        """
        short = fsum(-held * mark for held, mark in zip(self.shares, marks, strict=True) if held < 0)
        owed = -self.cash if self.cash < 0 else 0.0
        self.cash -= days / 365 * (borrow_rate * short + margin_rate * owed)

    def settle(self, day: int, symbol: int, price: float) -> None:
        """Turn a position into cash at that price, free of costs; does nothing when none is held."""
        held = self.shares[symbol]
        if held:
            self.cash += held * price
            self.shares[symbol] = 0.0
            self._settlements += (day, symbol, -held, price, 0.0)

    def average_costs(self) -> list[float]:
        """(n_symbols,) the average fill price of each position, in account currency per share; NaN without one.

        Slippage is part of a fill's price and fees are not. A fill that enlarges a position moves its average, one that
        reduces it does not, and one that turns it from long to short, or back, begins a new one.
        """
        fills, costs, counted = self.fills, self._costs, self._counted
        for start in range(self._n_counted, len(fills), FILL_FIELDS):
            symbol, change, price = fills[start + 1 : start + 4]
            before = counted[symbol]
            after = counted[symbol] = before + change
            if before * after <= 0:
                costs[symbol], self.opened[symbol] = price, fills[start]
            elif abs(after) > abs(before):
                costs[symbol] = (before * costs[symbol] + change * price) / after
        self._n_counted = len(fills)
        return [cost if held else nan for cost, held in zip(costs, self.shares, strict=True)]

    def orders(self) -> Orders:
        """Every fill so far."""
        return _columns(self.fills, self._reasons)

    def settlements(self) -> Orders:
        """Every position settled so far."""
        return _columns(self._settlements, {})


def _columns(fills: list[Any], reasons: Mapping[int, int]) -> Orders:
    reason = [SIGNAL] * (len(fills) // FILL_FIELDS)
    for number, other in reasons.items():
        reason[number] = other
    return Orders(*[*(fills[field::FILL_FIELDS] for field in range(FILL_FIELDS)), reason])


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
    rounding: float
    """The rounding error of one rebalance, in account currency."""
    least: float
    """Account currency below which a change is skipped."""

    def __init__(self, rules: Rules, portfolio: Portfolio) -> None:
        self._portfolio = portfolio
        self._min_trade_value = rules.min_trade_value
        self._rounding = ROUNDING * rules.max_gross
        self._max_cost_share = 2 * rules.max_gross if rules.is_margin else 1.0
        self._fee = rules.commission.fee
        self._is_feeless = rules.commission.fee(1, 1) == 0
        self._fraction = rules.slippage.fraction
        self._max_shares = rules.slippage.max_shares
        self._uses_volume = rules.slippage.uses_volume
        if not self._uses_volume:
            fraction = rules.slippage.fraction(1, 1)
            self._buy_factor, self._sell_factor = 1 + fraction, 1 - fraction
        self._marginal_fee = rules.commission.marginal_fraction
        self._marginal_slippage = rules.slippage.marginal_fraction()

    def turn_to(
        self, weights: Sequence[float], prices: Sequence[float], volumes: Sequence[float], equity: float
    ) -> None:
        """Use these weights, prices and volumes (shares) from now on; `equity` is the value at these prices."""
        self._weights, self.prices, self._volumes, self.equity = weights, prices, volumes, equity
        # Rounding alone must never trade: it would pay a flat fee for nothing.
        self.rounding, least = self._rounding * equity, self._min_trade_value
        self.least = least if least > self.rounding else self.rounding

    def changes(self, symbols: Sequence[int], investable: float) -> list[Change]:
        """The trades that give each of `symbols` its weight of `investable`.

        Changes worth less than `least` are left out, except that a weight of zero always closes the position. A symbol
        that never had a price has a NaN change.
        """
        least = self.least
        changes = []
        for symbol, weight, price, held in self._rows(symbols):
            if weight:
                change = weight * investable / price - held
                if not -least < change * price < least:
                    changes.append((symbol, change))
            elif held:
                changes.append((symbol, -held))
        return changes

    def _rows(self, symbols: Sequence[int]) -> Iterable[_Row]:
        """Symbol, weight, price and shares held of each of `symbols`, which ascend."""
        weights, prices, shares = self._weights, self.prices, self._portfolio.shares
        if len(symbols) == len(shares):  # all of them
            return zip(symbols, weights, prices, shares)  # noqa: B905 - `strict` takes as long as two symbols
        return [(symbol, weights[symbol], prices[symbol], shares[symbol]) for symbol in symbols]

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
        if self._uses_volume:
            fraction = self._fraction(shares, self._volumes[symbol])
            factor = 1 + fraction if change > 0 else 1 - fraction
        else:
            factor = self._buy_factor if change > 0 else self._sell_factor
        price = self.prices[symbol] * factor
        return price, self._fee(shares, price)

    def investable(self, symbols: Sequence[int]) -> float:
        """The equity left after the costs of investing it in `symbols`: E' + costs(E') = equity."""
        spend = self._varying_spending(symbols) if self._uses_volume else self._constant_spending(symbols)

        def drops_above(investable: float) -> list[Drop]:
            return self._drops(symbols, investable)

        return largest_affordable(spend, self.equity, self.equity, drops_above, lambda: self._least_slope(symbols))

    def _varying_spending(self, symbols: Sequence[int]) -> Callable[[float], float]:
        """An amount plus the costs of investing it, where slippage depends on the order's size."""

        def spend(investable: float) -> float:
            parts = [investable]
            for symbol, wanted in self.changes(symbols, investable):
                change = self.fillable(symbol, wanted)
                price, fee = self.quote(symbol, change)
                parts.append((price - self.prices[symbol]) * change + fee)
            return fsum(parts)

        return spend

    def _constant_spending(self, symbols: Sequence[int]) -> Callable[[float], float]:
        """The same where slippage is a constant fraction: prices are known before the search, which takes most time."""
        least, fee_of = self.least, None if self._is_feeless else self._fee
        rows = []
        for _, weight, price, held in self._rows(symbols):
            if weight or held:
                buy, sell = price * self._buy_factor, price * self._sell_factor
                rows.append((weight, price, held, buy, buy - price, sell, sell - price))

        def spend(investable: float) -> float:
            parts = [investable]
            for weight, price, held, buy, lost_on_buy, sell, lost_on_sell in rows:
                change = weight * investable / price - held
                if weight and -least < change * price < least:
                    continue
                cost = (lost_on_buy if change > 0 else lost_on_sell) * change
                parts.append(cost if fee_of is None else cost + fee_of(abs(change), buy if change > 0 else sell))
            return fsum(parts)

        return spend

    def _drops(self, symbols: Sequence[int], investable: float) -> list[Drop]:
        """The amounts above `investable` at which reducing a position becomes too small to do, with its cost there."""
        drops = []
        equity, least = self.equity, self.least
        for symbol, weight, price, held in self._rows(symbols):
            size, value = weight, held * price - least
            if weight < 0:
                size, value = -weight, -held * price - least
            if size and size * investable < value < size * equity:
                wanted = -least / price if held > 0 else least / price
                change = self.fillable(symbol, wanted) if self._uses_volume else wanted
                at, fee = self.quote(symbol, change)
                drops.append((value / size, (at - price) * change + fee))
        return drops

    def _least_slope(self, symbols: Sequence[int]) -> float:
        """Minimum slope of spending: the more is invested, the smaller the orders that reduce, and their costs.

        They cost at most that fraction of the invested amount; twice max_gross in a margin account, where a fee may be
        charged on a price that slippage has raised.
        """
        fees = max((self._marginal_fee(self.prices[symbol]) for symbol in symbols), default=0.0)
        share = self._max_cost_share
        return max(0.0, 1.0 - share * self._marginal_slippage - share * fees)

    def affordable(self, symbol: int, change: float, cash: float) -> float:
        """The part of a buy that cash can pay for, costs included; 0.0 when it cannot even pay the fee."""

        def spend(shares: float) -> float:
            price, fee = self.quote(symbol, shares)
            return shares * price + fee

        return largest_affordable(spend, cash, change)
