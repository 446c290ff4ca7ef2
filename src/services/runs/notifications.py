"""Notifies the parts of one process when a run changes; changes by other processes are found by polling."""

from collections.abc import Callable
from enum import Enum, auto

from src.services.storage.records import RunKey


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
    """Calls every listener in the ringing thread. Listeners must be quick and never raise."""

    def __init__(self) -> None:
        self._listeners: tuple[Listener, ...] = ()

    def listen(self, listener: Listener) -> None:
        """Call this listener from now on."""
        self._listeners = (*self._listeners, listener)

    def notify(self, key: RunKey, news: News) -> None:
        """Call every listener."""
        for listener in self._listeners:
            listener(key, news)
