"""The older contract, on the same services: POST /backtest."""

from fastapi import APIRouter, Request, Response

from src.api.contracts.older.errors import OLDER_PATH
from src.api.contracts.older.shapes import OlderAnswer, OlderRefusal, OlderRequest
from src.api.contracts.older.translation import older_pieces
from src.api.http.dependencies import ServicesDep
from src.api.requests.json_body import JsonRoute
from src.api.requests.sections import AskedDep
from src.api.responses.problems import PROBLEMS
from src.api.responses.result_response import rewritten_response
from src.api.responses.run_response import finished_run, run_headers

router = APIRouter(tags=["older contract"], route_class=JsonRoute)


@router.post(
    OLDER_PATH,
    operation_id="run_older_backtest",
    summary="Run a backtest (older contract)",
    response_model=OlderAnswer,
    response_description="The finished backtest.",
    responses={status: {**problem, "model": OlderRefusal} for status, problem in PROBLEMS.items()},
)
async def post_older_backtest(
    posted: OlderRequest, request: Request, services: ServicesDep, asked: AskedDep
) -> Response:
    """The same backtest with the field names of older clients. `tickers` overrides universe()."""
    finished = await finished_run(request, services, posted.as_backtest_request())
    warnings = posted.unknown_fields_warnings()
    return await rewritten_response(
        finished, lambda: older_pieces(finished.result_for(None, warnings), asked), run_headers(finished)
    )
