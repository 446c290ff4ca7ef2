"""A small market, a correct claim about it calculated by hand, and tools to falsify claims."""

import math
from dataclasses import dataclass, replace

import numpy as np
from hqg_algorithms import ExecutionTiming

from src.engine.costs import commission_from_wire, slippage_from_wire
from src.execution.audit.audit import AuditRules, Claim

NO_BAR = (math.nan,) * 5
INTEGERS = ("day", "symbol", "reason")
ORDER_COLUMNS = ("day", "symbol", "shares", "price", "fee", "reason")
DAILY_COLUMNS = ("cash", "equity")


@dataclass(frozen=True, eq=False)
class Bars:
    """Prices in the form that the audit takes."""

    dates: np.ndarray
    symbols: tuple[str, ...]
    bars: np.ndarray


def market(*days, symbols=("AAA", "BBB"), first="2024-01-02"):
    """One row per day, with one (open, high, low, close, volume) per symbol."""
    bars = np.array(days, dtype=np.float64).reshape(len(days), len(symbols), 5)
    return Bars(np.datetime64(first, "D") + np.arange(len(days)), symbols, bars)


def rules(
    capital=5000.0, at_open=False, min_trade_value=1.0, commission=0.0, slippage=0.0, first_signal_day=0, **others
):
    timing = ExecutionTiming.CLOSE_TO_NEXT_OPEN if at_open else ExecutionTiming.CLOSE_TO_CLOSE
    return AuditRules(
        initial_capital=capital,
        execution=timing,
        min_trade_value=min_trade_value,
        commission=commission_from_wire(commission),
        slippage=slippage_from_wire(slippage),
        first_signal_day=first_signal_day,
        **others,
    )


def claim(orders, cash, equity):
    """Orders are (day, symbol, shares, price, fee)."""
    columns = np.array(orders, dtype=np.float64).reshape(-1, 5).T
    return Claim(
        columns[0].astype(np.int32),
        columns[1].astype(np.int32),
        *columns[2:].copy(),
        np.array(cash, dtype=np.float64),
        np.array(equity, dtype=np.float64),
        np.zeros(columns.shape[1], dtype=np.int32),
    )


def with_value(right, column, row, value):
    """The same claim with one field of one row changed."""
    values = getattr(right, column).copy()
    values[row] = value
    return replace(right, **{column: values})


def with_orders(right, rows):
    """The same claim with these rows of its orders, in this order."""
    return replace(right, **{name: getattr(right, name)[list(rows)] for name in ORDER_COLUMNS})


MARKET = market(
    [(9.5, 10.5, 9.0, 10.0, 1e6), (50.0, 52.0, 49.0, 50.0, 1e6)],
    [(10.0, 12.0, 10.0, 11.0, 1e6), NO_BAR],
    [(11.0, 13.0, 10.0, 12.0, 1e6), (45.0, 46.0, 39.0, 40.0, 1e6)],
    [(12.0, 12.5, 10.5, 11.0, 1e6), (41.0, 45.0, 40.0, 44.0, 1e6)],
)
"""Four days; BBB is absent on the second."""

AT_CLOSE_RULES = rules(commission=1.0, slippage=0.01)
AT_CLOSE = claim(
    # Buys pay 1 % more than the close, the sell gets 1 % less, and each order costs 1.
    [(0, 0, 100, 10.1, 1), (2, 0, -40, 11.88, 1), (2, 1, 50, 40.4, 1)],
    # 5000 − 1010 − 1; unchanged; + 475.2 − 1 − 2020 − 1; unchanged
    [3989.0, 3989.0, 2442.2, 2442.2],
    # + 100·10; + 100·11; + 60·12 + 50·40; + 60·11 + 50·44
    [4989.0, 5089.0, 5162.2, 5302.2],
)
"""A correct claim for fills at the close."""

AT_OPEN_RULES = rules(at_open=True, commission={"model": "rate", "rate": 0.001})
AT_OPEN = claim(
    [(1, 0, 200, 10.0, 2.0), (2, 1, 20, 45.0, 0.9), (3, 0, -200, 12.0, 2.4)],
    # 5000 · · ; − 2000 − 2; − 900 − 0.9; + 2400 − 2.4
    [5000.0, 2998.0, 2097.1, 4494.7],
    # nothing held; + 200·11; + 200·12 + 20·40; + 20·44
    [5000.0, 5198.0, 5297.1, 5374.7],
)
"""A correct claim for fills at the open."""
