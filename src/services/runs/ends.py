"""Reports how queued runs ended, for statistics."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from src.services.storage.base import RunStore
from src.services.storage.errors import StorageUnavailable
from src.services.storage.records import Outcome, RunKey

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class EndedRun:
    """How a queued run ended.

    Attributes:
        outcome: "completed", or the code of its error.
        waited_seconds: time in the queue until its last start.
        seconds: from acceptance to its end.
        timings_ms: milliseconds by step of a run that succeeded.
    """

    outcome: str
    waited_seconds: float
    seconds: float
    timings_ms: Mapping[str, float]


Listener = Callable[[EndedRun], None]


class RunEnds:
    """Calls every listener in the thread that executed the run. Listeners must be quick and never raise."""

    def __init__(self, store: RunStore) -> None:
        self._store = store
        self._listeners: tuple[Listener, ...] = ()

    def listen(self, listener: Listener) -> None:
        """Call this listener from now on."""
        self._listeners = (*self._listeners, listener)

    def tell(self, key: RunKey, outcome: Outcome, timings_ms: Mapping[str, float]) -> None:
        """Notify every listener that the run's end is stored."""
        if not self._listeners:
            return
        try:
            run = self._store.get(key)
        except StorageUnavailable as error:
            logger.warning("the end of a run was not counted: %s", error)
            return
        if run is None or run.started_at is None or run.finished_at is None:
            # It was already deleted or posted again.
            return
        ended = EndedRun(
            outcome="completed" if outcome.error is None else outcome.error.code,
            waited_seconds=(run.started_at - run.submitted_at).total_seconds(),
            seconds=(run.finished_at - run.submitted_at).total_seconds(),
            timings_ms=timings_ms,
        )
        for listener in self._listeners:
            listener(ended)
