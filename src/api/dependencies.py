"""How a route gets a service: by type, never from a global."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request

from src.execution.sandbox.base import Sandbox
from src.services.readings import ReadsStrategies
from src.services.runs.archive import RunArchive
from src.services.runs.events import RunEvents
from src.services.runs.gate import RunGate
from src.services.runs.runs import Runs

if TYPE_CHECKING:
    # Their imports are slow.
    from src.services.artifacts.artifacts import Artifacts
    from src.services.market_data import MarketData
    from src.services.presets import Presets


@dataclass(frozen=True)
class Services:
    """The services that routes use, built and closed in src/api/lifespan.py.

    Attributes:
        runs: accepts, executes and ends runs.
        archive: returns stored runs and their results.
        run_events: follows runs.
        artifacts: the files of runs.
        run_gate: the slots for runs.
        preparation_gate: the slots for reading strategies and fetching prices for queued runs.
        data_source: name of the price source.
        market_data: lists cached prices; None if the source has no cache.
        readings: reads strategies without running them, while clients take turns.
    """

    runs: Runs
    archive: RunArchive
    run_events: RunEvents
    artifacts: "Artifacts"
    presets: "Presets"
    run_gate: RunGate
    preparation_gate: RunGate
    sandbox: Sandbox
    readings: ReadsStrategies
    data_source: str = "unknown"
    market_data: "MarketData | None" = None


# A coroutine, because the framework would run a plain function in the thread pool, which may be busy.
async def _services(request: Request) -> Services:
    services: Services = request.state.services
    return services


ServicesDep = Annotated[Services, Depends(_services)]
