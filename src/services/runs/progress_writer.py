"""Stores a run's progress in a separate thread, so that slow storage never slows the run."""

import logging
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from src.services.runs.leases import Ending, HeldLease
from src.services.runs.notifications import News, RunNotifications
from src.services.storage.base import RunStore
from src.services.storage.errors import StorageUnavailable
from src.services.storage.records.runs import Progress

logger = logging.getLogger(__name__)

PACE_SECONDS = 0.1
"""Minimum interval between events: at most ten per second."""


class ProgressWriter:
    """Writes the progress of one run in its own thread, started with the first report.

    Leaving the block waits for a write in progress, so that the run's last events come after it.
    """

    def __init__(
        self, store: RunStore, held: HeldLease, notifications: RunNotifications, pace_seconds: float = PACE_SECONDS
    ) -> None:
        self._store = store
        self._held = held
        self._notifications = notifications
        self._pace_seconds = pace_seconds
        self._changed = threading.Condition()
        self._progress: Progress | None = None
        self._lines: list[str] = []
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def observe(self, progress: Progress, lines: Sequence[str]) -> None:
        """Record the progress and return at once."""
        with self._changed:
            self._progress = progress
            self._lines += lines
            self._changed.notify()
        if self._thread is None:
            self._thread = threading.Thread(target=self._write_on, name="progress", daemon=True)
            self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        with self._changed:
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    def _write_on(self) -> None:
        # A run that ends within the first pause only reports its end, which saves a transaction.
        while not self._closing.wait(self._pace_seconds) and (told := self._next()) is not None:
            try:
                if not self._store.tell(self._held.lease, progress=told[0], log_lines=told[1]):
                    self._held.end(Ending.LOST)
                    return
                self._held.n_told += len(told[1])
                self._notifications.notify(self._held.lease.key, News.CHANGED)
            except StorageUnavailable as error:
                logger.warning("progress of a run was not stored: %s", error)
                self._keep_lines(told[1])
            except Exception:
                logger.exception("progress of a run was not stored")
                return

    def _next(self) -> tuple[Progress, list[str]] | None:
        """Wait for the next progress to write; None when the run has ended."""
        with self._changed:
            while self._progress is None:
                if self._closing.is_set():
                    return None
                self._changed.wait()
            if self._closing.is_set():
                return None
            told = self._progress, self._lines
            self._progress, self._lines = None, []
            return told

    def _keep_lines(self, lines: list[str]) -> None:
        with self._changed:
            self._lines = lines + self._lines
