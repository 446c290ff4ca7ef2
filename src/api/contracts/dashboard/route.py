"""The dashboard's job contract for the same runs: what it polls after its POST, and how it cancels."""

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Path, Response
from starlette.concurrency import run_in_threadpool

from src.api.contracts.dashboard.shapes import JobAnswer, JobCancelled
from src.api.contracts.dashboard.translation import job_answer, job_pieces, job_status
from src.api.http.dependencies import ServicesDep
from src.api.http.json_response import json_response
from src.api.http.owners import OwnerDep
from src.api.requests.run_keys import run_key
from src.api.requests.sections import AskedDep
from src.api.responses.ending import cancelled
from src.api.responses.problems import RUN_PROBLEMS
from src.api.responses.result_response import rewritten_response
from src.models.problems import Refusal
from src.services.storage.records.runs import RunKey, RunStatus

router = APIRouter(prefix="/api/v1", tags=["jobs"])


async def _job_key(
    job_id: Annotated[str, Path(description="The job_id that the POST returned.")], owner: OwnerDep
) -> RunKey:
    return run_key(owner, job_id)


JobKeyDep = Annotated[RunKey, Depends(_job_key)]


@router.get(
    "/backtest/{job_id}",
    operation_id="get_job",
    summary="Get a backtest's status",
    response_model=JobAnswer,
    response_description="The backtest's status, with its result once it has one.",
    responses=RUN_PROBLEMS,
)
async def get_job(key: JobKeyDep, services: ServicesDep, asked: AskedDep) -> Response:
    """For dashboards that poll after their POST, with their field names. GET /api/v1/runs/{run_hash} returns more.
    What `include` and `conventions` ask for is in `result`.
    """
    run = await run_in_threadpool(services.run_queries.get, key)
    if run.status is RunStatus.SUCCEEDED:
        finished = await run_in_threadpool(services.run_queries.stored, key)
        return await rewritten_response(finished, lambda: job_pieces(run, finished.result, asked), {})
    return json_response(job_answer(run, await run_in_threadpool(services.run_queries.lines, run)))


@router.delete(
    "/backtest/{job_id}",
    operation_id="cancel_job",
    summary="Cancel a backtest",
    response_model=JobCancelled,
    response_description="It is cancelled.",
    responses={409: {"model": Refusal, "description": "It has already finished."}, **RUN_PROBLEMS},
)
async def cancel_job(key: JobKeyDep, services: ServicesDep) -> Response:
    """Cancels a queued or running backtest; its box dies within a second."""
    run = await run_in_threadpool(services.run_queries.get, key)
    if not run.status.is_finished:
        run = await cancelled(services, key)
        if run.status is RunStatus.CANCELLED or not run.status.is_finished:
            return json_response({"job_id": key.run_hash, "status": "CANCELLED"})
    raise HTTPException(409, f"This backtest has finished ({job_status(run)}): there is nothing to cancel.")
