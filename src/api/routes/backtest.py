"""Post a strategy, get a backtest back."""

import threading
from typing import Annotated

from fastapi import APIRouter, Body, Request, Response

from src.api.dependencies import BacktestsDep, RunGateDep
from src.api.disconnect import unless_disconnected
from src.api.documentation import PROBLEMS
from src.api.json_answer import json_bytes
from src.api.json_body import JsonRoute
from src.api.request_examples import REQUEST_EXAMPLES
from src.models.request import BacktestRequest
from src.models.response import BacktestResponse

router = APIRouter(prefix="/api/v1", tags=["backtests"], route_class=JsonRoute)


@router.post(
    "/backtest",
    operation_id="run_backtest",
    summary="Run a backtest",
    response_model=BacktestResponse,
    response_description="The finished backtest.",
    responses=PROBLEMS,
)
async def post_backtest(
    posted: Annotated[BacktestRequest, Body(openapi_examples=REQUEST_EXAMPLES)],
    request: Request,
    backtests: BacktestsDep,
    run_gate: RunGateDep,
) -> Response:
    """Reads the strategy without running it, fetches its prices, runs it in a locked box, audits and measures
    what comes back. Closing the connection stops the run.
    """
    deadline: float = request.state.deadline

    def run(cancel: threading.Event) -> bytes:
        return json_bytes(backtests.run(posted, deadline=deadline, cancel=cancel))

    body = await unless_disconnected(request.receive, run_gate.run(run))
    return Response(body, media_type="application/json")
