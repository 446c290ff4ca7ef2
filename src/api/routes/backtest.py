"""Post a strategy, get a backtest back."""

from typing import Annotated

from fastapi import APIRouter, Body, Request, Response

from src.api.dependencies import ServicesDep
from src.api.documentation import PROBLEMS
from src.api.request_examples import REQUEST_EXAMPLES
from src.api.run_answer import run_answer
from src.api.strategy_body import StrategyRoute, source_documentation
from src.models.request import BacktestRequest
from src.models.response import BacktestResponse

router = APIRouter(prefix="/api/v1", tags=["backtests"], route_class=StrategyRoute)


@router.post(
    "/backtest",
    operation_id="run_backtest",
    summary="Run a backtest",
    response_model=BacktestResponse,
    response_description="The finished backtest.",
    responses=PROBLEMS,
    openapi_extra=source_documentation(),
)
async def post_backtest(
    posted: Annotated[BacktestRequest, Body(openapi_examples=REQUEST_EXAMPLES)],
    request: Request,
    services: ServicesDep,
) -> Response:
    """Reads the strategy without running it, fetches its prices, runs it in a locked box, audits and measures
    what comes back. Closing the connection stops the run.

    Besides JSON it takes the source itself: `curl --data-binary @strategy.py -H 'Content-Type: text/x-python'`, the
    other fields as query parameters (`?start_date=2015-01-01&end_date=2020-12-31`).
    """
    return await run_answer(request, services, posted)
