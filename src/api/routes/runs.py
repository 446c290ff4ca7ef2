"""Durable runs: submit, follow, fetch the result, cancel or delete."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Body, Header, HTTPException, Query, Request, Response
from pydantic import AfterValidator, AwareDatetime, BeforeValidator
from pydantic_core import PydanticCustomError
from starlette.concurrency import run_in_threadpool

from src.api.http.dependencies import ServicesDep
from src.api.http.json_response import json_response
from src.api.http.owners import OwnerDep
from src.api.http.paths import mounted
from src.api.requests.examples import CANCELLED_EXAMPLE, REQUEST_EXAMPLES
from src.api.requests.run_body import PRESET_PATTERN, RunRoute
from src.api.requests.run_keys import RunKeyDep, run_key
from src.api.requests.sections import AskedDep
from src.api.requests.strategy_body import source_documentation
from src.api.requests.submission import submitted
from src.api.responses.ending import cancelled
from src.api.responses.problems import RUN_PROBLEMS, STORED_PROBLEMS, SUBMISSION_PROBLEMS
from src.api.responses.result_response import stored_response, tagged_response
from src.api.responses.run_summary import run_list, run_summary
from src.models.problems import Refusal
from src.models.request import BacktestRequest
from src.models.response import BacktestResponse
from src.models.run import Explanation, RunList, RunRequest, RunSummary
from src.models.statistics import RunStatistics
from src.services.storage.records.runs import RunFilter, RunStatus
from src.utils.json_bytes import json_bytes
from src.utils.symbols import SYMBOL_PATTERN

router = APIRouter(tags=["runs"], route_class=RunRoute)

MAX_KEY_CHARACTERS = 255
MAX_PAGE = 100
HAS_FINISHED = "The run has finished ({}): there is nothing to cancel."

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=MAX_KEY_CHARACTERS,
        pattern="^[\\x20-\\x7e]+$",
        description="Any printable text. The same request sent again with it returns the first run; a different "
        "request with it gets 422.",
    ),
]


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise PydanticCustomError("moment", "A date between the years 1 and 9999") from error


Since = Annotated[AwareDatetime, AfterValidator(_in_utc)]
Symbol = Annotated[str, BeforeValidator(str.upper), Query(pattern=f"^{SYMBOL_PATTERN.pattern}$", examples=["SPY"])]


@router.post(
    "/runs",
    operation_id="submit_run",
    summary="Submit a run",
    status_code=201,
    response_model=RunSummary,
    response_description="The run is new and queued; Location is its address.",
    responses={
        200: {"model": RunSummary, "description": "This run already exists: nothing is computed again."},
        **SUBMISSION_PROBLEMS,
    },
    openapi_extra=source_documentation(),
)
async def submit_run(
    posted: Annotated[BacktestRequest, Body(openapi_examples=REQUEST_EXAMPLES)],
    request: Request,
    services: ServicesDep,
    preset_id: Annotated[
        str | None,
        Query(pattern=PRESET_PATTERN, description="A preset for the fields that the body omits."),
    ] = None,
    rerun: Annotated[
        bool, Query(description="Compute it again even if it exists, and report whether the result differs.")
    ] = False,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Reads the strategy, fetches its prices, names the run by the hash of everything that decides its result, and
    queues it. The run continues without the client and survives a restart of the service.

    The body may also be the source itself, as for POST /api/v1/backtest.
    """
    submission = await submitted(request, services, posted, rerun=rerun, idempotency_key=idempotency_key)
    location = mounted(request, f"/api/v1/runs/{submission.run.key.run_hash}")
    return json_response(run_summary(submission.run), 201 if submission.is_new else 200, {"Location": location})


@router.get(
    "/runs",
    operation_id="list_runs",
    summary="List runs",
    response_model=RunList,
    response_description="One page, newest first.",
    responses=STORED_PROBLEMS,
)
async def list_runs(
    services: ServicesDep,
    owner: OwnerDep,
    status: RunStatus | None = None,
    name: Annotated[
        str | None, Query(min_length=1, max_length=200, pattern="^[^\\x00]+$", description="A part of the run's name.")
    ] = None,
    symbol: Symbol | None = None,
    since: Annotated[
        Since | None, Query(description="Submitted at that time or later: an ISO datetime with a time zone.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE, description="Runs per page.")] = 20,
    cursor: Annotated[str | None, Query(max_length=500, description="`next_cursor` of the previous page.")] = None,
) -> Response:
    """Your runs, newest first. Runs submitted while you page through the list do not shift it."""
    wanted = RunFilter(status=status, name=name, symbol=symbol, since=since)
    page = await run_in_threadpool(services.run_queries.page, owner, wanted, limit=limit, cursor=cursor)
    return json_response(run_list(page))


@router.get(
    "/runs/{run_hash}",
    operation_id="get_run",
    summary="Get a run's status",
    response_model=RunSummary,
    response_description="The run's present state.",
    responses=RUN_PROBLEMS,
)
async def get_run(key: RunKeyDep, services: ServicesDep) -> Response:
    """Status, progress, metrics and reasons: a small answer for a run of any size."""
    return json_response(run_summary(await run_in_threadpool(services.run_queries.get, key)))


@router.get(
    "/runs/{run_hash}/request",
    operation_id="get_run_request",
    summary="Get a run's request",
    response_model=RunRequest,
    response_description="The request with all defaults filled in.",
    responses=RUN_PROBLEMS,
)
async def get_run_request(key: RunKeyDep, services: ServicesDep) -> Response:
    """The request, including the strategy's code, ready to be posted again."""
    details = await run_in_threadpool(services.run_queries.details, key)
    return json_response(details.request)


@router.get(
    "/runs/{run_hash}/result",
    operation_id="get_run_result",
    summary="Fetch the whole result",
    response_model=BacktestResponse,
    response_description="The finished backtest; its ETag never changes.",
    responses={
        304: {"description": "Your copy (If-None-Match) is current."},
        409: {"model": Refusal, "description": "The run has not succeeded, or not yet."},
        **RUN_PROBLEMS,
    },
)
async def get_run_result(key: RunKeyDep, request: Request, services: ServicesDep, asked: AskedDep) -> Response:
    """The answer that POST /api/v1/backtest would have returned, compressed if you accept gzip."""
    finished = await run_in_threadpool(services.run_queries.stored, key)
    return await stored_response(request, finished, services.answers, asked)


router.head("/runs/{run_hash}/result", include_in_schema=False)(get_run_result)


@router.get(
    "/runs/{run_hash}/statistics",
    operation_id="get_run_statistics",
    summary="Fetch drawdowns and calendar returns",
    response_model=RunStatistics,
    response_description="Daily drawdown, the deepest drawdowns, and returns by month and year.",
    responses={
        304: {"description": "Your copy (If-None-Match) is current."},
        409: {"model": Refusal, "description": "The run has not succeeded, or not yet."},
        **RUN_PROBLEMS,
    },
)
async def get_run_statistics(key: RunKeyDep, request: Request, services: ServicesDep) -> Response:
    """What the report and the studio show of them, computed from the stored result when it is asked for."""
    body = json_bytes(await run_in_threadpool(services.run_queries.statistics, key))
    return tagged_response(request, body)


@router.get(
    "/runs/{run_hash}/explain",
    operation_id="explain_run",
    summary="Explain a run's hash",
    response_model=Explanation,
    response_description="Its ingredients, and their differences from another run's.",
    responses=RUN_PROBLEMS,
)
async def explain_run(
    key: RunKeyDep,
    services: ServicesDep,
    against: Annotated[str | None, Query(max_length=200, description="run_hash of another of your runs.")] = None,
) -> Response:
    """Two requests with the same ingredients have the same run_hash, on any machine."""
    other = None if against is None else run_key(key.owner, against).run_hash
    return json_response(await run_in_threadpool(services.run_queries.explain, key, other))


@router.post(
    "/runs/{run_hash}/cancel",
    operation_id="cancel_run",
    summary="Cancel a run",
    response_model=RunSummary,
    response_description="It was queued or running and has been cancelled, or it had been cancelled before.",
    responses={
        200: {"content": {"application/json": {"example": CANCELLED_EXAMPLE}}},
        409: {
            "model": Refusal,
            "description": "It has finished; nothing was changed.",
            "content": {"application/json": {"example": {"detail": HAS_FINISHED.format("succeeded")}}},
        },
        **RUN_PROBLEMS,
    },
)
async def cancel_run(key: RunKeyDep, services: ServicesDep) -> Response:
    """Stops a queued or running run; its box dies within a second, and the run stays in the list. Takes no body.

    Safe to repeat: a run that is being cancelled, or was, gets the same answer. A rerun that is cancelled keeps the
    stored result and is `succeeded` again.
    """
    run = await run_in_threadpool(services.run_queries.get, key)
    if not run.status.is_finished:
        run = await cancelled(services, key)
    elif run.status is not RunStatus.CANCELLED:
        raise HTTPException(409, HAS_FINISHED.format(run.status.value))
    return json_response(run_summary(run))


@router.delete(
    "/runs/{run_hash}",
    operation_id="end_run",
    summary="Cancel or delete a run",
    response_model=RunSummary,
    response_description="It was queued or running and has been cancelled.",
    responses={
        204: {"description": "It had finished and has been deleted with its result, events and files."},
        **RUN_PROBLEMS,
    },
)
async def end_run(key: RunKeyDep, services: ServicesDep) -> Response:
    """Deletes a finished run. Cancels one that is queued or running, as POST …/cancel does: that never deletes."""
    run = await run_in_threadpool(services.run_queries.get, key)
    if run.status.is_finished:
        await run_in_threadpool(services.runs.delete, key)
        return Response(status_code=204)
    return json_response(run_summary(await cancelled(services, key)))
