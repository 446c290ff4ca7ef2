"""What every route does to submit a run: queue to have it read and named, watch the client, hand the run over."""

import contextvars
import threading
from contextlib import suppress
from functools import partial

from fastapi import Request

from src.api.http.disconnect import unless_disconnected
from src.api.http.owners import owner_of
from src.api.requests.reading import check_readable
from src.app.services import Services
from src.models.request import BacktestRequest
from src.services.backtests.port import BoxNeeded
from src.services.storage.records.attempts import Submission
from src.utils.deadline import Deadline


async def submitted(
    request: Request,
    services: Services,
    posted: BacktestRequest,
    *,
    rerun: bool = False,
    idempotency_key: str | None = None,
) -> Submission:
    """Submit the run, which then continues without the client.

    Raises:
        KeyReused, QueueFull, StorageUnavailable, and every error of Backtests.prepare
    """
    ends_at: float = request.state.ends_at
    client: str = request.state.client
    owner = owner_of(request)
    # The thread logs under this request's id.
    context = contextvars.copy_context()

    def submit(cancel: threading.Event, *, may_open_box: bool = False) -> Submission:
        return context.run(
            services.runs.submit,
            owner,
            posted,
            deadline=Deadline(ends_at, cancel),
            rerun=rerun,
            idempotency_key=idempotency_key,
            may_open_box=may_open_box,
        )

    async def submit_in_a_slot() -> Submission:
        await check_readable(request, services, posted)
        with suppress(BoxNeeded):
            return await services.preparation_slots.run(submit, client=client)
        # A strategy that computes its universe must be called in a box, and a box needs a run slot.
        return await services.run_slots.run(partial(submit, may_open_box=True), client=client)

    return await unless_disconnected(request.receive, submit_in_a_slot())
