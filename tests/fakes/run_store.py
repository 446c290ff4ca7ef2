"""In-memory fakes of the storage ports, tested against the same contract as the real ones."""

import itertools
import secrets
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from threading import RLock
from typing import Any

from src.services.storage.base import Storage
from src.services.storage.errors import CursorInvalid, KeyReused, QueueFull
from src.services.storage.records.attempts import EventKind, HeartbeatAnswer, Lease, Outcome, RunEvent, Submission
from src.services.storage.records.results import StoredResult
from src.services.storage.records.runs import (
    Counts,
    NewRun,
    Progress,
    Recomputed,
    RunDetails,
    RunError,
    RunFilter,
    RunKey,
    RunPage,
    RunRecord,
    RunStatus,
)
from tests.fakes.chain_store import Clock, FakeChainStore, system_clock
from tests.fakes.plain import plain
from tests.fakes.preset_store import FakePresetStore

LONGEST = timedelta(hours=2)


@dataclass
class Kept:
    """Everything about one run."""

    id: int
    new: NewRun
    record: RunRecord
    events: list[RunEvent] = field(default_factory=list)
    result: StoredResult | None = None
    token: str | None = None
    leased_until: datetime | None = None


class FakeRunStore:
    """`RunStore` in memory.

    Args:
        clock: tells the time.
        chain: where `unsealed` looks for links.
    """

    def __init__(self, clock: Clock = system_clock, chain: FakeChainStore | None = None) -> None:
        self._clock = clock
        self._chain = chain
        self._lock = RLock()
        self._ids = itertools.count(1)
        self._runs: dict[RunKey, Kept] = {}
        self._keys: dict[tuple[str, str], tuple[str, RunKey, datetime]] = {}

    def submit(
        self,
        new: NewRun,
        *,
        rerun: bool = False,
        lease_seconds: float | None = None,
        max_queued: int | None = None,
        idempotency: tuple[str, str] | None = None,
    ) -> Submission:
        with self._lock:
            earlier = None if idempotency is None else self._earlier(new.key.owner, *idempotency)
            if earlier is not None:
                return Submission(self._record(earlier), is_new=False)
            kept = self._runs.get(new.key)
            if kept is None or self._may_be_accepted_again(kept, rerun=rerun):
                self._check_room(max_queued if lease_seconds is None else None)
                lease = self._accept(new, kept, lease_seconds)
                submission = Submission(self._record(self._runs[new.key]), is_new=True, lease=lease)
            else:
                submission = Submission(self._record(kept), is_new=False)
            if idempotency is not None:
                self._keys[new.key.owner, idempotency[0]] = (idempotency[1], new.key, self._clock())
            return submission

    def _earlier(self, owner: str, key: str, fingerprint: str) -> Kept | None:
        kept = self._keys.get((owner, key))
        if kept is None or kept[2] <= self._clock() - timedelta(hours=24):
            return None
        if kept[0] != fingerprint:
            raise KeyReused("the key was used with another request")
        return self._runs.get(kept[1])

    @staticmethod
    def _may_be_accepted_again(kept: Kept, *, rerun: bool) -> bool:
        run = kept.record
        would_repeat = run.error is not None and run.error.is_repeatable
        return run.status.is_finished and (rerun or not (run.status == RunStatus.SUCCEEDED or would_repeat))

    def _check_room(self, max_queued: int | None) -> None:
        counts = self.counts()
        if max_queued is not None and counts.n_queued >= max_queued:
            raise QueueFull(counts.n_running, counts.n_queued)

    def _accept(self, new: NewRun, before: Kept | None, lease_seconds: float | None) -> Lease | None:
        parts = {name: plain(getattr(new, name)) for name in ("request", "ingredients", "warnings")}
        stored = replace(new, **parts | {"warnings": tuple(parts["warnings"])})
        kept = before or Kept(next(self._ids), stored, self._empty_record(new))
        kept.new = stored
        kept.record = replace(
            self._empty_record(new),
            first_event=len(kept.events) + 1,
            metrics=kept.record.metrics if kept.result is not None else None,
            has_result=kept.result is not None,
        )
        self._runs[new.key] = kept
        if lease_seconds is not None:
            return self._start(kept, lease_seconds)
        self._tell(kept, EventKind.QUEUED, {"position": self._position(kept)})
        return None

    def _empty_record(self, new: NewRun) -> RunRecord:
        return RunRecord(
            key=new.key,
            name=new.name,
            status=RunStatus.QUEUED,
            symbols=new.symbols,
            start_date=str(new.ingredients["start_date"]),
            end_date=str(new.ingredients["end_date"]),
            submitted_at=self._clock(),
            started_at=None,
            finished_at=None,
            attempt=0,
            position=None,
            progress=None,
            metrics=None,
            error=None,
            is_cancel_requested=False,
            has_result=False,
            recomputed=None,
            first_event=1,
            last_event=0,
        )

    def _start(self, kept: Kept, lease_seconds: float) -> Lease:
        attempt = kept.record.attempt + 1
        kept.token = secrets.token_hex(16)
        kept.leased_until = self._clock() + timedelta(seconds=lease_seconds)
        kept.record = replace(
            kept.record, status=RunStatus.RUNNING, attempt=attempt, started_at=self._clock(), progress=None
        )
        self._tell(kept, EventKind.STARTED, {"attempt": attempt})
        return Lease(kept.record.key, kept.token, attempt)

    def _tell(self, kept: Kept, kind: EventKind, data: Mapping[str, Any], at: datetime | None = None) -> None:
        kept.events.append(RunEvent(len(kept.events) + 1, kind, at or self._clock(), plain(data)))
        kept.record = replace(kept.record, last_event=len(kept.events))

    def rename(self, key: RunKey, name: str) -> RunRecord | None:
        with self._lock:
            kept = self._runs.get(key)
            if kept is None:
                return None
            kept.new = replace(kept.new, name=name, request={**kept.new.request, "name": name})
            kept.record = replace(kept.record, name=name)
            return self._record(kept)

    def claim(self, lease_seconds: float) -> Lease | None:
        with self._lock:
            first = next(self._in_turn(), None)
            return None if first is None else self._start(first, lease_seconds)

    def _in_turn(self) -> Iterator[Kept]:
        """All queued runs, in the order in which they would start."""
        waiting = self._in_state(RunStatus.QUEUED)
        n_running = Counter(kept.record.key.owner for kept in self._in_state(RunStatus.RUNNING))
        started = [kept for kept in self._runs.values() if kept.record.started_at is not None]
        started.sort(key=lambda kept: (kept.record.started_at, kept.id))
        last_start = {kept.record.key.owner: number for number, kept in enumerate(started)}
        for number in itertools.count(len(started)):
            if not waiting:
                return
            owners = [kept.record.key.owner for kept in waiting]
            turns = [(n_running[owner], last_start.get(owner, -1)) for owner in owners]
            first = waiting.pop(turns.index(min(turns)))
            owner = first.record.key.owner
            n_running[owner] += 1
            last_start[owner] = number
            yield first

    def _in_state(self, *states: RunStatus) -> list[Kept]:
        found = [kept for kept in self._runs.values() if kept.record.status in states]
        return sorted(found, key=_age)

    def heartbeat(self, leases: Sequence[Lease], lease_seconds: float) -> HeartbeatAnswer:
        with self._lock:
            held = {lease.token: kept for lease in leases if (kept := self._held(lease)) is not None}
            for kept in held.values():
                kept.leased_until = self._clock() + timedelta(seconds=lease_seconds)
            cancelled = frozenset(token for token, kept in held.items() if kept.record.is_cancel_requested)
            return HeartbeatAnswer(cancelled, frozenset(lease.token for lease in leases) - held.keys())

    def _held(self, lease: Lease) -> Kept | None:
        kept = self._runs.get(lease.key)
        return kept if kept is not None and kept.token == lease.token else None

    def tell(self, lease: Lease, *, progress: Progress | None = None, log_lines: Sequence[str] = ()) -> bool:
        with self._lock:
            kept = self._held(lease)
            if kept is None:
                return False
            if log_lines:
                self._tell(kept, EventKind.LOG, {"lines": list(log_lines)})
            if progress is not None:
                kept.record = replace(kept.record, progress=Progress(**plain(asdict(progress))))
                self._tell(kept, EventKind.PROGRESS, asdict(progress))
            return True

    def finish(self, lease: Lease, outcome: Outcome) -> bool:
        with self._lock:
            kept = self._held(lease)
            if kept is not None:
                self._end(kept, outcome)
            return kept is not None

    def _end(self, kept: Kept, outcome: Outcome) -> None:
        if outcome.log_lines:
            self._tell(kept, EventKind.LOG, {"lines": outcome.log_lines})
        had_result, now = kept.result is not None, self._clock()
        again = (
            Recomputed(now, outcome.status, outcome.differences, _plain_error(outcome.error)) if had_result else None
        )
        kept.result = kept.result or outcome.result
        kept.token = kept.leased_until = None
        kept.record = replace(
            kept.record,
            status=RunStatus.SUCCEEDED if had_result else outcome.status,
            metrics=plain(outcome.result.metrics) if outcome.result and not had_result else kept.record.metrics,
            error=None if had_result else _plain_error(outcome.error),
            recomputed=again,
            finished_at=now,
            is_cancel_requested=False,
            has_result=kept.result is not None,
        )
        self._tell(kept, EventKind.FINISHED, _finished(kept.record), now)

    def give_back(self, lease: Lease) -> bool:
        with self._lock:
            kept = self._held(lease)
            if kept is not None:
                self._requeue(kept, kept.record.attempt - 1)
            return kept is not None

    def _requeue(self, kept: Kept, attempt: int) -> None:
        if kept.record.is_cancel_requested:
            self._end(kept, _cancelled())
            return
        kept.token = kept.leased_until = None
        kept.record = replace(kept.record, status=RunStatus.QUEUED, attempt=attempt, started_at=None, progress=None)
        self._tell(kept, EventKind.QUEUED, {"position": self._position(kept)})

    def attend(self, max_attempts: int) -> list[RunKey]:
        return []

    def recover(self, max_attempts: int) -> list[RunKey]:
        with self._lock:
            now = self._clock()
            running = self._in_state(RunStatus.RUNNING)
            silent = [kept for kept in running if kept.leased_until and not now <= kept.leased_until <= now + LONGEST]
            for kept in silent:
                if kept.record.attempt >= max_attempts and not kept.record.is_cancel_requested:
                    self._end(kept, Outcome(RunStatus.FAILED, error=RunError("attempts_exhausted", ("Given up.",))))
                else:
                    self._requeue(kept, kept.record.attempt)
            return [kept.record.key for kept in silent]

    def request_cancel(self, key: RunKey) -> RunRecord | None:
        with self._lock:
            kept = self._runs.get(key)
            if kept is None:
                return None
            if kept.record.status == RunStatus.QUEUED:
                self._end(kept, _cancelled())
            elif kept.record.status == RunStatus.RUNNING:
                kept.record = replace(kept.record, is_cancel_requested=True)
            return self._record(kept)

    def delete(self, key: RunKey) -> bool:
        with self._lock:
            kept = self._runs.get(key)
            if kept is None or not kept.record.status.is_finished:
                return False
            del self._runs[key]
            self._keys = {name: value for name, value in self._keys.items() if value[1] != key}
            return True

    def get(self, key: RunKey) -> RunRecord | None:
        with self._lock:
            kept = self._runs.get(key)
            return None if kept is None else self._record(kept)

    def _record(self, kept: Kept) -> RunRecord:
        is_waiting = kept.record.status == RunStatus.QUEUED
        return replace(kept.record, position=self._position(kept) if is_waiting else None)

    def _position(self, kept: Kept) -> int:
        return list(self._in_turn()).index(kept)

    def details(self, key: RunKey) -> RunDetails | None:
        with self._lock:
            kept = self._runs.get(key)
            if kept is None:
                return None
            new = kept.new
            return RunDetails(new.request, new.ingredients, new.warnings, new.dataset)

    def result(self, key: RunKey) -> StoredResult | None:
        with self._lock:
            kept = self._runs.get(key)
            return None if kept is None else kept.result

    def page(self, owner: str, wanted: RunFilter, *, limit: int, cursor: str | None = None) -> RunPage:
        before = None if cursor is None else _cursor(cursor)
        with self._lock:
            mine = [kept for kept in self._runs.values() if kept.record.key.owner == owner]
        shown = [kept for kept in mine if _matches(kept.record, wanted) and (before is None or _age(kept) < before)]
        shown.sort(key=_age, reverse=True)
        is_last = len(shown) <= limit
        records = tuple(_without_trace(kept.record) for kept in shown[:limit])
        submitted_at, number = _age(shown[limit - 1]) if not is_last else (None, None)
        return RunPage(records, None if submitted_at is None else f"{submitted_at.isoformat()}~{number}")

    def events(
        self, key: RunKey, *, after: int, limit: int, kinds: Sequence[EventKind] | None = None
    ) -> list[RunEvent]:
        with self._lock:
            kept = self._runs.get(key)
            told = [] if kept is None else [event for event in kept.events if event.id > after]
            return [event for event in told if kinds is None or event.kind in kinds][:limit]

    def counts(self) -> Counts:
        with self._lock:
            return Counts(len(self._in_state(RunStatus.QUEUED)), len(self._in_state(RunStatus.RUNNING)))

    def datasets_in_use(self) -> frozenset[str]:
        with self._lock:
            active = [kept.new.dataset for kept in self._runs.values() if not kept.record.status.is_finished]
        return frozenset(dataset for dataset in active if dataset is not None)

    def surplus(self, keep: int, keep_bytes: int | None = None) -> list[RunKey]:
        with self._lock:
            finished = self._in_state(*(status for status in RunStatus if status.is_finished))
            of_owner: dict[str, list[Kept]] = defaultdict(list)
            for kept in reversed(finished):
                of_owner[kept.record.key.owner].append(kept)
            surplus = []
            for newest_first in of_owner.values():
                lengths = itertools.accumulate(kept.result.json_length if kept.result else 0 for kept in newest_first)
                for rank, (kept, length) in enumerate(zip(newest_first, lengths, strict=True)):
                    is_too_long = keep_bytes is not None and length > keep_bytes and rank > 0
                    if rank >= keep or is_too_long:
                        surplus.append((rank, kept.record.key))
            return [key for _, key in sorted(surplus, key=lambda each: -each[0])]

    def unsealed(self) -> list[RunKey]:
        with self._lock:
            with_result = [kept for kept in self._runs.values() if kept.result is not None]
            oldest_first = sorted(with_result, key=lambda kept: (str(kept.record.finished_at), kept.id))
            keys = [kept.record.key for kept in oldest_first]
        return [key for key in keys if self._chain is None or self._chain.link(key) is None]


def _age(kept: Kept) -> tuple[datetime, int]:
    return kept.record.submitted_at, kept.id


def _cancelled() -> Outcome:
    return Outcome(RunStatus.CANCELLED, error=RunError("run_cancelled", ("The run was cancelled.",)))


def _finished(run: RunRecord) -> dict[str, Any]:
    again = run.recomputed
    return {
        "status": run.status,
        "error": _told(run.error),
        "metrics": run.metrics,
        "recomputed": again
        and {
            "at": again.at.isoformat().replace("+00:00", "Z"),
            "status": again.status,
            "differences": again.differences,
            "error": _told(again.error),
        },
    }


def _plain_error(error: RunError | None) -> RunError | None:
    if error is None:
        return None
    kept = plain(asdict(error))
    return RunError(**kept | {"errors": tuple(kept["errors"]), "logs": tuple(kept["logs"])})


def _told(error: RunError | None) -> dict[str, Any] | None:
    return (
        None
        if error is None
        else {"code": error.code, "errors": error.errors, "traceback": error.traceback, "logs": []}
    )


def _without_trace(run: RunRecord) -> RunRecord:
    error = run.error and replace(run.error, traceback="", logs=())
    again = run.recomputed
    if again is not None:
        again = replace(again, error=again.error and replace(again.error, traceback="", logs=()))
    return replace(run, error=error, recomputed=again)


def _matches(run: RunRecord, wanted: RunFilter) -> bool:
    return (
        (wanted.status is None or run.status == wanted.status)
        and (wanted.name is None or wanted.name.casefold() in (run.name or "").casefold())
        and (wanted.symbol is None or wanted.symbol.upper() in run.symbols)
        and (wanted.since is None or run.submitted_at >= wanted.since)
    )


def _cursor(text: str) -> tuple[datetime, int]:
    moment, _, number = text.partition("~")
    try:
        return datetime.fromisoformat(moment), int(number)
    except ValueError as error:
        raise CursorInvalid("no cursor of ours") from error


def fake_storage(clock: Clock = system_clock) -> Storage:
    """All stores in memory, on one clock."""
    chain = FakeChainStore(clock)
    chain.runs = FakeRunStore(clock, chain)
    return Storage(chain.runs, FakePresetStore(), chain)
