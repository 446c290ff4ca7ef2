"""Converts answers to the older contract."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import Any

from src.utils.json_bytes import array_pieces, json_bytes, object_pieces

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


def older_pieces(
    members: Iterator[tuple[str, Any]], warnings: Sequence[str] = (), n_stored: int = 0
) -> Iterator[bytes]:
    """A finished backtest in the older contract as JSON, streamed because it may be very long.

    Args:
        members: of a whole BacktestResponse, from src.services.results.answer_reader.answer_members.
        warnings: of this request, replacing the first `n_stored`, which belong to the request that produced the answer.
    """
    data = object_pieces(_data(members, warnings, n_stored))
    return object_pieces([("success", [b"true"]), ("data", data)])


def _data(
    members: Iterator[tuple[str, Any]], warnings: Sequence[str], n_stored: int
) -> Iterator[tuple[str, Iterable[bytes]]]:
    kept: dict[str, Any] = {}
    for name, value in members:
        if name in ("parameters", "metrics", "equity_stats"):
            kept[name] = value
        elif name == "candles":
            yield "equityCurve", array_pieces([_point(candle) for candle in candles] for candles in value)
        elif name == "orders":
            yield name, array_pieces(value)
        elif name == "warnings":
            yield name, [json_bytes([*warnings, *list(chain.from_iterable(value))[n_stored:]])]
    metrics, stats = kept["metrics"], kept["equity_stats"]
    summary = {
        "initialCash": kept["parameters"]["starting_equity"],
        "finalEquity": stats["equity"],
        "totalReturn": stats["return_pct"],
        "numTrades": metrics["total_orders"],
    }
    measures = {
        "sharpeRatio": metrics["sharpe_ratio"],
        "maxDrawdown": _percent(metrics["max_drawdown"]),
        "winRate": _percent(metrics["win_rate"]),
    }
    yield "summary", [json_bytes(summary)]
    yield "metrics", [json_bytes(measures)]


def _point(candle: Mapping[str, Any]) -> dict[str, Any]:
    return {"date": _date(candle["time"]), "equity": candle["close"]}


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


def _date(unix_seconds: int) -> str:
    return datetime.fromtimestamp(unix_seconds, UTC).date().isoformat()
