"""The older contract, on the same services: POST /backtest."""

from fastapi import APIRouter, Request, Response

from src.api.dependencies import ServicesDep
from src.api.documentation import OLDER_PROBLEMS
from src.api.json_body import JsonRoute
from src.api.older_contract import OLDER_PATH
from src.api.run_answer import run_answer
from src.models.older_contract import OlderAnswer, OlderRequest
from src.services.older_contract import older_answer

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
    """The same backtest in the names that older clients read. `tickers` overrides universe()."""
    warnings = posted.unknown_fields_warnings()
    return await run_answer(
        request,
        services,
        posted.in_todays_words(),
        universe=posted.tickers,
        render=lambda answer: older_answer({**answer, "warnings": [*warnings, *answer["warnings"]]}),
    )
