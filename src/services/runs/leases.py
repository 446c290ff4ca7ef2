"""The runs that this process works on: keeps their leases alive and learns in time which of them shall end."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, auto

from src.services.storage.base import RunStore
from src.services.storage.errors import StorageUnavailable
from src.services.storage.records import Lease, RunKey

logger = logging.getLogger(__name__)

BEAT_SECONDS = 0.5
"""How often leases are renewed; also how late a cancel from another process may be noticed: its box is to die within a
second."""


class Ending(Enum):
    """Why a run under way shall end."""

    CANCELLED = auto()
    """Somebody asked for it."""
    LOST = auto()
    """Another process has taken it over: whatever happens here counts no more."""
    STOPPED = auto()
    """The service stops; another process, or this one later, goes on with it."""


@dataclass
class HeldLease:
    """One run under way in this process.

    Attributes:
        cancel: set to end the run.
        ending: why it was set; None when nobody waits for the run any more.
        is_dispatched: whether it came out of the queue: then nobody waits in line for it.
        n_told: printed lines that events have carried.
    """

    lease: Lease
    cancel: threading.Event
    is_dispatched: bool
    ending: Ending | None = None
    n_told: int = 0

    def end(self, ending: Ending) -> None:
        """End the run for that reason, unless there is one already."""
        if self.ending is None:
            self.ending = ending
        self.cancel.set()


class Leases:
    """All leases of this process. Safe to call from several threads.

    Args:
        lease_seconds: how long a lease lasts without a beat.
        beat_seconds: how often they are renewed.
    """

    def __init__(self, store: RunStore, *, lease_seconds: float, beat_seconds: float = BEAT_SECONDS) -> None:
        self.lease_seconds = lease_seconds
        self._store = store
        self._beat_seconds = beat_seconds
        self._held: dict[str, HeldLease] = {}
        self._lock = threading.Lock()
        self._closing = threading.Event()
        # A thread of its own: neither the event loop nor a slow answer may cost a run its lease.
        self._thread = threading.Thread(target=self._beat_on, name="leases", daemon=True)

    def start(self) -> None:
        """Begin to renew."""
        self._thread.start()

    def close(self) -> None:
        """Renew no more."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join()

    @property
    def n_held(self) -> int:
        """Runs under way in this process."""
        return len(self._held)

    @contextmanager
    def hold(self, lease: Lease, cancel: threading.Event, *, is_dispatched: bool) -> Iterator[HeldLease]:
        """Keep the lease for as long as the block runs.

        Args:
            cancel: what the run watches.
        """
        held = HeldLease(lease, cancel, is_dispatched)
        with self._lock:
            self._held[lease.token] = held
        try:
            yield held
        finally:
            with self._lock:
                del self._held[lease.token]

    def cancel(self, key: RunKey) -> None:
        """End the run at once if this process works on it."""
        for held in self._all():
            if held.lease.key == key:
                held.end(Ending.CANCELLED)

    def stop_dispatched(self) -> None:
        """End all runs that came out of the queue, which shall go back there."""
        for held in self._all():
            if held.is_dispatched:
                held.end(Ending.STOPPED)

    def beat(self) -> None:
        """Renew all leases once, and end the runs that shall end.

        Raises:
            StorageUnavailable
        """
        held = {one.lease.token: one for one in self._all()}
        if not held:
            return
        answer = self._store.heartbeat([one.lease for one in held.values()], self.lease_seconds)
        for tokens, ending in ((answer.cancelled, Ending.CANCELLED), (answer.lost, Ending.LOST)):
            for token in tokens & held.keys():
                held[token].end(ending)

    def _all(self) -> list[HeldLease]:
        with self._lock:
            return list(self._held.values())

    def _beat_on(self) -> None:
        while not self._closing.wait(self._beat_seconds):
            try:
                self.beat()
            except StorageUnavailable as error:
                logger.warning("leases were not renewed: %s", error)
            except Exception:
                logger.exception("leases were not renewed")
