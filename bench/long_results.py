"""Synthetic results with many days and orders, for tests and benchmarks of the studio's page."""

from typing import Any

import numpy as np

STARTING_EQUITY = 10_000.0


def long_result(n_days: int, n_symbols: int) -> dict[str, Any]:
    """An answer in which every symbol trades on each of so many days, buys and sells in turns.

    It has the parts that the page reads, as long as real ones, but not audited.
    """
    days = np.busday_offset(np.datetime64("2000-01-03"), np.arange(n_days), roll="forward")
    times = days.astype("datetime64[s]").astype(int).tolist()
    equity = (STARTING_EQUITY * np.cumprod(1 + np.random.default_rng(7).normal(0.0004, 0.01, n_days))).tolist()
    symbols = [f"S{number:03d}" for number in range(n_symbols)]
    orders = [
        {
            "timestamp": f"{days[day]}T00:00:00Z",
            "symbol": symbol,
            "action": "Buy" if (day + place) % 2 == 0 else "Sell",
            "price": 10.0 + place + day * 0.01234567,
            "shares": 0.123456789 + place / 7,
            "fee": 0.0,
            "slippage_cost": 0.0012345,
        }
        for day in range(n_days)
        for place, symbol in enumerate(symbols)
    ]
    for number, order in enumerate(orders, start=1):
        order["id"] = str(number)
    facts = _facts(symbols, days[[0, -1]].astype(str).tolist())
    columns = {
        "candles": [
            {"time": time, "open": value * 0.999, "high": value * 1.004, "low": value * 0.995, "close": value}
            for time, value in zip(times, equity, strict=True)
        ],
        "orders": orders,
        "holding_weights": [{"time": time, "weights": dict.fromkeys(symbols, 0.9 / n_symbols)} for time in times],
        "benchmark": [{"time": time, "value": value * 0.9} for time, value in zip(times, equity, strict=True)],
    }
    tail = {name: facts.pop(name) for name in ("logs", "warnings", "provenance")}
    return facts | columns | tail


def eleven_years() -> dict[str, Any]:
    """2,772 days, and 600 orders of one symbol on 600 of them."""
    result = long_result(2_772, 1)
    result["orders"] = result["orders"][::4][:600]
    for number, order in enumerate(result["orders"]):
        order["action"] = "Sell" if number % 2 else "Buy"
    return result


def _facts(symbols: list[str], window: list[str]) -> dict[str, Any]:
    parameters = {
        "name": "large",
        "starting_equity": STARTING_EQUITY,
        "start_date": window[0],
        "end_date": window[1],
        "universe": symbols,
        "bar_size": "1d",
        "execution": "close_to_close",
        "commission": 0.0,
        "slippage": 0.0,
        "benchmark": "SPY",
        "risk_free_rate": None,
        "min_trade_value": 1.0,
        "seed": 0,
        "parameters": {},
    }
    provenance = {
        "data_source": "mock",
        "is_synthetic": True,
        "data_hash": "ab12",
        "code_hash": "cd34",
        "engine_version": "1",
        "sandbox": "none",
        "seed": 0,
        "timings_ms": {"total": 1.0},
    }
    return {
        "parameters": parameters,
        "metrics": {"total_return": 0.01, "total_orders": 1, "undefined": {}},
        "equity_stats": {"equity": 10_100.0, "fees": 0.0, "slippage_cost": 0.0, "net_profit": 100.0, "return_pct": 1.0},
        "logs": [],
        "warnings": [],
        "provenance": provenance,
    }
