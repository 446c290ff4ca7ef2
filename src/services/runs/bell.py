"""Tells the parts of one process at once what happened to a run; what other processes do, they learn by looking."""

from collections.abc import Callable
from enum import Enum, auto

from src.services.storage.records import RunKey


class News(Enum):
    """What happened to a run."""

    QUEUED = auto()
    """It waits for a place."""
    CHANGED = auto()
    """It has new events."""
    FINISHED = auto()
    """It has ended."""


Listener = Callable[[RunKey, News], None]


class RunBell:
    """Calls every listener, in the thread that rings. Listeners are quick and never raise."""

    def __init__(self) -> None:
        self._listeners: tuple[Listener, ...] = ()

    def listen(self, listener: Listener) -> None:
        """Call it from now on."""
        self._listeners = (*self._listeners, listener)

    def ring(self, key: RunKey, news: News) -> None:
        """Tell everybody."""
        for listener in self._listeners:
            listener(key, news)
