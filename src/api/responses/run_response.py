"""What every route does to answer with a finished backtest: queue, watch the client, execute the run or find it."""

import contextvars
import threading
import time
from contextlib import suppress
from dataclasses import replace
from functools import partial

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool

from src.api.http.disconnect import unless_disconnected
from src.api.http.owners import owner_of
from src.api.http.telemetry import RunReport, Telemetry
from src.api.requests.reading import check_readable
from src.api.responses.result_response import Shown, result_response
from src.app.services import Services
from src.errors import RunAbandoned, RunNotFinished
from src.models.request import BacktestRequest
from src.services.results.finished_run import FinishedRun
from src.services.results.sections import Asked
from src.services.storage.records.runs import RunKey
from src.utils.deadline import Deadline


async def run_response(request: Request, services: Services, posted: BacktestRequest, asked: Asked) -> Response:
    """The finished backtest as JSON, with what was asked for in the query or the body.

    Raises:
        as finished_run
    """
    finished = await finished_run(request, services, posted)
    headers = run_headers(finished) | {"Vary": "Accept-Encoding"}
    asked = replace(asked, is_lean=asked.is_lean or posted.conventions == "lean")
    warnings = tuple(posted.unknown_fields_warnings())
    result = partial(finished.result_for, posted.name, warnings)
    shown = Shown(asked, (posted.name, warnings))
    return await result_response(request, finished, result, shown, services.answers, headers)


async def finished_run(request: Request, services: Services, posted: BacktestRequest) -> FinishedRun:
    """The finished backtest. When the client goes or its time is up, a run that no other client waits for ends.

    Raises:
        BacktesterError: any error of the run; src/api/http/errors.py turns it into an answer.
    """
    telemetry: Telemetry = request.app.state.telemetry
    report = RunReport(started=time.perf_counter())
    with telemetry.observed(report):
        finished = await unless_disconnected(request.receive, _finished(request, services, posted, report))
        report.ends(finished.key.run_hash, finished.timings_ms, is_reused=finished.is_reused)
    return finished


def run_headers(finished: FinishedRun) -> dict[str, str]:
    """The headers that describe an answer's run."""
    return {"X-Run-Hash": finished.key.run_hash} | ({"X-Run-Reused": "true"} if finished.is_reused else {})


async def _finished(request: Request, services: Services, posted: BacktestRequest, report: RunReport) -> FinishedRun:
    reading_seconds = await check_readable(request, services, posted)
    ends_at: float = request.state.ends_at
    client: str = request.state.client
    owner = owner_of(request)
    # The run's thread logs under this request's id.
    context = contextvars.copy_context()

    def run(cancel: threading.Event) -> FinishedRun | RunKey:
        report.begins()
        return context.run(
            services.runs.run_now,
            owner,
            posted,
            deadline=Deadline(ends_at, cancel),
            reading_seconds=reading_seconds,
        )

    def find(cancel: threading.Event) -> FinishedRun | RunKey | None:
        return context.run(services.runs.find, owner, posted, deadline=Deadline(ends_at, cancel))

    while True:
        outcome = None
        if not services.run_slots.has_place:
            # A client whose result is already stored must not wait for another client's run.
            outcome = await services.preparation_slots.run(find, client=client)
        if outcome is None:
            outcome = await services.run_slots.run(run, client=client)
        if isinstance(outcome, FinishedRun):
            return outcome
        await services.run_events.finished(outcome)
        # The run may have ended because its client went, or have been accepted again: this client still waits.
        with suppress(RunAbandoned, RunNotFinished):
            return await run_in_threadpool(services.run_queries.finished, outcome)
