"""Converts answers to the older contract."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from src.services.results.answer_json import close_pieces, order_pieces, section_members
from src.services.results.result import Result
from src.services.results.sections import NOTHING, Asked, rendered_warnings
from src.utils.json_bytes import json_bytes, object_pieces

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
"""Stable names of the problems identified only by their status."""

_DETAIL_TYPES = {
    "analysis_errors": "analysis_error",
    "execution_errors": "execution_error",
    "data_errors": "data_error",
}


def older_pieces(result: Result, asked: Asked = NOTHING) -> Iterator[bytes]:
    """A finished backtest in the older contract as JSON, streamed because it may be very long."""
    document = result.document
    metrics, stats = document["metrics"], document["equity_stats"]
    summary = {
        "initialCash": document["parameters"]["starting_equity"],
        "finalEquity": stats["equity"],
        "totalReturn": stats["return_pct"],
        "numTrades": metrics["total_orders"],
    }
    measures = {
        "sharpeRatio": metrics["sharpe_ratio"],
        "maxDrawdown": _percent(metrics["max_drawdown"]),
        "winRate": _percent(metrics["win_rate"]),
    }
    data: dict[str, Iterable[bytes]] = {
        "equityCurve": close_pieces(result.daily),
        "orders": order_pieces(result),
        "warnings": [json_bytes([*document["warnings"], *(rendered_warnings(document) if asked else ())])],
        "summary": [json_bytes(summary)],
        "metrics": [json_bytes(measures)],
    }
    sections = section_members(result, asked)
    return object_pieces([("success", [b"true"]), ("data", object_pieces(chain(data.items(), sections)))])


def older_refusal(status: int, problem: Mapping[str, Any]) -> dict[str, Any]:
    """An error in the older contract.

    Args:
        status: its HTTP status.
        problem: its body in the current contract: `detail`, and `request_id` if the fault is ours.
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
