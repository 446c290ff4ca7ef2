"""How a route asks for a service: by type, never by a global."""

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
    """Everything that routes may ask for, built and closed in src/api/lifespan.py.

    Attributes:
        runs: accepts runs, executes and ends them.
        archive: tells what became of them.
        run_events: follows them.
        artifacts: their files.
        run_gate: the places to run.
        preparation_gate: the places to read strategies and fetch prices for runs that nobody waits for.
        data_source: name of the price source.
        market_data: what prices are cached; None where none are.
        readings: reads a strategy's source without running it, while clients take turns.
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


# A coroutine: the framework would call a plain function in the thread pool, behind what is called there for others.
async def _services(request: Request) -> Services:
    services: Services = request.state.services
    return services


ServicesDep = Annotated[Services, Depends(_services)]
