"""One attempt at a run, from its lease to its stored end."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from src.errors import RunAbandoned, RunCancelled, RunTimedOut, SandboxUnavailable
from src.models.request import BacktestRequest
from src.services.runs.bell import News, RunBell
from src.services.runs.ends import RunEnds
from src.services.runs.finished_run import FinishedRun
from src.services.runs.leases import Ending, HeldLease
from src.services.runs.outcome import failure_of
from src.services.runs.preparing import PreparedRun
from src.services.runs.result import differences, stored_result
from src.services.runs.teller import RunTeller
from src.services.runs.wishes import RunWishes
from src.services.storage.base import RunStore
from src.services.storage.errors import StorageUnavailable
from src.services.storage.records import Lease, Outcome, RunStatus

LATE_SECONDS = 0.5
"""A run that is cancelled so short before its deadline has timed out: whoever waited for it kept the same time."""

STORE_SECONDS = 30.0
"""How long it tries to store how a run ended: a database that restarts must not cost a result that is there."""

STORE_PAUSE_SECONDS = 0.5


class LeaseLost(Exception):
    """Another process has taken the run over; what happened here is not stored."""


class RunExecution:
    """Executes runs whose lease this process holds, and stores how they end.

    Args:
        wishes: who wants a run to go on when the client who began it leaves.
        ends: told how runs out of the queue end.
        max_result_bytes: how long an answer may be, as JSON before compression.
    """

    def __init__(self, store: RunStore, bell: RunBell, wishes: RunWishes, ends: RunEnds, max_result_bytes: int) -> None:
        self._max_result_bytes = max_result_bytes
        self._store = store
        self._bell = bell
        self._wishes = wishes
        self._ends = ends

    def execute(self, prepared: PreparedRun, held: HeldLease, request: BacktestRequest) -> FinishedRun:
        """Execute the run and store its result; call it within `settling`.

        Raises:
            whatever Prepared.execute raises, LeaseLost, StorageUnavailable
        """
        key = held.lease.key
        with RunTeller(self._store, held, self._bell) as teller:
            answer = prepared.execute(teller.observe)
        metrics, logs, timings = answer["metrics"], answer["logs"], answer["provenance"]["timings_ms"]
        stored, body = stored_result(answer, self._max_result_bytes)
        # Only what comes out of the queue may have been asked for although there is a result.
        before = self._store.result(key) if held.is_dispatched else None
        outcome = Outcome(
            RunStatus.SUCCEEDED,
            result=stored,
            metrics=metrics,
            log_lines=tuple(logs[held.n_told :]),
            differences=() if before is None else differences(before, stored),
        )
        self._finish(held, outcome, timings)
        warnings = tuple(request.unknown_fields_warnings())
        return FinishedRun(key, stored, request.name, warnings, False, timings, body)

    @contextmanager
    def settling(self, held: HeldLease, deadline: float) -> Iterator[None]:
        """Store how a run ends that raises.

        Raises:
            LeaseLost: it is not this process's run any more.
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

    def _outcome(self, held: HeldLease, error: Exception, deadline: float) -> Outcome | None:
        """How a run ends that raised this; None when it goes back into the queue."""
        if isinstance(error, SandboxUnavailable) and held.is_dispatched:
            return None
        if not isinstance(error, RunCancelled):
            outcome = failure_of(error)
            lines = outcome.error.logs if outcome.error else ()
            return replace(outcome, log_lines=lines[held.n_told :])
        if held.ending is Ending.CANCELLED:
            return failure_of(RunCancelled("This run was cancelled."))
        if held.is_dispatched or self._wishes.is_wanted(held.lease.key):
            return None
        if time.monotonic() >= deadline - LATE_SECONDS:
            return failure_of(RunTimedOut("The run took longer than it may."))
        return failure_of(RunAbandoned("The client that waited for this run went away."))

    def _finish(self, held: HeldLease, outcome: Outcome, timings_ms: Mapping[str, float] | None = None) -> None:
        if not self._stored(held, outcome):
            raise LeaseLost
        key = held.lease.key
        self._wishes.forget(key)
        self._bell.ring(key, News.FINISHED)
        if held.is_dispatched:
            self._ends.tell(key, outcome, timings_ms or {})

    def _stored(self, held: HeldLease, outcome: Outcome) -> bool:
        """Whether the end could be stored, tried again while the storage fails and somebody wants the run."""
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
        self._wishes.forget(lease.key)
        self._bell.ring(lease.key, News.QUEUED)
