"""Presets: named configurations for runs."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from starlette.concurrency import run_in_threadpool

from src.api.http.dependencies import ServicesDep
from src.api.http.json_response import json_response
from src.api.http.owners import OwnerDep
from src.api.http.paths import mounted
from src.api.requests.json_body import JsonRoute
from src.api.responses.problems import PRESET_PROBLEMS, READING_PROBLEMS, STORED_PROBLEMS
from src.api.responses.run_summary import iso_time
from src.models.preset import PresetAnswer, PresetList, PresetRequest
from src.models.problems import Refusal
from src.services.storage.records.presets import Preset

router = APIRouter(tags=["presets"], route_class=JsonRoute)

PresetId = Annotated[str, Path(max_length=200, description="The preset_id that its POST returned.")]


@router.post(
    "/presets",
    operation_id="add_preset",
    summary="Save a preset",
    status_code=201,
    response_model=PresetAnswer,
    response_description="The preset is new; Location is its address.",
    responses={
        200: {"model": PresetAnswer, "description": "This preset already exists."},
        409: {"model": Refusal, "description": "You have reached the maximum number of presets."},
        **READING_PROBLEMS,
    },
)
async def add_preset(posted: PresetRequest, request: Request, services: ServicesDep, owner: OwnerDep) -> Response:
    """Saves any part of a request under the hash of its content: posting it twice gives the same preset_id. Use it
    with POST /api/v1/runs?preset_id=…, where the fields you send replace the preset's.
    """
    preset, is_new = await run_in_threadpool(services.presets.add, owner, posted.name, posted.fields())
    location = mounted(request, f"/api/v1/presets/{preset.preset_id}")
    return json_response(_answer(preset), 201 if is_new else 200, {"Location": location})


@router.get(
    "/presets",
    operation_id="list_presets",
    summary="List presets",
    response_model=PresetList,
    response_description="All of yours, newest first.",
    responses=STORED_PROBLEMS,
)
async def list_presets(services: ServicesDep, owner: OwnerDep) -> Response:
    """All your presets."""
    presets = await run_in_threadpool(services.presets.list, owner)
    return json_response({"presets": [_answer(preset) for preset in presets]})


@router.get(
    "/presets/{preset_id}",
    operation_id="get_preset",
    summary="Get a preset",
    response_model=PresetAnswer,
    response_description="The preset.",
    responses=PRESET_PROBLEMS,
)
async def get_preset(preset_id: PresetId, services: ServicesDep, owner: OwnerDep) -> Response:
    """One preset."""
    return json_response(_answer(await run_in_threadpool(services.presets.get, owner, preset_id)))


@router.delete(
    "/presets/{preset_id}",
    operation_id="remove_preset",
    summary="Delete a preset",
    status_code=204,
    response_description="The preset is deleted; runs submitted with it stay.",
    responses=PRESET_PROBLEMS,
)
async def remove_preset(preset_id: PresetId, services: ServicesDep, owner: OwnerDep) -> Response:
    """Deletes one preset."""
    await run_in_threadpool(services.presets.remove, owner, preset_id)
    return Response(status_code=204)


def _answer(preset: Preset) -> dict[str, Any]:
    return {
        "preset_id": preset.preset_id,
        "name": preset.name,
        "configuration": dict(preset.configuration),
        "created_at": iso_time(preset.created_at),
    }
