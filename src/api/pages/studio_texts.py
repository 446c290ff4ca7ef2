"""The studio's data: the examples to start from, and the meaning of every metric."""

from dataclasses import asdict
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


def _example(example: Any) -> dict[str, Any]:
    return {"title": example["summary"], "request": example["value"]}
