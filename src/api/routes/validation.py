"""Read a strategy without running it."""

from fastapi import APIRouter, Request, Response

from src.api.http.dependencies import ServicesDep
from src.api.http.disconnect import unless_disconnected
from src.api.http.json_response import json_response
from src.api.requests.strategy_body import StrategyRoute
from src.api.responses.problems import READING_PROBLEMS
from src.models.validation import ValidationAnswer, ValidationRequest
from src.services.backtests.validation import validation_answer

router = APIRouter(prefix="/api/v1", tags=["backtests"], route_class=StrategyRoute)


@router.post(
    "/validate",
    operation_id="validate_strategy",
    summary="Read a strategy without running it",
    response_model=ValidationAnswer,
    response_description="The reading, including broken rules.",
    responses=READING_PROBLEMS,
    openapi_extra={"requestBody": {"content": {"text/x-python": {"schema": {"type": "string", "minLength": 1}}}}},
)
async def post_validate(posted: ValidationRequest, request: Request, services: ServicesDep) -> Response:
    """Returns what an editor underlines, every broken rule with its place; and universe, cadence and dialect."""
    reading = services.readings.read(posted.strategy_code, request.state.client)
    return json_response(
        validation_answer(await unless_disconnected(request.receive, reading), posted.universe, posted.parameters)
    )
