"""The studio with prepared results of any size: its real page, and the few routes it then requests."""

import gzip
from collections.abc import Mapping
from typing import Any

import numpy as np
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from src.api.pages import studio_texts as studio
from src.api.pages.studio import add_studio
from src.services.results.exports.equity_table import EquityCurve
from src.services.results.statistics import statistics
from src.utils.drawdown import drawdowns
from src.utils.json_bytes import json_bytes
from tests.fakes.backtests import real_shaped_answer

RUN_HASH = "ab" * 32


def studio_of(result: Mapping[str, Any]) -> FastAPI:
    """An application whose only run is finished and has that result.

    Args:
        result: parts of a BacktestResponse; the others are those of `real_shaped_answer`.
    """
    answer = real_shaped_answer() | {"run_hash": RUN_HASH} | result
    # Large results are served as they are stored: compressed once.
    stored = gzip.compress(json_bytes(answer), 1)
    app = FastAPI(docs_url=None, redoc_url=None)

    async def summary(_request: Request) -> Response:
        return JSONResponse(_summary(answer))

    async def request(_request: Request) -> Response:
        return JSONResponse({"strategy_code": "", "start_date": "2015-01-01", "end_date": "2015-12-31"})

    async def whole(_request: Request) -> Response:
        return Response(stored, headers={"Content-Encoding": "gzip"}, media_type="application/json")

    async def computed(_request: Request) -> Response:
        return Response(json_bytes(statistics(_curve(answer))), media_type="application/json")

    async def validated(_request: Request) -> Response:
        return JSONResponse({"valid": True, "violations": [], "universe": None, "cadence": None, "dialect": 1})

    app.add_route(f"/api/v1/runs/{RUN_HASH}", summary)
    app.add_route(f"/api/v1/runs/{RUN_HASH}/request", request)
    app.add_route(f"/api/v1/runs/{RUN_HASH}/result", whole)
    app.add_route(f"/api/v1/runs/{RUN_HASH}/statistics", computed)
    app.add_route("/api/v1/validate", validated, methods=["POST"])
    app.include_router(studio.router)
    add_studio(app)
    return app


def _curve(answer: Mapping[str, Any]) -> EquityCurve:
    candles = np.array([[row[name] for name in ("open", "high", "low", "close")] for row in answer["candles"]])
    days = np.array([row["time"] for row in answer["candles"]], "datetime64[s]").astype("datetime64[D]")
    start = answer["parameters"]["starting_equity"]
    return EquityCurve(days, candles, None, start, drawdowns(candles[:, 3], start))


def _summary(answer: Mapping[str, Any]) -> dict[str, Any]:
    parameters = answer["parameters"]
    return {
        "run_hash": RUN_HASH,
        "name": parameters["name"],
        "status": "succeeded",
        "symbols": parameters["universe"],
        "start_date": parameters["start_date"],
        "end_date": parameters["end_date"],
        "submitted_at": "2026-01-02T03:04:05Z",
        "started_at": None,
        "finished_at": None,
        "attempt": 1,
        "position": None,
        "progress": None,
        "metrics": answer["metrics"],
        "error": None,
        "recomputed": None,
        "has_result": True,
        "is_cancel_requested": False,
    }
