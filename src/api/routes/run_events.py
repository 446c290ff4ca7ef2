"""A run's events as Server-Sent Events."""

import time
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from src.api.http.dependencies import ServicesDep
from src.api.requests.run_keys import RunKeyDep
from src.api.responses.event_stream import EventStream
from src.api.responses.problems import RUN_PROBLEMS
from src.services.storage.records.attempts import EventKind

router = APIRouter(tags=["runs"])

EVENT_ID_PATTERN = "^[0-9]{1,18}$"
MARGIN_SECONDS = 2.0
"""How long before its time limit a stream ends cleanly instead of being cut off."""

_EXAMPLE = """\
id: 1
event: queued
data: {"position":0}

id: 2
event: started
data: {"attempt":1}

id: 3
event: progress
data: {"share":0.5,"day":"2017-12-29","equity":11250.0}

id: 4
event: log
data: {"lines":["into SPY"]}

id: 5
event: finished
data: {"status":"succeeded","error":null,"metrics":{"total_return":0.25},"recomputed":null}

"""

_EVENT = {
    "type": "object",
    "description": "One event; `data` is JSON.",
    "properties": {
        "id": {"type": "string", "pattern": "^[0-9]+$"},
        "event": {"type": "string", "enum": [kind.value for kind in EventKind]},
        "data": {"type": "string", "contentMediaType": "application/json"},
    },
    "required": ["id", "event", "data"],
}


@router.get(
    "/runs/{run_hash}/events",
    operation_id="follow_run",
    summary="Follow a run",
    response_class=Response,
    response_description="queued, started, progress, log and finished, each with an id; comments keep it open.",
    responses={
        200: {"content": {"text/event-stream": {"schema": _EVENT, "example": _EXAMPLE}}},
        204: {"description": "There are no events after Last-Event-ID, and none will come: do not reconnect."},
        **RUN_PROBLEMS,
    },
)
async def follow_run(
    key: RunKeyDep,
    request: Request,
    services: ServicesDep,
    last_event_id: Annotated[
        str | None, Header(alias="Last-Event-ID", pattern=EVENT_ID_PATTERN, description="Send only later events.")
    ] = None,
    from_query: Annotated[
        str | None,
        Query(
            alias="last_event_id",
            pattern=EVENT_ID_PATTERN,
            description="The same, for clients that cannot set headers.",
        ),
    ] = None,
) -> Response:
    """Sends the run's past events, then new ones as they happen, until the run has finished.

    A stream may end earlier (a restart, a time limit). Reconnect with the last id you received in Last-Event-ID, as a
    browser's EventSource does automatically: no event is lost or repeated.
    """
    after = int(last_event_id or from_query or 0)
    run = await run_in_threadpool(services.run_queries.get, key)
    events, seen = services.run_events.follow(key, after), []
    if run.status.is_finished:
        try:
            seen.append(await anext(events))
        except StopAsyncIteration:
            return Response(status_code=204)
    ends_at: float = request.state.ends_at
    return EventStream(
        events,
        seen=seen,
        client=request.state.client,
        open_streams=request.app.state.open_streams,
        ends_at=ends_at - min(MARGIN_SECONDS, (ends_at - time.monotonic()) / 10),
        stopping=request.state.stopping,
    )
