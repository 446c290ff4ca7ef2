"""Post a strategy, get a backtest back."""

from typing import Annotated

from fastapi import APIRouter, Body, Header, Request, Response

from src.api.http.dependencies import ServicesDep
from src.api.http.headers import prefers
from src.api.http.json_response import json_response
from src.api.http.paths import mounted
from src.api.requests.examples import REQUEST_EXAMPLES
from src.api.requests.sections import PARAMETERS, AskedDep
from src.api.requests.strategy_body import StrategyRoute, source_documentation
from src.api.requests.submission import submitted
from src.api.responses.problems import PROBLEMS, RUN_HEADERS
from src.api.responses.run_response import run_response
from src.app.services import Services
from src.models.request import BacktestRequest
from src.models.response import BacktestResponse
from src.models.run import JobAccepted

RESPOND_ASYNC = "respond-async"


class BacktestRoute(StrategyRoute):
    """A route that takes the body of a backtest, and in the query what its answer is to include."""

    own_parameters = PARAMETERS


router = APIRouter(prefix="/api/v1", tags=["backtests"], route_class=BacktestRoute)


@router.post(
    "/backtest",
    operation_id="run_backtest",
    summary="Run a backtest",
    response_model=BacktestResponse,
    response_description="The finished backtest.",
    responses={
        200: {"headers": RUN_HEADERS},
        202: {"model": JobAccepted, "description": "With Prefer: respond-async. The run continues on its own."},
        **PROBLEMS,
    },
    openapi_extra=source_documentation(PARAMETERS),
)
async def post_backtest(
    posted: Annotated[BacktestRequest, Body(openapi_examples=REQUEST_EXAMPLES)],
    request: Request,
    services: ServicesDep,
    asked: AskedDep,
    prefer: Annotated[list[str] | None, Header(description="respond-async: answer at once with a job_id.")] = None,
) -> Response:
    """Reads the strategy without running it, fetches its prices, runs it in a locked box, then audits and measures
    the result. Each run is computed once: posted again, it is answered from the store with X-Run-Reused. Closing the
    connection stops the run unless another client waits for it.

    The body may also be the source itself: `curl --data-binary @strategy.py -H 'Content-Type: text/x-python'`, with
    the other fields as query parameters (`?start_date=2015-01-01&end_date=2020-12-31`).
    """
    if prefers(prefer or (), RESPOND_ASYNC):
        return await _accepted(request, services, posted)
    return await run_response(request, services, posted, asked)


async def _accepted(request: Request, services: Services, posted: BacktestRequest) -> Response:
    run_hash = (await submitted(request, services, posted)).run.key.run_hash
    headers = {
        "Location": mounted(request, f"/api/v1/backtest/{run_hash}"),
        "Preference-Applied": RESPOND_ASYNC,
        "X-Run-Hash": run_hash,
    }
    return json_response({"job_id": run_hash}, 202, headers)
