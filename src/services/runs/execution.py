"""One attempt at a run, from its lease to its stored end."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from src.errors import RunAbandoned, RunCancelled, RunTimedOut, SandboxUnavailable
from src.models.request import BacktestRequest
from src.services.backtests.port import PreparedRun
from src.services.results.comparison import differences
from src.services.results.finished_run import FinishedRun
from src.services.runs.failures import failure_of
from src.services.runs.interest import ClientInterest
from src.services.runs.leases import Ending, HeldLease
from src.services.runs.notifications import News, RunEnds, RunNotifications
from src.services.runs.progress_writer import ProgressWriter
from src.services.storage.base import RunStore
from src.services.storage.errors import StorageUnavailable
from src.services.storage.records.attempts import Lease, Outcome
from src.services.storage.records.runs import RunStatus
from src.utils.deadline import Deadline

LATE_SECONDS = 0.5
"""A run cancelled this shortly before its deadline counts as timed out: its caller has the same deadline."""

STORE_SECONDS = 30.0
"""How long it retries storing a run's end: a restart of the database must not lose a result."""

STORE_PAUSE_SECONDS = 0.5


class LeaseLost(Exception):
    """Another process has taken over the run; this attempt is not stored."""


class RunExecution:
    """Executes runs whose lease this process holds, and stores how they end.

    Args:
        interest: which runs must continue when the client that started them disconnects.
        ends: notified how queued runs end.
        max_result_bytes: maximum size of a result as JSON, see packing.packed.
    """

    def __init__(
        self,
        store: RunStore,
        notifications: RunNotifications,
        interest: ClientInterest,
        ends: RunEnds,
        max_result_bytes: int,
    ) -> None:
        self._max_result_bytes = max_result_bytes
        self._store = store
        self._notifications = notifications
        self._interest = interest
        self._ends = ends

    def execute(self, prepared: PreparedRun, held: HeldLease, request: BacktestRequest) -> FinishedRun:
        """Execute the run and store its result; call it within `settling`.

        Raises:
            any exception of Prepared.execute, LeaseLost, StorageUnavailable
        """
        from src.services.results.packing import packed, unpacked  # noqa: PLC0415 - a slow import

        key = held.lease.key
        with ProgressWriter(self._store, held, self._notifications) as writer:
            result = prepared.execute(writer.observe)
        stored = packed(result, self._max_result_bytes)
        # Only queued runs can be reruns, which already have a result.
        before = self._store.result(key) if held.is_dispatched else None
        outcome = Outcome(
            RunStatus.SUCCEEDED,
            result=stored,
            log_lines=tuple(result.document["logs"][held.n_told :]),
            differences=() if before is None else differences(unpacked(before), result),
        )
        timings = result.document["provenance"]["timings_ms"]
        self._finish(held, outcome, timings)
        return FinishedRun(key, stored, tuple(request.unknown_fields_warnings()), False, timings, result)

    @contextmanager
    def settling(self, held: HeldLease, deadline: Deadline) -> Iterator[None]:
        """Store the end of a run if the block raises.

        Raises:
            LeaseLost: the run no longer belongs to this process.
        """
        try:
            yield
        except (LeaseLost, StorageUnavailable):
            raise
        except Exception as error:
            if held.ending is Ending.LOST:
                raise LeaseLost from error
            outcome = self._outcome(held, error, deadline)
            if outcome is None:
                self._give_back(held.lease)
            else:
                self._finish(held, outcome)
            raise

    def _outcome(self, held: HeldLease, error: Exception, deadline: Deadline) -> Outcome | None:
        """The outcome for this exception; None if the run is requeued."""
        if isinstance(error, SandboxUnavailable) and held.is_dispatched:
            return None
        if not isinstance(error, RunCancelled):
            outcome = failure_of(error)
            lines = outcome.error.logs if outcome.error else ()
            return replace(outcome, log_lines=lines[held.n_told :])
        if held.ending is Ending.CANCELLED:
            return failure_of(RunCancelled("This run was cancelled."))
        if held.is_dispatched or self._interest.is_wanted(held.lease.key):
            return None
        if time.monotonic() >= deadline.ends_at - LATE_SECONDS:
            return failure_of(RunTimedOut("The run exceeded its time limit."))
        return failure_of(RunAbandoned("The client that waited for this run disconnected."))

    def _finish(self, held: HeldLease, outcome: Outcome, timings_ms: Mapping[str, float] | None = None) -> None:
        if not self._stored(held, outcome):
            raise LeaseLost
        key = held.lease.key
        self._interest.forget(key)
        self._notifications.notify(key, News.FINISHED)
        if held.is_dispatched:
            self._ends.report(key, outcome, timings_ms or {})

    def _stored(self, held: HeldLease, outcome: Outcome) -> bool:
        """Store the end, retrying while the storage fails and the run is wanted; returns whether it was stored."""
        until = time.monotonic() + STORE_SECONDS
        while True:
            try:
                return self._store.finish(held.lease, outcome)
            except StorageUnavailable:
                if time.monotonic() >= until or held.cancel.wait(STORE_PAUSE_SECONDS):
                    raise

    def _give_back(self, lease: Lease) -> None:
        if not self._store.give_back(lease):
            raise LeaseLost
        self._interest.forget(lease.key)
        self._notifications.notify(lease.key, News.QUEUED)
