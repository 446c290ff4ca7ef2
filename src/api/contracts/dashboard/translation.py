"""Converts a stored run to the dashboard's job contract."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from src.api.responses.run_summary import iso_time
from src.services.results.answer_json import candle_pieces, order_pieces, section_members, weight_pieces
from src.services.results.result import Result
from src.services.results.sections import NOTHING, Asked
from src.services.storage.records.runs import RunRecord, RunStatus
from src.utils.json_bytes import json_bytes, object_pieces

_STATUSES = {
    RunStatus.QUEUED: "PENDING",
    RunStatus.RUNNING: "RUNNING",
    RunStatus.SUCCEEDED: "COMPLETED",
    RunStatus.FAILED: "FAILED",
    RunStatus.TIMED_OUT: "FAILED",
    RunStatus.CANCELLED: "CANCELLED",
}

_METRICS = {
    "sharpe": "sharpe_ratio",
    "sortino": "sortino",
    "calmar": "calmar",
    "psr": "psr",
    "total_pct_return": "total_return",
    "annualized_return": "annualized_return",
    "ann_vol": "annual_volatility",
    "max_drawdown": "max_drawdown",
    "max_drawdown_duration": "max_drawdown_duration",
    "var_95": "var_95",
    "cvar_95": "cvar_95",
    "alpha": "alpha",
    "beta": "beta",
    "total_orders": "total_orders",
}
"""The dashboard's name of each metric, and ours."""

_ORDER = {
    "id": "id",
    "timestamp": "timestamp",
    "symbol": "ticker",
    "action": "type",
    "shares": "shares",
    "price": "price",
}
"""Our name of each member of an order, and the dashboard's."""

_MAY_BE_NULL = frozenset({"calmar", "annualized_return"})
"""The dashboard calculates with all others, where 0 stands for undefined."""

_COUNTS = frozenset({"max_drawdown_duration", "total_orders"})


def job_status(run: RunRecord) -> str:
    """PENDING, RUNNING, COMPLETED, FAILED or CANCELLED."""
    return _STATUSES[run.status]


def job_answer(run: RunRecord, logs: Sequence[str] = ()) -> dict[str, Any]:
    """The fields of src.api.contracts.dashboard.shapes.JobAnswer, without a result.

    Args:
        logs: what the strategy has printed so far; an error has its own logs.
    """
    error = None if run.error is None else "; ".join(run.error.errors)
    if run.error is not None and run.error.logs:
        logs = run.error.logs
    return {
        "job_id": run.key.run_hash,
        "status": job_status(run),
        "submitted_at": iso_time(run.submitted_at),
        "started_at": iso_time(run.started_at),
        "completed_at": iso_time(run.finished_at),
        "result": None,
        "error": error,
        "logs": list(logs),
    }


def job_pieces(run: RunRecord, result: Result, asked: Asked = NOTHING) -> Iterator[bytes]:
    """The same as JSON for a successful run, streamed because its result may be very long."""
    job = job_answer(run, result.document["logs"])
    members = {name: [json_bytes(value)] for name, value in job.items()} | {"result": _result(result, asked)}
    return object_pieces(members.items())


def _result(result: Result, asked: Asked) -> Iterator[bytes]:
    """The fields of src.api.contracts.dashboard.shapes.JobResult."""
    document = result.document
    metrics = job_metrics(document["metrics"], document["equity_stats"])
    members: dict[str, Iterable[bytes]] = {
        "parameters": [json_bytes(document["parameters"])],
        "candles": candle_pieces(result.daily),
        "orders": order_pieces(result, _ORDER),
        "holding_weights": weight_pieces(result),
        "metrics": [json_bytes(metrics)],
    }
    return object_pieces(chain(members.items(), section_members(result, asked)))


def job_metrics(metrics: Mapping[str, Any], stats: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of src.api.contracts.dashboard.shapes.JobMetrics."""
    money = {
        "final_portfolio_value": stats["equity"],
        "fees": stats["fees"],
        "net_profit": stats["net_profit"],
        "volume": stats["volume"],
    }
    return money | {name: _metric(name, metrics.get(ours)) for name, ours in _METRICS.items()}


def _metric(name: str, value: float | None) -> float | None:
    if value is not None or name in _MAY_BE_NULL:
        return value
    return 0 if name in _COUNTS else 0.0
