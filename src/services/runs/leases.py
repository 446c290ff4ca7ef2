"""The runs this process executes: renews their leases and learns which of them must end."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, auto

from src.services.storage.base import RunStore
from src.services.storage.errors import StorageUnavailable
from src.services.storage.records.attempts import Lease
from src.services.storage.records.runs import RunKey

logger = logging.getLogger(__name__)

BEAT_SECONDS = 0.5
"""Interval between lease renewals, and so the maximum delay of a cancel from another process, after which the box
must die within a second."""


class Ending(Enum):
    """Why a running run must end."""

    CANCELLED = auto()
    """Its cancellation was requested."""
    LOST = auto()
    """Another process has taken it over; this attempt no longer counts."""
    STOPPED = auto()
    """The service is stopping; another process, or this one later, executes it again."""


@dataclass
class HeldLease:
    """One run executing in this process.

    Attributes:
        cancel: set to end the run.
        ending: why it was set; None if the run's client disconnected.
        is_dispatched: whether it came from the queue, so no client waits for it.
        n_told: number of printed lines already sent in events.
    """

    lease: Lease
    cancel: threading.Event
    is_dispatched: bool
    ending: Ending | None = None
    n_told: int = 0

    def end(self, ending: Ending) -> None:
        """End the run for this reason, unless it is already ending."""
        if self.ending is None:
            self.ending = ending
        self.cancel.set()


class Leases:
    """All leases of this process. Safe to call from several threads.

    Args:
        lease_seconds: how long a lease lasts without renewal.
        beat_seconds: interval between renewals.
    """

    def __init__(self, store: RunStore, *, lease_seconds: float, beat_seconds: float = BEAT_SECONDS) -> None:
        self.lease_seconds = lease_seconds
        self._store = store
        self._beat_seconds = beat_seconds
        self._held: dict[str, HeldLease] = {}
        self._changed = threading.Condition()
        self._due_at = 0.0
        self._is_closing = False
        # A separate thread: neither a busy event loop nor a slow answer may cost a run its lease.
        self._thread = threading.Thread(target=self._beat_on, name="leases", daemon=True)

    def start(self) -> None:
        """Start renewing."""
        self._thread.start()

    def close(self) -> None:
        """Stop renewing."""
        with self._changed:
            self._is_closing = True
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join()

    @property
    def n_held(self) -> int:
        """Number of runs executing in this process."""
        return len(self._held)

    @contextmanager
    def hold(self, lease: Lease, cancel: threading.Event, *, is_dispatched: bool) -> Iterator[HeldLease]:
        """Renew the lease while the block runs.

        Args:
            cancel: the event that the run watches.
        """
        held = HeldLease(lease, cancel, is_dispatched)
        with self._changed:
            if not self._held:
                self._due_at = time.monotonic() + self._beat_seconds
                self._changed.notify()
            self._held[lease.token] = held
        try:
            yield held
        finally:
            with self._changed:
                del self._held[lease.token]

    def seconds_until_due(self) -> float | None:
        """Time until the leases must be renewed; None while no run executes here.

        It counts from the first of the runs, so a run that ends within the interval costs no renewal.
        """
        return max(0.0, self._due_at - time.monotonic()) if self._held else None

    def cancel(self, key: RunKey) -> None:
        """End the run at once if this process executes it."""
        for held in self._all():
            if held.lease.key == key:
                held.end(Ending.CANCELLED)

    def stop_dispatched(self) -> None:
        """End all runs that came from the queue, which are then requeued."""
        for held in self._all():
            if held.is_dispatched:
                held.end(Ending.STOPPED)

    def beat(self) -> None:
        """Renew all leases once, and end the runs that must end.

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
        with self._changed:
            return list(self._held.values())

    def _beat_on(self) -> None:
        while self._await_due():
            try:
                self.beat()
            except StorageUnavailable as error:
                logger.warning("leases were not renewed: %s", error)
            except Exception:
                logger.exception("leases were not renewed")

    def _await_due(self) -> bool:
        """Wait until the leases must be renewed; False if the service is stopping."""
        with self._changed:
            while not self._is_closing:
                seconds = self.seconds_until_due()
                if seconds == 0.0:
                    self._due_at = time.monotonic() + self._beat_seconds
                    return True
                self._changed.wait(seconds)
            return False
