"""Durable runs: accept them, execute them, end them. Blocks; safe to call from several threads."""

import hashlib
import logging
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from src.errors import (
    BacktesterError,
    DataChanged,
    RunAbandoned,
    RunNotFinished,
    RunNotFound,
    SandboxUnavailable,
)
from src.models.request import BacktestRequest
from src.services.backtests.port import BoxNeeded, PreparedRun, PreparesRuns
from src.services.results.finished_run import FinishedRun
from src.services.runs.execution import LeaseLost, RunExecution
from src.services.runs.interest import ClientInterest
from src.services.runs.leases import HeldLease, Leases
from src.services.runs.notifications import News, RunEnds, RunNotifications
from src.services.runs.queries import RunQueries
from src.services.runs.retention import remove_run
from src.services.storage.base import RunStore
from src.services.storage.errors import StorageUnavailable
from src.services.storage.records.attempts import Lease, Submission
from src.services.storage.records.runs import NewRun, RunDetails, RunKey, RunRecord, RunStatus
from src.utils.canonical_json import canonical_json
from src.utils.deadline import Deadline

logger = logging.getLogger(__name__)

MAX_NAME_CHARACTERS = 200
"""Maximum length of a request's name."""


class Runs:
    """All operations on runs.

    Args:
        backtests: prepares and executes them.
        store: stores them.
        leases: of this process.
        notifications: notified when a run changes in this process.
        run_seconds: maximum duration of an execution without a waiting client.
        max_queued: maximum number of runs queued in the store.
        max_result_bytes: maximum size of a result as JSON, see src.services.results.packing.packed.
        remove_files: removes a run's files outside the store.

    Attributes:
        ends: reports how queued runs ended.
    """

    def __init__(
        self,
        backtests: PreparesRuns,
        store: RunStore,
        *,
        leases: Leases,
        notifications: RunNotifications,
        run_seconds: float,
        max_queued: int,
        max_result_bytes: int = sys.maxsize,
        remove_files: Callable[[RunKey], None] = lambda key: None,
    ) -> None:
        self._backtests = backtests
        self._store = store
        self._leases = leases
        self._notifications = notifications
        self._run_seconds = run_seconds
        self._max_queued = max_queued
        self._remove_files = remove_files
        self._interest = ClientInterest()
        self._queries = RunQueries(store)
        self.ends = RunEnds(store)
        self._execution = RunExecution(store, notifications, self._interest, self.ends, max_result_bytes)

    def submit(
        self,
        owner: str,
        request: BacktestRequest,
        *,
        deadline: Deadline,
        rerun: bool = False,
        idempotency_key: str | None = None,
        may_open_box: bool = True,
    ) -> Submission:
        """Accept a run without waiting for its result. An accepted run is never lost.

        Args:
            deadline: applies to accepting it.
            rerun: compute it again even if it has a result.
            idempotency_key: the same key and request again return the first run.
            may_open_box: whether the caller holds a slot.

        Raises:
            any exception of Backtests.prepare, QueueFull, KeyReused, StorageUnavailable
        """
        idempotency = None
        if idempotency_key is not None:
            idempotency = idempotency_key, _fingerprint(request, rerun)
        with self._backtests.prepare(request, deadline=deadline, may_open_box=may_open_box) as prepared:
            key = RunKey(owner, prepared.run_hash)
            stored = self._store.details(key) if rerun else None
            dataset = prepared.store_dataset(None if stored is None else stored.dataset)
            new = _new_run(key, request, prepared, dataset)
        if stored is not None:
            new = self._with_stored_warnings(new, stored)
        # Before the lookup: from now on, a run with a waiting client must not end when that client disconnects.
        self._interest.promise(new.key)
        submission = self._store.submit(new, rerun=rerun, max_queued=self._max_queued, idempotency=idempotency)
        if submission.run.status is not RunStatus.RUNNING:
            self._interest.withdraw(new.key)
        if submission.is_new:
            self._notifications.notify(submission.run.key, News.QUEUED)
            return submission
        return replace(submission, run=self._renamed(submission.run, request.name))

    def _renamed(self, run: RunRecord, name: str | None) -> RunRecord:
        """An existing run, renamed to the name it was just posted with, if any."""
        if not name or name == run.name:
            return run
        return self._store.rename(run.key, name) or run

    def _with_stored_warnings(self, new: NewRun, details: RunDetails) -> NewRun:
        """The run with the warnings of the request that produced its stored result, and its name if it has none."""
        known = self._store.get(new.key)
        if known is None or not known.has_result:
            return new
        name = new.request["name"]
        request = details.request if name is None else {**details.request, "name": name}
        return replace(new, name=name or known.name, request=request, warnings=details.warnings)

    def run_now(
        self,
        owner: str,
        request: BacktestRequest,
        *,
        deadline: Deadline,
        reading_seconds: float = 0.0,
    ) -> FinishedRun | RunKey:
        """The finished run, for a caller that waits: from the store if it exists, otherwise executed here and stored.

        Args:
            reading_seconds: time already spent reading the strategy for this request; enters the run's timings.

        Returns:
            The key if the run is queued or executed elsewhere: wait for RunEvents.finished, then call finished().

        Raises:
            any exception of Backtests.prepare and Prepared.execute, StorageUnavailable
        """
        with self._backtests.prepare(request, deadline=deadline, reading_seconds=reading_seconds) as prepared:
            key = RunKey(owner, prepared.run_hash)
            known = self._store.get(key)
            if known is None or not _is_settled(known):
                new = _new_run(key, request, prepared)
                submission = self._store.submit(new, lease_seconds=self._leases.lease_seconds)
                known = submission.run
                if submission.lease is not None:
                    return self._run_here(prepared, submission.lease, request, deadline)
            return self._known(known, request)

    def find(
        self,
        owner: str,
        request: BacktestRequest,
        *,
        deadline: Deadline,
    ) -> FinishedRun | RunKey | None:
        """Like run_now, but only for an existing run; None if it would have to be executed, or a box is needed to know.

        Raises:
            as run_now
        """
        try:
            with self._backtests.prepare(request, deadline=deadline, may_open_box=False) as prepared:
                known = self._store.get(RunKey(owner, prepared.run_hash))
        except BoxNeeded:
            return None
        return None if known is None or not _is_settled(known) else self._known(known, request)

    def _known(self, run: RunRecord, request: BacktestRequest) -> FinishedRun | RunKey:
        run = self._renamed(run, request.name)
        if run.has_result or run.status.is_finished:
            return self._queries.ended(run)
        self._interest.await_end(run.key)
        return run.key

    def _run_here(
        self, prepared: PreparedRun, lease: Lease, request: BacktestRequest, deadline: Deadline
    ) -> FinishedRun | RunKey:
        self._notifications.notify(lease.key, News.CHANGED)
        try:
            with (
                self._leases.hold(lease, deadline.cancel, is_dispatched=False) as held,
                self._execution.settling(held, deadline),
            ):
                return self._execution.execute(prepared, held, request)
        except LeaseLost:
            return lease.key

    def execute(self, lease: Lease, cancel: threading.Event) -> None:
        """Execute a run from the queue and store its end.

        Raises:
            SandboxUnavailable: the run was requeued; nothing can run at present.
            StorageUnavailable: its end could not be stored; it is executed again once its lease expires.
        """
        deadline = Deadline.after(self._run_seconds, cancel)
        self._notifications.notify(lease.key, News.CHANGED)
        try:
            with self._leases.hold(lease, cancel, is_dispatched=True) as held, self._execution.settling(held, deadline):
                self._execute_stored(held, deadline)
            logger.info("run executed", extra={"run_hash": lease.key.run_hash, "attempt": lease.attempt})
        except (SandboxUnavailable, StorageUnavailable):
            raise
        except LeaseLost:
            logger.warning("run %s was taken over by another process", lease.key.run_hash)
        except BacktesterError as error:
            logger.info("run %s ended: %s", lease.key.run_hash, error.code)
        except Exception:
            logger.exception("run %s failed", lease.key.run_hash)

    def _execute_stored(self, held: HeldLease, deadline: Deadline) -> None:
        key = held.lease.key
        details = self._queries.details(key)
        request = BacktestRequest.model_validate(details.request).sent_with(details.warnings)
        prepared = self._backtests.prepare(request, deadline=deadline, accepted=details)
        with prepared:
            if prepared.run_hash != key.run_hash:
                raise DataChanged(_what_changed(details.ingredients, prepared.ingredients))
            self._execution.execute(prepared, held, request)

    def keep_promises(self) -> None:
        """Accept runs again that were accepted here and then abandoned by the waiting client of another process."""
        for key in self._interest.promised():
            run = self._store.get(key)
            if run is not None and run.status is RunStatus.RUNNING:
                continue
            details = self._store.details(key)
            if run is not None and details is not None and run.error and run.error.code == RunAbandoned.code:
                self._store.submit(_same_run(run, details))
                self._notifications.notify(key, News.QUEUED)
            self._interest.withdraw(key)

    def cancel(self, key: RunKey) -> RunRecord:
        """Cancel the run, whichever process executes it. A finished run is unchanged.

        Raises:
            RunNotFound
        """
        run = self._store.request_cancel(key)
        if run is None:
            raise RunNotFound("There is no such run.")
        self._leases.cancel(key)
        self._notifications.notify(key, News.FINISHED if run.status is RunStatus.CANCELLED else News.CHANGED)
        return run

    def delete(self, key: RunKey) -> None:
        """Remove a finished run with its result, events and files.

        Raises:
            RunNotFound, RunNotFinished
        """
        run = self._queries.get(key)
        if not run.status.is_finished:
            raise RunNotFinished("The run is still in progress: cancel it first.")
        if not remove_run(self._store, self._remove_files, key):
            self._queries.get(key)
            raise RunNotFinished("The run is in progress again: it was posted again.")


def _is_settled(run: RunRecord) -> bool:
    """Whether posting it again would start nothing."""
    is_final = run.error is not None and run.error.is_repeatable
    return run.has_result or not run.status.is_finished or is_final


def _new_run(key: RunKey, request: BacktestRequest, prepared: PreparedRun, dataset: str | None = None) -> NewRun:
    return NewRun(
        key=key,
        name=request.name or prepared.class_name[:MAX_NAME_CHARACTERS],
        request=request.model_dump(mode="json"),
        ingredients=prepared.ingredients,
        symbols=prepared.symbols,
        warnings=tuple(request.unknown_fields_warnings()),
        dataset=dataset,
    )


def _same_run(run: RunRecord, details: RunDetails) -> NewRun:
    return NewRun(
        key=run.key,
        name=run.name,
        request=details.request,
        ingredients=details.ingredients,
        symbols=run.symbols,
        warnings=details.warnings,
        dataset=details.dataset,
    )


def _fingerprint(request: BacktestRequest, rerun: bool) -> str:
    """The request that an Idempotency-Key identifies, as a hash."""
    said = {"request": request.model_dump(mode="json"), "rerun": rerun}
    return hashlib.sha256(canonical_json(said)).hexdigest()


def _what_changed(accepted: Mapping[str, Any], present: Mapping[str, Any]) -> str:
    names = [name for name in sorted({*accepted, *present}) if accepted.get(name) != present.get(name)]
    what = {"data": "the prices", "yardsticks": "the benchmark or the risk-free rate"}
    changed = " and ".join(what.get(name, name) for name in names)
    return f"Since this run was accepted, {changed} changed: post it again to run it on the current data."
