"""What every route that submits a run does: wait in line to have it read and named, watch the client, hand it over."""

import contextvars
import threading

from fastapi import Request

from src.api.dependencies import Services
from src.api.disconnect import unless_disconnected
from src.api.owners import owner_of
from src.models.request import BacktestRequest
from src.services.storage.records import Submission


async def submitted(
    request: Request,
    services: Services,
    posted: BacktestRequest,
    *,
    rerun: bool = False,
    idempotency_key: str | None = None,
) -> Submission:
    """What became of the submitted run; from then on it goes on without the client.

    Raises:
        BacktesterError: whatever preparing it raises, KeyReused, QueueFull, StorageUnavailable
    """
    deadline: float = request.state.deadline
    owner = owner_of(request)
    # The thread logs under this request's id.
    context = contextvars.copy_context()

    def submit(cancel: threading.Event) -> Submission:
        return context.run(
            services.runs.submit,
            owner,
            posted,
            deadline=deadline,
            cancel=cancel,
            rerun=rerun,
            idempotency_key=idempotency_key,
        )

    return await unless_disconnected(request.receive, services.preparation_gate.run(submit))
