"""Notifies the parts of one process when a run changes or ends; changes by other processes are found by polling."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto

from src.services.storage.base import RunStore
from src.services.storage.errors import StorageUnavailable
from src.services.storage.records.attempts import Outcome
from src.services.storage.records.runs import RunKey

logger = logging.getLogger(__name__)


class News(Enum):
    """What happened to a run."""

    QUEUED = auto()
    """It was queued."""
    CHANGED = auto()
    """It has new events."""
    FINISHED = auto()
    """It has ended."""


Listener = Callable[[RunKey, News], None]


class RunNotifications:
    """Calls every listener in the thread that notifies. Listeners must be quick and never raise."""

    def __init__(self) -> None:
        self._listeners: tuple[Listener, ...] = ()

    def listen(self, listener: Listener) -> None:
        """Call this listener from now on."""
        self._listeners = (*self._listeners, listener)

    def notify(self, key: RunKey, news: News) -> None:
        """Call every listener."""
        for listener in self._listeners:
            listener(key, news)


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


class RunEnds:
    """Reports how queued runs ended, for statistics.

    Calls every listener in the thread that executed the run. Listeners must be quick and never raise.
    """

    def __init__(self, store: RunStore) -> None:
        self._store = store
        self._listeners: tuple[Callable[[EndedRun], None], ...] = ()

    def listen(self, listener: Callable[[EndedRun], None]) -> None:
        """Call this listener from now on."""
        self._listeners = (*self._listeners, listener)

    def report(self, key: RunKey, outcome: Outcome, timings_ms: Mapping[str, float]) -> None:
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
