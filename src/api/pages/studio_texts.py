"""The studio's data: the examples to start from, the meaning of every metric, and the strategy API for its editor."""

from dataclasses import asdict
from functools import cache
from typing import Any

from fastapi import APIRouter, Response

from src.api.http.json_response import json_response
from src.api.requests.examples import REQUEST_EXAMPLES
from src.models.metric_catalogue import METRIC_CATALOGUE

router = APIRouter(prefix="/studio", include_in_schema=False)


@router.get("/examples.json")
async def examples() -> Response:
    """Requests that run as they stand, each with a title."""
    return json_response([_example(example) for example in REQUEST_EXAMPLES.values()])


@router.get("/catalogue.json")
async def catalogue() -> Response:
    """Every metric in reading order: group, label, unit, explanation."""
    return json_response([asdict(entry) for entry in METRIC_CATALOGUE])


@router.get("/strategy.json")
def strategy_api() -> Response:
    """Every name that a strategy may use, as the editor completes and explains it: see Entry."""
    return json_response(_strategy_api())


@cache
def _strategy_api() -> list[dict[str, Any]]:
    # They import the engine's types, which the start of the server does not wait for.
    from src.execution.reading.catalogue import catalogue  # noqa: PLC0415
    from src.execution.reading.indicators import indicators  # noqa: PLC0415

    return [asdict(entry) for entry in (*catalogue(), *indicators())]


def _example(example: Any) -> dict[str, Any]:
    return {"title": example["summary"], "request": example["value"]}
