"""Durable runs: submit one, see how it goes, fetch its result, end or delete it."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Body, Header, Query, Request, Response
from pydantic import AfterValidator, AwareDatetime, BeforeValidator
from pydantic_core import PydanticCustomError
from starlette.concurrency import run_in_threadpool

from src.api.dependencies import ServicesDep
from src.api.documentation import RUN_PROBLEMS, STORED_PROBLEMS, SUBMISSION_PROBLEMS
from src.api.ending import ended_soon
from src.api.json_answer import json_answer
from src.api.owners import OwnerDep
from src.api.paths import mounted
from src.api.request_examples import REQUEST_EXAMPLES
from src.api.run_body import PRESET_PATTERN, RunRoute
from src.api.run_keys import RunKeyDep, run_key
from src.api.stored_answer import stored_answer
from src.api.strategy_body import source_documentation
from src.api.submission import submitted
from src.models.problems import Refusal
from src.models.request import BacktestRequest
from src.models.response import BacktestResponse
from src.models.run import Explanation, RunList, RunRequest, RunSummary
from src.services.runs.summary import run_list, run_summary
from src.services.storage.records import RunFilter, RunStatus
from src.utils.symbols import SYMBOL_PATTERN

router = APIRouter(tags=["runs"], route_class=RunRoute)

MAX_KEY_CHARACTERS = 255
MAX_PAGE = 100

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=MAX_KEY_CHARACTERS,
        pattern="^[\\x20-\\x7e]+$",
        description="Any printable text: the same request sent again with it gives the run of the first time, "
        "another request with it 422.",
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
    response_description="The run is new and waits for its place; Location is its address.",
    responses={
        200: {"model": RunSummary, "description": "This run exists already: nothing is computed again."},
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
        Query(pattern=PRESET_PATTERN, description="A preset whose fields count wherever the body has none."),
    ] = None,
    rerun: Annotated[
        bool, Query(description="Compute it again even if it exists, and report whether the result differs.")
    ] = False,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Reads the strategy, fetches its prices, names the run after everything that decides its result, and puts it in
    line. It goes on by itself, whoever listens, and survives a restart of the service.

    Besides JSON it takes the source itself, as POST /api/v1/backtest does.
    """
    submission = await submitted(request, services, posted, rerun=rerun, idempotency_key=idempotency_key)
    location = mounted(request, f"/api/v1/runs/{submission.run.key.run_hash}")
    return json_answer(run_summary(submission.run), 201 if submission.is_new else 200, {"Location": location})


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
        str | None, Query(min_length=1, max_length=200, pattern="^[^\\x00]+$", description="Part of the name.")
    ] = None,
    symbol: Symbol | None = None,
    since: Annotated[
        Since | None, Query(description="Submitted at that time or later: an ISO datetime with its time zone.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE, description="Runs on a page.")] = 20,
    cursor: Annotated[str | None, Query(max_length=500, description="`next_cursor` of the page before.")] = None,
) -> Response:
    """Your runs, newest first. Runs that come while you turn pages shift nothing."""
    wanted = RunFilter(status=status, name=name, symbol=symbol, since=since)
    page = await run_in_threadpool(services.archive.page, owner, wanted, limit=limit, cursor=cursor)
    return json_answer(run_list(page))


@router.get(
    "/runs/{run_hash}",
    operation_id="get_run",
    summary="See how a run goes",
    response_model=RunSummary,
    response_description="The run as it stands.",
    responses=RUN_PROBLEMS,
)
async def get_run(key: RunKeyDep, services: ServicesDep) -> Response:
    """Status, progress, metrics and reasons: small, whatever the run's size."""
    return json_answer(run_summary(await run_in_threadpool(services.archive.get, key)))


@router.get(
    "/runs/{run_hash}/request",
    operation_id="get_run_request",
    summary="See what was asked for",
    response_model=RunRequest,
    response_description="The request with every default filled in.",
    responses=RUN_PROBLEMS,
)
async def get_run_request(key: RunKeyDep, services: ServicesDep) -> Response:
    """The request as it can be posted again, the strategy's code too."""
    details = await run_in_threadpool(services.archive.details, key)
    return json_answer(details.request)


@router.get(
    "/runs/{run_hash}/result",
    operation_id="get_run_result",
    summary="Fetch the whole result",
    response_model=BacktestResponse,
    response_description="The finished backtest; its ETag never changes.",
    responses={
        304: {"description": "What you have (If-None-Match) is what there is."},
        409: {"model": Refusal, "description": "The run has not succeeded, or not yet."},
        **RUN_PROBLEMS,
    },
)
async def get_run_result(key: RunKeyDep, request: Request, services: ServicesDep) -> Response:
    """What POST /api/v1/backtest would have answered, compressed if you accept gzip."""
    return await stored_answer(request, await run_in_threadpool(services.archive.result, key))


router.head("/runs/{run_hash}/result", include_in_schema=False)(get_run_result)


@router.get(
    "/runs/{run_hash}/explain",
    operation_id="explain_run",
    summary="See what decides a run's result",
    response_model=Explanation,
    response_description="Its ingredients, and what sets it apart from another run.",
    responses=RUN_PROBLEMS,
)
async def explain_run(
    key: RunKeyDep,
    services: ServicesDep,
    against: Annotated[str | None, Query(max_length=200, description="run_hash of another run of yours.")] = None,
) -> Response:
    """Two requests with the same ingredients have the same run_hash, on any machine."""
    other = None if against is None else run_key(key.owner, against).run_hash
    return json_answer(await run_in_threadpool(services.archive.explain, key, other))


@router.delete(
    "/runs/{run_hash}",
    operation_id="end_run",
    summary="Cancel or delete a run",
    response_model=RunSummary,
    response_description="It was queued or running and is cancelled.",
    responses={
        204: {"description": "It was finished and is deleted with its result, events and files."},
        **RUN_PROBLEMS,
    },
)
async def end_run(key: RunKeyDep, services: ServicesDep) -> Response:
    """A run that goes on is cancelled, its box dies within a second; a finished one is deleted."""
    run = await run_in_threadpool(services.archive.get, key)
    if run.status.is_finished:
        await run_in_threadpool(services.runs.delete, key)
        return Response(status_code=204)
    await run_in_threadpool(services.runs.cancel, key)
    return json_answer(run_summary(await ended_soon(services, key)))
