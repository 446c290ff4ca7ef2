"""Statistics of a run's orders: closed trades at average cost, costs, turnover, exposure."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from src.utils.return_stats import MINIMUM_RETURNS, NEGLIGIBLE, Float64Array, Undefined

IndexArray = npt.NDArray[np.integer]


@dataclass(frozen=True)
class TradeColumns:
    """Filled orders in order of filling, one column per field, all (n_orders,).

    Attributes:
        day: index into the days of the equity curve.
        symbol: index of the symbol traded.
        shares: signed share count; positive buys, negative sells.
        price: fill price per share, slippage included.
        fee: commission of the order, at least zero.
        reference_price: the price per share before slippage.
        is_settlement: True where a delisting closed the position, without a commission; None if no order is one.
        may_be_short: whether a sell may open a short position, which a buy then closes.
    """

    day: IndexArray
    symbol: IndexArray
    shares: Float64Array
    price: Float64Array
    fee: Float64Array
    reference_price: Float64Array
    is_settlement: npt.NDArray[np.bool_] | None = None
    may_be_short: bool = False

    @cached_property
    def traded_value(self) -> Float64Array:
        """|shares| · price of each order."""
        return np.abs(self.shares) * self.price

    @cached_property
    def slippage_cost(self) -> Float64Array:
        """|shares| · |price − reference price| of each order."""
        return np.abs(self.shares) * np.abs(self.price - self.reference_price)

    def per_day(self, column: Float64Array, n_days: int) -> Float64Array:
        """Sum of a column over each day, (n_days,)."""
        total: Float64Array = np.bincount(self.day, weights=column, minlength=n_days).astype(np.float64)
        return total


@dataclass(frozen=True)
class ClosedTrades:
    """Every fill that closed shares, measured against the average cost of those shares.

    Attributes:
        pnl: (n_closes,) proceeds minus the sell's fee minus `cost`; for shorts `cost` minus the payment and its fee.
        cost: (n_closes,) cost of the closed shares, buy fees and slippage included; for shorts the proceeds of their
            sale less its fees.
    """

    pnl: Float64Array
    cost: Float64Array

    @cached_property
    def returns(self) -> Float64Array:
        """pnl ÷ cost of each trade, a fraction; exactly 0.0 where pnl differs from zero only by rounding."""
        ratio: Float64Array = self.pnl / self.cost
        return np.where(np.abs(ratio) > NEGLIGIBLE, ratio, 0.0)


def close_trades(trades: TradeColumns) -> ClosedTrades:
    """Match sells with buys of the same symbol at average cost, in order of filling.

    A sell of a fraction of the shares held takes that fraction of their cost. Selling more than is held, by a
    rounding error, closes all of it. Selling shares that were never bought closes nothing.

    Where positions may be short, a buy closes a short likewise, and an order that turns a position around closes all
    of it and opens the rest; its price and fee are divided by shares.
    """
    by_symbol = np.argsort(trades.symbol, kind="stable")
    is_first = np.concatenate(([True], np.diff(trades.symbol[by_symbol]) != 0))[: len(by_symbol)]
    outlay = trades.shares * trades.price + trades.fee
    if trades.may_be_short:
        closes = _closes_either_way(is_first.tolist(), trades.shares[by_symbol].tolist(), outlay[by_symbol].tolist())
        pnl_cost = np.empty((len(outlay), 2))
        pnl_cost[by_symbol] = np.array(closes).reshape(-1, 2)
        is_close = pnl_cost[:, 1] > 0.0
        return ClosedTrades(*pnl_cost[is_close].T)
    cost = np.empty_like(outlay)
    cost[by_symbol] = _closed_costs(is_first.tolist(), trades.shares[by_symbol].tolist(), outlay[by_symbol].tolist())
    is_close = cost > 0.0
    return ClosedTrades(pnl=-outlay[is_close] - cost[is_close], cost=cost[is_close])


def _closed_costs(is_first: list[bool], shares: list[float], outlay: list[float]) -> list[float]:
    """The average cost of the shares each sell closes, 0.0 for a buy; orders are grouped by symbol.

    A plain loop, because each order's average depends on all before it and NumPy's calls are slower.
    """
    closed_costs: list[float] = []
    held = cost_held = 0.0
    for starts_symbol, change, paid in zip(is_first, shares, outlay, strict=True):
        if starts_symbol:
            held = cost_held = 0.0
        closed = 0.0
        if change > 0.0:
            cost_held += paid
        elif held > 0.0:
            closed = cost_held * (-change / held) if -change < held else cost_held
            cost_held -= closed
        held = held + change if held + change > 0.0 else 0.0
        closed_costs.append(closed)
    return closed_costs


def _closes_either_way(is_first: list[bool], shares: list[float], outlay: list[float]) -> list[tuple[float, float]]:
    """The pnl and cost of the shares that each order closes, long or short; zeros where it closes none.

    Args:
        outlay: what each order paid, fees included; below zero where it received money.
    """
    closes = []
    held = spent = 0.0
    for starts_symbol, change, paid in zip(is_first, shares, outlay, strict=True):
        if starts_symbol:
            held = spent = 0.0
        pnl = cost = 0.0
        opened = 1.0
        if held * change < 0.0:
            closed = min(1.0, -change / held)
            opened = max(0.0, 1.0 + held / change)
            pnl, cost = -paid * (1.0 - opened) - spent * closed, abs(spent) * closed
            spent *= 1.0 - closed
        spent += paid * opened
        held += change
        if abs(held) <= NEGLIGIBLE * abs(change):  # closed but for rounding
            held = spent = 0.0
        closes.append((pnl, cost))
    return closes


def win_rate(trades: ClosedTrades) -> float:
    """Share of closed trades with a profit."""
    return len(_winners(trades)) / _count(trades)


def loss_rate(trades: ClosedTrades) -> float:
    """Share of closed trades with a loss; a trade that broke even is neither."""
    return len(_losers(trades)) / _count(trades)


def average_win(trades: ClosedTrades) -> float:
    """Mean of pnl ÷ cost over the winners, a fraction."""
    _count(trades)
    winners = _winners(trades)
    if not len(winners):
        raise Undefined("no closed trade made a profit")
    return float(winners.mean())


def average_loss(trades: ClosedTrades) -> float:
    """Mean of pnl ÷ cost over the losers, a negative fraction."""
    _count(trades)
    losers = _losers(trades)
    if not len(losers):
        raise Undefined("no closed trade made a loss")
    return float(losers.mean())


def profit_factor(trades: ClosedTrades) -> float:
    """Sum of all profits over the sum of all losses, both in account currency."""
    average_loss(trades)  # raises if there is no loss to divide by
    profit = float(trades.pnl[trades.returns > 0.0].sum())
    return profit / -float(trades.pnl[trades.returns < 0.0].sum())


def expectancy(trades: ClosedTrades) -> float:
    """Mean of pnl ÷ cost over all closed trades: win_rate · avg_win + loss_rate · avg_loss."""
    _count(trades)
    return float(trades.returns.mean())


def profit_loss_ratio(trades: ClosedTrades) -> float:
    """Average win over the size of the average loss."""
    return average_win(trades) / -average_loss(trades)


def turnover(trades: TradeColumns, equity: Float64Array, periods_per_year: int) -> float:
    """Half the yearly sum of daily traded value ÷ equity: 1.0 replaces the portfolio once a year.

    Args:
        equity: (n_days,) at the day's close.
    """
    if len(equity) < MINIMUM_RETURNS:
        raise Undefined(f"needs at least {MINIMUM_RETURNS} days, has {len(equity)}")
    _require_positive(equity)
    traded_value = trades.per_day(trades.traded_value, len(equity))
    return 0.5 * float((traded_value / equity).mean()) * periods_per_year


def exposure(position_value: Float64Array, equity: Float64Array) -> float:
    """Mean share of equity that is invested at the close, shorts counted as positive; (n_days,) each."""
    _require_positive(equity)
    return float((position_value / equity).mean())


def equity_stats(equity: Float64Array, initial_capital: float, trades: TradeColumns) -> dict[str, float]:
    """A run's totals in account currency, except return_pct, which is in percent.

    Returns:
        equity (final), fees, slippage_cost, net_profit, return_pct, volume (Σ |shares| · price).
    """
    final = float(equity[-1])
    return {
        "equity": final,
        "fees": float(trades.fee.sum()),
        "slippage_cost": float(trades.slippage_cost.sum()),
        "net_profit": final - initial_capital,
        "return_pct": (final / initial_capital - 1.0) * 100.0,
        "volume": float(trades.traded_value.sum()),
    }


def _count(trades: ClosedTrades) -> int:
    if not len(trades.pnl):
        raise Undefined("no closed trades")
    return len(trades.pnl)


def _winners(trades: ClosedTrades) -> Float64Array:
    return trades.returns[trades.returns > 0.0]


def _losers(trades: ClosedTrades) -> Float64Array:
    return trades.returns[trades.returns < 0.0]


def _require_positive(equity: Float64Array) -> None:
    if not (equity > 0.0).all():
        raise Undefined("equity reached zero")
