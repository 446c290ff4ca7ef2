"""The services of one process, built in src/app/opening.py."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from src.config.settings import Settings
from src.execution.sandbox.base import Sandbox
from src.services.admission.slots import RunSlots
from src.services.backtests.reading_cache import ReadsStrategies
from src.services.results.answers import RecentAnswers
from src.services.runs.events import RunEvents
from src.services.runs.queries import RunQueries
from src.services.runs.runs import Runs

if TYPE_CHECKING:
    # Their imports are slow.
    from src.services.data_provider.queries import MarketData
    from src.services.library.presets import Presets
    from src.services.results.artifacts import Artifacts


@dataclass(frozen=True)
class Services:
    """The services that routes use, built and closed in src/app/opening.py.

    Attributes:
        runs: accepts, executes and ends runs.
        run_queries: returns stored runs and their results.
        run_events: follows runs.
        artifacts: the files of runs.
        run_slots: the slots for runs.
        preparation_slots: the slots for reading strategies and fetching prices for queued runs.
        data_source: name of the price source.
        market_data: lists cached prices; None if the source has no cache.
        readings: reads strategies without running them, while clients take turns.
        answers: recently served results.
    """

    runs: Runs
    run_queries: RunQueries
    run_events: RunEvents
    artifacts: "Artifacts"
    presets: "Presets"
    run_slots: RunSlots
    preparation_slots: RunSlots
    sandbox: Sandbox
    readings: ReadsStrategies
    data_source: str = "unknown"
    market_data: "MarketData | None" = None
    answers: RecentAnswers = field(default_factory=RecentAnswers)


OpenServices = Callable[[Settings], AbstractAsyncContextManager[Services]]
