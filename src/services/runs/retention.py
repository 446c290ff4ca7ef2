"""Background work after runs: seals their files and removes old runs."""

import logging
import math
import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol

from src.services.results.errors import ArtifactNotFound, ArtifactsNotReady
from src.services.runs.notifications import News, RunNotifications
from src.services.storage.base import RunStore
from src.services.storage.records.runs import RunKey

logger = logging.getLogger(__name__)

LOOK_SECONDS = 60.0
"""Interval between searches for results whose process died before sealing them."""

RETAIN_SECONDS = 5.0
"""Maximum delay until old runs are removed: runs that end close together share one search for them."""

CLEAN_SECONDS = 3600.0
"""Interval between deletions of what killed processes left behind, once it is old."""

SETTLE_SECONDS = 0.1
"""Delay before sealing a result, so that its answer is sent first."""

QUIET_WAIT_SECONDS = 2.0
"""Maximum time to wait for running runs, which need the processor more."""

MAX_BACKLOG = 10
"""With more finished runs waiting than this, it does not wait for a quiet moment."""


class RunFiles(Protocol):
    """See src.services.results.artifacts.Artifacts."""

    def seal(self, key: RunKey) -> Any: ...
    def remove(self, key: RunKey) -> None: ...
    def clean_up(self) -> None: ...


class RunRetention:
    """One thread that cleans up after runs. Any error is logged, and the work retried at the next interval.

    Args:
        keep: number of finished runs kept per owner.
        keep_bytes: maximum total size of the answers kept per owner; see RunStore.surplus.
        is_busy: whether this process is executing runs.
    """

    def __init__(
        self,
        store: RunStore,
        files: RunFiles,
        notifications: RunNotifications,
        *,
        keep: int,
        keep_bytes: int | None = None,
        is_busy: Callable[[], bool] = lambda: False,
        look_seconds: float = LOOK_SECONDS,
        clean_seconds: float = CLEAN_SECONDS,
    ) -> None:
        self._store = store
        self._files = files
        self._keep, self._keep_bytes = keep, keep_bytes
        self._is_busy = is_busy
        self._look_seconds = look_seconds
        self._clean_seconds = clean_seconds
        self._finished: queue.SimpleQueue[RunKey | None] = queue.SimpleQueue()
        self._retain_at = math.inf
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work_on, name="retention", daemon=True)
        notifications.listen(self._notified)

    def start(self) -> None:
        """Start, first with work left by an earlier process."""
        self._thread.start()

    def close(self) -> None:
        """Finish the current task; the rest is done after the next start."""
        self._closing.set()
        self._finished.put(None)
        if self._thread.is_alive():
            self._thread.join()

    def _notified(self, key: RunKey, news: News) -> None:
        if news is News.FINISHED:
            self._finished.put(key)

    def _work_on(self) -> None:
        look_at = clean_at = time.monotonic()
        while not self._closing.is_set():
            if time.monotonic() >= clean_at:
                self._attempt(self._files.clean_up)
                clean_at = time.monotonic() + self._clean_seconds
            if time.monotonic() >= look_at:
                self._attempt(self._look)
                look_at = time.monotonic() + self._look_seconds
            if time.monotonic() >= self._retain_at:
                self._attempt(self._retain)
            try:
                key = self._finished.get(timeout=max(0.0, min(look_at, self._retain_at) - time.monotonic()))
            except queue.Empty:
                continue
            if key is not None and self._is_quiet():
                self._attempt(self._after, key)

    def _is_quiet(self) -> bool:
        """Wait for a quiet moment, up to QUIET_WAIT_SECONDS; False if the service is stopping."""
        until = time.monotonic() + QUIET_WAIT_SECONDS
        while not self._closing.wait(SETTLE_SECONDS):
            if not self._is_busy() or time.monotonic() >= until or self._finished.qsize() > MAX_BACKLOG:
                return True
        return False

    def _after(self, key: RunKey) -> None:
        # Old runs are removed even if sealing fails: that is what a full disk needs.
        self._attempt(self._seal, key)
        self._retain_at = min(self._retain_at, time.monotonic() + RETAIN_SECONDS)

    def _seal(self, key: RunKey) -> None:
        with suppress(ArtifactsNotReady, ArtifactNotFound):  # without a result, or deleted by now
            self._files.seal(key)

    def _look(self) -> None:
        for key in self._store.unsealed():
            if self._closing.is_set():
                return
            self._attempt(self._files.seal, key)
        self._retain()

    def _retain(self) -> None:
        self._retain_at = math.inf
        unsealable: frozenset[RunKey] = frozenset()
        for key in self._store.surplus(self._keep, self._keep_bytes):
            if key in unsealable:
                continue
            # Without a link no trace of a result would remain: it stays until it has one.
            if not self._attempt(self._seal, key):
                unsealable = frozenset(self._store.unsealed())
                continue
            self._attempt(remove_run, self._store, self._files.remove, key)

    def _attempt(self, work: Any, *arguments: Any) -> bool:
        try:
            work(*arguments)
        except Exception as error:  # noqa: BLE001 - the thread must survive any storage or disk error
            logger.warning("cleaning up after runs failed: %s: %s", type(error).__name__, error)
            return False
        return True


def remove_run(store: RunStore, remove_files: Callable[[RunKey], None], key: RunKey) -> bool:
    """Remove a finished run with its result, events and files; False if there is none, or it was started again."""
    # Files first: without their run, no later cleanup would find them.
    remove_files(key)
    if not store.delete(key):
        return False
    # A request for them in between may have sealed them again.
    remove_files(key)
    return True
