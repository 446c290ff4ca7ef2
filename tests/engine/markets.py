"""Small markets for the engine's tests, written as lists of prices, and strategies that follow a plan."""

import math
from array import array
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from hqg_algorithms import BarSize, ExecutionTiming

from src.engine.costs import NoSlippage, PerOrder
from src.engine.ledger import Ledger, Orders
from src.engine.market import Market, Rules
from src.engine.simulator import Decide

EPOCH = date(1970, 1, 1)
MONDAY = date(2024, 1, 1)

CLOSE_TO_CLOSE = ExecutionTiming.CLOSE_TO_CLOSE
NEXT_OPEN = ExecutionTiming.CLOSE_TO_NEXT_OPEN


def consecutive(count: int, first: date = MONDAY) -> list[date]:
    """`count` calendar days in a row."""
    return [first + timedelta(days=day) for day in range(count)]


def market(
    closes: Mapping[str, Sequence[float | None]],
    opens: Mapping[str, Sequence[float | None]] | None = None,
    volumes: Mapping[str, Sequence[float | None]] | None = None,
    dates: Sequence[date] | None = None,
    last_period_complete: bool = True,
    delistings: Mapping[int, int] | None = None,
) -> Market:
    """A market from closes per symbol, None for a day without a bar; opens default to the closes."""
    count = len(next(iter(closes.values())))
    bars = array("d")
    for day in range(count):
        for symbol in closes:
            bars.extend(_bar(symbol, day, closes, opens or closes, volumes or {}))
    days = [(moment - EPOCH).days for moment in dates or consecutive(count)]
    return Market(days, tuple(closes), memoryview(bars), last_period_complete, delistings or {})


def _bar(symbol: str, day: int, closes: Any, opens: Any, volumes: Any) -> list[float]:
    close = closes[symbol][day]
    if close is None:
        return [math.nan] * 5
    opening = opens[symbol][day]
    volume = volumes[symbol][day] if symbol in volumes else 1e9
    return [opening, max(opening, close), min(opening, close), close, math.nan if volume is None else volume]


def rules(**changes: Any) -> Rules:
    """Daily, close to close, 1,000 of capital, no minimum trade, no costs, except for `changes`."""
    usual: dict[str, Any] = {
        "bar_size": BarSize.DAILY,
        "execution": CLOSE_TO_CLOSE,
        "initial_capital": 1000.0,
        "min_trade_value": 0.0,
        "commission": PerOrder(0.0),
        "slippage": NoSlippage(),
    }
    return Rules(**usual | changes)


def plan(weights_by_day: Mapping[int, Sequence[float]]) -> Decide:
    """A strategy that returns these weights on these days and holds on all others."""
    return lambda day, *_: weights_by_day.get(day)


def always(*weights: float) -> Decide:
    """A strategy that returns the same weights at every call."""
    return lambda *_: weights


def fills(ledger: Ledger) -> list[tuple[int, int, float, float, float]]:
    """(day, symbol, shares, price, fee) of each order."""
    return _rows(ledger.orders)


def settled(ledger: Ledger) -> list[tuple[int, int, float, float, float]]:
    """(day, symbol, shares, price, fee) of each settlement."""
    return _rows(ledger.settlements)


def _rows(orders: Orders) -> list[tuple[int, int, float, float, float]]:
    return list(zip(orders.day, orders.symbol, orders.shares, orders.price, orders.fee, strict=True))


def real_prices(folder: Path, symbols: Sequence[str], first: str, last: str) -> dict[str, pd.DataFrame]:
    """Field → (n_days, n_symbols) frame of real prices on the union of the symbols' days."""
    files = {symbol: pd.read_parquet(folder / f"{symbol}.parquet").loc[first:last] for symbol in symbols}
    fields = ("open", "high", "low", "close", "volume")
    return {field: pd.DataFrame({s: frame[field] for s, frame in files.items()}) for field in fields}


def market_of(
    prices: Mapping[str, pd.DataFrame], last_period_complete: bool = True, delistings: Mapping[int, int] | None = None
) -> Market:
    """The same prices in the engine's form."""
    close = prices["close"]
    bars = np.stack([prices[field].to_numpy() for field in ("open", "high", "low", "close", "volume")], axis=2)
    days = close.index.to_numpy().astype("datetime64[D]").astype(int).tolist()
    flat = memoryview(np.ascontiguousarray(bars, dtype=np.float64).reshape(-1))
    return Market(days, tuple(close.columns), flat, last_period_complete, delistings or {})
