"""The older contract, on the same services: POST /backtest."""

from functools import partial

from fastapi import APIRouter, Request, Response

from src.api.dependencies import ServicesDep
from src.api.documentation import OLDER_PROBLEMS
from src.api.json_body import JsonRoute
from src.api.older_contract import OLDER_PATH
from src.api.run_answer import finished_run, run_headers
from src.api.stored_answer import rewritten_response
from src.models.older_contract import OlderAnswer, OlderRequest
from src.services.older_contract import older_pieces

router = APIRouter(tags=["older contract"], route_class=JsonRoute)


@router.post(
    OLDER_PATH,
    operation_id="run_older_backtest",
    summary="Run a backtest (older contract)",
    response_model=OlderAnswer,
    response_description="The finished backtest.",
    responses=OLDER_PROBLEMS,
)
async def post_older_backtest(posted: OlderRequest, request: Request, services: ServicesDep) -> Response:
    """The same backtest with the field names of older clients. `tickers` overrides universe()."""
    finished = await finished_run(request, services, posted.as_backtest_request())
    rewrite = partial(older_pieces, warnings=posted.unknown_fields_warnings(), n_stored=len(finished.warnings))
    return await rewritten_response(finished.stored, rewrite, run_headers(finished))
