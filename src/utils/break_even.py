"""The trading cost at which the whole return would be lost."""

import math

import numpy as np

from src.utils.return_stats import Float64Array, Undefined
from src.utils.trade_stats import TradeColumns

_HIGHEST_COST = 1e6
"""As a fraction of traded value. A run that survives this cost has no meaningful break-even."""


@np.errstate(all="ignore")  # overflows raise Undefined below
def break_even_cost_bps(
    trades: TradeColumns, equity: Float64Array, initial_capital: float, position_value: Float64Array
) -> float:
    """The cost of trading, fees and slippage together, at which the total return would be zero.

    Recorded fees and slippage are removed, and every order pays the same fraction c of its value at the
    reference price instead. A strategy of target weights would then hold the same weights of less money,
    so orders and holdings shrink with equity. On a day that trades the fraction `traded` of equity, equity
    keeps the fraction k = 1 − c · traded(k). The buys are k times the holdings they led to, hence
    k = 1 − c · traded ÷ (1 + c · tilt), where `tilt` is the weight of what was bought minus the weight of
    everything else. c is the root of growth · Πk = 1, found by bisection.

    It equals a rerun at that commission rate for strategies of target weights that fill at the close, as long as no
    order changes direction and none is skipped as too small. With a minimum trade above zero the costlier run has less
    money and skips other orders: the result then differs from reruns by some tenths of a percent, for small accounts
    by up to 2 %. For fills at the open the day's closing equity stands in for the equity at the open.

    Args:
        trades: every order of the run.
        equity: (n_days,) at the day's close, costs included.
        initial_capital: equity before the first day.
        position_value: (n_days,) value of all positions at the day's close, after the day's fills.

    Returns:
        Basis points (hundredths of a percent) of traded value.

    Raises:
        Undefined: no orders, no profit, or equity that reached zero on the way.
    """
    if not trades.traded_value.any():
        raise Undefined("no orders")
    if not equity[-1] > initial_capital:
        raise Undefined("the total return is not positive")
    if not (equity > 0.0).all():
        raise Undefined("equity reached zero")
    paid = trades.per_day(trades.fee + trades.slippage_cost, len(equity))
    before_costs = equity + paid
    growth = float(equity[-1] / initial_capital / (equity / before_costs).prod())
    bought = np.where(trades.shares > 0.0, _shares_after(trades) * trades.reference_price, 0.0)
    tilt = (2.0 * trades.per_day(bought, len(equity)) - position_value) / equity
    charged = trades.shares if trades.is_settlement is None else np.where(trades.is_settlement, 0.0, trades.shares)
    value = trades.per_day(np.abs(charged) * trades.reference_price, len(equity))
    # Costs paid were not invested: without them the buys are larger and the sells smaller.
    traded = np.maximum(value + paid * tilt, 0.0) / before_costs
    trading = traded > 0.0
    if not (math.isfinite(growth) and np.isfinite(traded + tilt).all() and trading.any()):
        raise Undefined("orders or their costs are out of proportion to equity")
    return _root(growth, traded[trading], tilt[trading]) * 10_000.0


def _root(growth: float, traded: Float64Array, tilt: Float64Array) -> float:
    def final_over_initial(cost: float) -> float:
        return growth * float((1.0 - cost * traded / (1.0 + cost * tilt)).prod())

    # Where cost · (traded − tilt) reaches one, a day's costs take the whole equity.
    lethal = 1.0 / max(float((traded - tilt).max()), 1.0 / _HIGHEST_COST)
    low, high = 0.0, min(1e-4, lethal)
    while high < lethal and final_over_initial(high) > 1.0:
        low, high = high, min(2.0 * high, lethal)
    if final_over_initial(high) > 1.0:
        raise Undefined("no cost of trading takes the whole return")
    for _ in range(100):
        middle = 0.5 * (low + high)
        if not low < middle < high:  # no float64 lies between them
            break
        low, high = (middle, high) if final_over_initial(middle) > 1.0 else (low, middle)
    return high


def _shares_after(trades: TradeColumns) -> Float64Array:
    """Shares held of each order's symbol after its fill, (n_orders,)."""
    by_symbol = np.argsort(trades.symbol, kind="stable")
    running = np.cumsum(trades.shares[by_symbol])
    is_first = np.concatenate(([True], np.diff(trades.symbol[by_symbol]) != 0))
    before_symbol = (running - trades.shares[by_symbol])[is_first]
    after = np.empty_like(running)
    after[by_symbol] = running - before_symbol[np.cumsum(is_first) - 1]
    return after
