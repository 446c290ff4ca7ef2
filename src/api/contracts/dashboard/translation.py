"""Converts a stored run to the dashboard's job contract."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from src.api.responses.run_summary import iso_time
from src.services.storage.records import RunRecord, RunStatus
from src.utils.json_bytes import array_pieces, json_bytes, object_pieces

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


def job_pieces(run: RunRecord, members: Iterator[tuple[str, Any]]) -> Iterator[bytes]:
    """The same as JSON for a successful run, streamed because its answer may be very long.

    Args:
        members: of a whole BacktestResponse, as src.services.results.answer_reader.answer_members gives them.
    """
    return object_pieces(_with_result(job_answer(run), members))


def _with_result(job: Mapping[str, Any], members: Iterator[tuple[str, Any]]) -> Iterator[tuple[str, Iterable[bytes]]]:
    kept: dict[str, Any] = {}
    for name, value in job.items():
        if name == "result":
            yield name, object_pieces(_result(members, kept))
        else:
            yield name, [json_bytes(kept.get(name, value))]


def _result(members: Iterator[tuple[str, Any]], kept: dict[str, Any]) -> Iterator[tuple[str, Iterable[bytes]]]:
    """The fields of src.api.contracts.dashboard.shapes.JobResult; other values needed elsewhere are put into `kept`."""
    for name, value in members:
        if name == "parameters":
            yield name, [json_bytes(value)]
        elif name in ("metrics", "equity_stats"):
            kept[name] = value
        elif name in ("candles", "holding_weights"):
            yield name, array_pieces(value)
        elif name == "orders":
            yield name, array_pieces([_order(order) for order in orders] for orders in value)
        elif name == "logs":
            kept[name] = list(chain.from_iterable(value))
    yield "metrics", [json_bytes(job_metrics(kept["metrics"], kept["equity_stats"]))]


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


def _order(order: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": order["id"],
        "timestamp": order["timestamp"],
        "ticker": order["symbol"],
        "type": order["action"],
        "shares": order["shares"],
        "price": order["price"],
    }
