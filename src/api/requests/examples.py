"""Complete requests from `examples/`, for the documentation pages and the studio."""

import json
from pathlib import Path

from fastapi.openapi.models import Example

EXAMPLES_FOLDER = Path(__file__).resolve().parents[3] / "examples"


def code_of(strategy: str) -> str:
    """The source of one strategy in `examples/strategies`.

    Args:
        strategy: the file's name without its extension.
    """
    return (EXAMPLES_FOLDER / "strategies" / f"{strategy}.py").read_text()


REQUEST_EXAMPLES: dict[str, Example] = {
    "sma_trend": {
        "summary": "Trend: shares above their 21-day average, else bonds",
        "value": json.loads((EXAMPLES_FOLDER / "request.json").read_text()),
    },
    "strongest_of_four": {
        "summary": "Momentum: monthly, with a parameter and cost models",
        "value": {
            "name": "Strongest of four markets",
            "strategy_code": code_of("strongest_of_four"),
            "start_date": "2012-01-01",
            "end_date": "2022-12-31",
            "initial_capital": 100000,
            "commission": {"model": "per_share", "amount": 0.005, "minimum": 1},
            "slippage": {"model": "half_spread", "bps": 2},
            "parameters": {"lookback_months": 9},
        },
    },
    "calm_mix": {
        "summary": "Risk: weekly, three markets by inverse volatility, only the required fields",
        "value": {
            "strategy_code": code_of("calm_mix"),
            "start_date": "2010-01-01",
            "end_date": "2019-12-31",
        },
    },
}
"""The examples that Swagger offers; the first is `examples/request.json`."""

CANCELLED_EXAMPLE = {
    "run_hash": "5f0c6f0d1c6a2d6b8a0e8a4f4f7c0b6f8f8e6a9b3d2c1e0f9a8b7c6d5e4f3a2b",
    "name": "Strongest of four markets",
    "status": "cancelled",
    "symbols": ["SPY", "EFA", "EEM", "AGG"],
    "start_date": "2012-01-01",
    "end_date": "2022-12-31",
    "submitted_at": "2026-01-05T09:30:00Z",
    "started_at": "2026-01-05T09:30:01Z",
    "finished_at": "2026-01-05T09:30:09Z",
    "attempt": 1,
    "position": None,
    "progress": {"share": 0.5, "day": "2017-06-30", "equity": 131250.0},
    "metrics": None,
    "error": {"code": "run_cancelled", "errors": ["The run was cancelled."], "traceback": "", "logs": []},
    "recomputed": None,
    "has_result": False,
    "is_cancel_requested": True,
}
"""What cancelling a running run returns."""
