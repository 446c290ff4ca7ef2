"""Sample answers and finished runs for tests of a run's files."""

import hashlib
from typing import Any

import numpy as np
import orjson

from src.models.metric_catalogue import METRIC_CATALOGUE
from src.services.results.earlier import result_from_json
from src.services.results.packing import packed
from src.services.results.result import Result
from src.services.storage.base import Storage
from src.services.storage.records.attempts import Outcome
from src.services.storage.records.runs import NewRun, RunKey, RunStatus
from tests.fakes.backtests import with_trades

SOURCE = "class Half(Strategy):\n    universe = ['SPY', 'BND']\n"


def answer(n_days: int = 300, n_orders: int = 20, **parts: Any) -> dict[str, Any]:
    """A realistic answer, deterministic for its arguments; `parts` replaces whole parts."""
    generator = np.random.default_rng(7)
    days = np.arange(np.datetime64("2015-01-02"), np.datetime64("2015-01-02") + n_days)
    times = days.astype("datetime64[s]").astype(np.int64).tolist()
    equity = (10_000.0 * np.cumprod(1.0 + generator.normal(0.0004, 0.01, n_days))).tolist()
    metrics = {entry.name: 0.125 for entry in METRIC_CATALOGUE} | {"treynor": None, "total_orders": n_orders}
    whole = {
        "run_hash": "0" * 64,
        "job_id": "0" * 64,
        "parameters": {
            "name": "Half and half",
            "starting_equity": 10_000.0,
            "start_date": "2015-01-01",
            "end_date": str(days[-1]),
            "universe": ["SPY", "BND"],
            "bar_size": "1d",
            "execution": "close_to_next_open",
            "commission": 1.0,
            "slippage": {"model": "half_spread", "bps": 2.0},
            "benchmark": "SPY",
            "risk_free_rate": None,
            "min_trade_value": 1.0,
            "seed": 0,
            "parameters": {"lookback_days": 21},
        },
        "metrics": metrics | {"undefined": {"treynor": "beta is too close to zero"}},
        "equity_stats": {"equity": equity[-1], "fees": 2.0, "slippage_cost": 1.0, "net_profit": 1.0, "volume": 5.0},
        "candles": [
            {"time": time, "open": value, "high": value * 1.01, "low": value * 0.99, "close": value}
            for time, value in zip(times, equity, strict=True)
        ],
        "orders": [order(number, str(days[number % n_days])) for number in range(1, n_orders + 1)],
        "holding_weights": [{"time": time, "weights": {"SPY": 0.5, "BND": 0.5}} for time in times[:n_orders]],
        "benchmark": [{"time": time, "value": 10_000.0 + index} for index, time in enumerate(times)],
        "logs": ["hello"],
        "warnings": ["These prices are synthetic."],
        "provenance": {
            "data_source": "mock",
            "is_synthetic": True,
            "data_hash": "ab12",
            "data": [
                {"symbol": "SPY", "first_day": "2015-01-02", "last_day": None, "rows": n_days, "fetched_at": None}
            ],
            "code_hash": hashlib.sha256(SOURCE.encode()).hexdigest(),
            "engine_version": "2",
            "sandbox": "docker",
            "seed": 0,
            "timings_ms": {"total": 12.5},
        },
    }
    return whole | parts


def order(number: int, day: str = "2015-01-05") -> dict[str, Any]:
    """One order with numbers that have many digits."""
    return {
        "id": str(number),
        "timestamp": f"{day}T00:00:00Z",
        "symbol": "SPY" if number % 2 else "BND",
        "action": "Buy" if number % 3 else "Sell",
        "price": 200.0 + 1 / number,
        "shares": number / 7,
        "fee": 1.0,
        "slippage_cost": 1e-9 / number,
    }


def result_of(content: dict[str, Any]) -> Result:
    """An answer as columns, with the round trips of its orders at prices that never move."""
    return with_trades(result_from_json(orjson.dumps(content)))


def run_key(number: int = 1, owner: str = "local") -> RunKey:
    """The address of a run."""
    return RunKey(owner, f"{number:064x}")


def request_of(number: int = 1) -> dict[str, Any]:
    """A request as it is stored."""
    return {"strategy_code": SOURCE, "start_date": "2015-01-01", "end_date": "2015-12-31", "seed": number}


def submitted(storage: Storage, number: int = 1, owner: str = "local") -> RunKey:
    """A queued run."""
    key = run_key(number, owner)
    ingredients = {"start_date": "2015-01-01", "end_date": "2015-12-31", "seed": number}
    storage.runs.submit(NewRun(key, "run", request_of(number), ingredients, ("SPY", "BND")))
    return key


def succeeded(storage: Storage, number: int = 1, owner: str = "local", **parts: Any) -> RunKey:
    """A run with a result."""
    key = submitted(storage, number, owner)
    lease = storage.runs.claim(60)
    assert lease.key == key
    content = answer(**{"run_hash": key.run_hash, "job_id": key.run_hash, **parts})
    assert storage.runs.finish(lease, Outcome(RunStatus.SUCCEEDED, packed(result_of(content))))
    return key
