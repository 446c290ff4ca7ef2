"""What every route that runs a backtest does: wait in line, watch the client, run, tell how it went."""

import contextvars
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fastapi import Request, Response

from src.api.dependencies import Services
from src.api.disconnect import unless_disconnected
from src.api.json_answer import json_bytes
from src.api.telemetry import RunReport, Telemetry
from src.models.request import BacktestRequest


async def run_answer(
    request: Request,
    services: Services,
    posted: BacktestRequest,
    *,
    universe: Sequence[str] | None = None,
    render: Callable[[Mapping[str, Any]], Any] = lambda answer: answer,
) -> Response:
    """The finished backtest as JSON; the run ends when the client goes or its time is up.

    Args:
        universe: see Backtests.run.
        render: the answer in the words of the route's contract.

    Raises:
        BacktesterError: whatever the run raises; src/api/handlers.py makes an answer of it.
    """
    deadline: float = request.state.deadline
    telemetry: Telemetry = request.app.state.telemetry
    report = RunReport(started=time.perf_counter())
    # The run's thread logs under this request's id.
    context = contextvars.copy_context()

    def run(cancel: threading.Event) -> bytes:
        report.begins()
        answer = context.run(services.backtests.run, posted, deadline=deadline, cancel=cancel, universe=universe)
        report.answer(answer)
        return json_bytes(render(answer))

    with telemetry.observed(report):
        body = await unless_disconnected(request.receive, services.run_gate.run(run))
    return Response(body, media_type="application/json")
