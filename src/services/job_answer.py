"""A stored run in the words of the dashboard's job contract."""

from collections.abc import Mapping, Sequence
from typing import Any

from src.services.runs.summary import iso_time
from src.services.storage.records import RunRecord, RunStatus

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
"""The dashboard's name of each measure, and ours."""

_MAY_BE_NULL = frozenset({"calmar", "annualized_return"})
"""The dashboard calculates with all others: there 0 stands for undefined."""

_COUNTS = frozenset({"max_drawdown_duration", "total_orders"})


def job_status(run: RunRecord) -> str:
    """PENDING, RUNNING, COMPLETED, FAILED or CANCELLED."""
    return _STATUSES[run.status]


def job_answer(run: RunRecord, answer: Mapping[str, Any] | None, logs: Sequence[str] = ()) -> dict[str, Any]:
    """The fields of src.models.job.JobAnswer.

    Args:
        answer: the whole BacktestResponse of a run that succeeded; None else.
        logs: what the strategy has printed so far, while there is neither an answer nor an error that says it.
    """
    error = None if run.error is None else "; ".join(run.error.errors)
    if answer is not None:
        logs = answer["logs"]
    elif run.error is not None and run.error.logs:
        logs = run.error.logs
    return {
        "job_id": run.key.run_hash,
        "status": job_status(run),
        "submitted_at": iso_time(run.submitted_at),
        "started_at": iso_time(run.started_at),
        "completed_at": iso_time(run.finished_at),
        "result": None if answer is None else job_result(answer),
        "error": error,
        "logs": list(logs),
    }


def job_result(answer: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of src.models.job.JobResult.

    Args:
        answer: a whole BacktestResponse.
    """
    return {
        "parameters": answer["parameters"],
        "metrics": job_metrics(answer["metrics"], answer["equity_stats"]),
        "candles": answer["candles"],
        "orders": [_order(order) for order in answer["orders"]],
        "holding_weights": answer["holding_weights"],
    }


def job_metrics(metrics: Mapping[str, Any], stats: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of src.models.job.JobMetrics."""
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
