"""Today's answers in the older contract's words."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

STATUS_TYPES = {
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    422: "validation_error",
    429: "rate_limited",
    502: "data_source_error",
    503: "unavailable",
    504: "timeout",
}
"""Stable names of the problems that only a status tells."""

_DETAIL_TYPES = {
    "analysis_errors": "analysis_error",
    "execution_errors": "execution_error",
    "data_errors": "data_error",
}


def older_answer(answer: Mapping[str, Any]) -> dict[str, Any]:
    """A finished backtest as the older contract shows it.

    Args:
        answer: what src.services.backtests.Backtests.run returned.
    """
    metrics, stats = answer["metrics"], answer["equity_stats"]
    data = {
        "summary": {
            "initialCash": answer["parameters"]["starting_equity"],
            "finalEquity": stats["equity"],
            "totalReturn": stats["return_pct"],
            "numTrades": len(answer["orders"]),
        },
        "metrics": {
            "sharpeRatio": metrics["sharpe_ratio"],
            "maxDrawdown": _percent(metrics["max_drawdown"]),
            "winRate": _percent(metrics["win_rate"]),
        },
        "equityCurve": [{"date": _date(candle["time"]), "equity": candle["close"]} for candle in answer["candles"]],
        "orders": answer["orders"],
        "warnings": answer["warnings"],
    }
    return {"success": True, "data": data}


def older_refusal(status: int, problem: Mapping[str, Any]) -> dict[str, Any]:
    """A wrong answer as the older contract shows it.

    Args:
        status: its HTTP status.
        problem: its body in today's words: `detail`, and `request_id` where it is our own fault.
    """
    detail = problem.get("detail")
    error: dict[str, Any] = {"type": STATUS_TYPES.get(status, "internal_error"), "messages": [str(detail)]}
    if isinstance(detail, Mapping):
        for name, kind in _DETAIL_TYPES.items():
            if name in detail:
                error = {"type": kind, "messages": list(detail[name])}
    elif isinstance(detail, list):
        error["messages"] = [f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}" for item in detail]
    if "request_id" in problem:
        error["request_id"] = problem["request_id"]
    return {"success": False, "error": error}


def _percent(fraction: float | None) -> float | None:
    return None if fraction is None else fraction * 100


def _date(unix_seconds: int) -> str:
    return datetime.fromtimestamp(unix_seconds, UTC).date().isoformat()
