"""The ports of storage: what is kept of runs, and the few transactions in which it changes.

Every method is one transaction, blocks, and may be called from any thread. Times are timezone-aware UTC.
A run is addressed by its owner and its hash; nothing of one owner is ever seen by another.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from src.errors import BacktesterError


class RunStatus(StrEnum):
    """Where a run stands."""

    QUEUED = "queued"
    """Accepted; waits for a place to run."""
    RUNNING = "running"
    """A service process holds its lease and works on it."""
    SUCCEEDED = "succeeded"
    """There is a result."""
    FAILED = "failed"
    """The strategy failed, or the service gave up."""
    CANCELLED = "cancelled"
    """Somebody ended it."""
    TIMED_OUT = "timed_out"
    """It took longer than it may."""

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will happen by itself."""
        return self not in (RunStatus.QUEUED, RunStatus.RUNNING)


class EventKind(StrEnum):
    """What a run tells while it goes on."""

    QUEUED = "queued"
    STARTED = "started"
    PROGRESS = "progress"
    LOG = "log"
    FINISHED = "finished"


class StorageUnavailable(BacktesterError):
    """The database does not answer, or refuses to write; trying later may help."""

    code = "storage_unavailable"
    http_status = 503
    retry_after_seconds = 5


class QueueFull(BacktesterError):
    """All places to wait are taken; nothing was accepted.

    Args:
        n_running: runs under way.
        n_waiting: runs in line.
    """

    code = "queue_full"
    http_status = 503
    retry_after_seconds = 5

    def __init__(self, n_running: int, n_waiting: int) -> None:
        super().__init__(f"{n_running} backtests are running, {n_waiting} wait: try again in a few seconds")
        self.n_running = n_running
        self.n_waiting = n_waiting


class KeyReused(BacktesterError):
    """The Idempotency-Key came before, with another request."""

    code = "idempotency_key_reused"
    http_status = 422


class TooManyPresets(BacktesterError):
    """The owner has as many presets as anybody may have; nothing was kept."""

    code = "too_many_presets"
    http_status = 409


class RunGone(BacktesterError):
    """The run was deleted while something was added to it."""

    code = "run_gone"
    http_status = 404


class CursorInvalid(BacktesterError):
    """The cursor is none that a page of ours gave."""

    code = "cursor_invalid"
    http_status = 422


@dataclass(frozen=True, order=True)
class RunKey:
    """The address of a run.

    Attributes:
        owner: subject of the token, or "local" without log-in.
        run_hash: 64 hexadecimal digits, see src/services/run_identity.py.
    """

    owner: str
    run_hash: str


@dataclass(frozen=True)
class NewRun:
    """A run to be accepted.

    Attributes:
        request: the request as JSON with every default filled in: BacktestRequest.model_validate takes it back.
        universe: tickers that the strategy trades whatever it says itself; None lets it say.
        ingredients: everything that decides the result; run_hash is its hash.
        symbols: what it trades, for the list's filter.
        warnings: sentences about the request alone (unknown fields).
    """

    key: RunKey
    name: str | None
    request: Mapping[str, Any]
    universe: tuple[str, ...] | None
    ingredients: Mapping[str, Any]
    symbols: tuple[str, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Progress:
    """How far a run has come. The equity has not been audited yet.

    Attributes:
        share: of the days, 0 to 1.
        day: the day reached, an ISO date.
        equity: account currency.
    """

    share: float
    day: str
    equity: float


@dataclass(frozen=True)
class RunError:
    """Why a run did not succeed.

    Attributes:
        code: the error's stable code, see src/errors.py.
        errors: sentences for the person.
        traceback: frames of the user's own source, or "".
        logs: what the strategy printed before, bounded.
        is_repeatable: whether the same input fails again: then the run is not tried again when it is posted again.
    """

    code: str
    errors: tuple[str, ...]
    traceback: str = ""
    logs: tuple[str, ...] = ()
    is_repeatable: bool = False


@dataclass(frozen=True)
class Recomputed:
    """What came of computing a finished run once more; its stored result stays.

    Attributes:
        status: how the attempt ended.
        differences: paths in the answer that came out otherwise, like "metrics.sharpe_ratio"; empty when equal.
        error: why it did not succeed.
    """

    at: datetime
    status: RunStatus
    differences: tuple[str, ...] = ()
    error: RunError | None = None


@dataclass(frozen=True)
class RunRecord:
    """What a list or a summary shows of a run: small, whatever the run's size.

    Attributes:
        submitted_at: when it was last accepted; lists are ordered by it.
        attempt: how often it was started since then.
        position: runs in line before it, while it is queued; None else, and None in lists.
        error: in lists without traceback and logs, which may be megabytes.
        progress: of the present or last attempt.
        metrics: of the answer, once it succeeded.
        is_cancel_requested: somebody wants the running run to end.
        has_result: whether there is a stored result; a run being recomputed keeps its own.
        first_event: id of the first event of the present submission.
        last_event: id of the newest event.
    """

    key: RunKey
    name: str | None
    status: RunStatus
    symbols: tuple[str, ...]
    start_date: str
    end_date: str
    submitted_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    attempt: int
    position: int | None
    progress: Progress | None
    metrics: Mapping[str, Any] | None
    error: RunError | None
    is_cancel_requested: bool
    has_result: bool
    recomputed: Recomputed | None
    first_event: int
    last_event: int


@dataclass(frozen=True)
class RunDetails:
    """The large parts that only some callers want."""

    request: Mapping[str, Any]
    universe: tuple[str, ...] | None
    ingredients: Mapping[str, Any]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class StoredResult:
    """A whole BacktestResponse as it is served.

    Attributes:
        gzip_bytes: the JSON answer, compressed once.
        json_sha256: of the JSON before compression, hexadecimal.
        json_length: bytes of the JSON before compression.
        digest: SHA-256 of the answer without what may differ between equal runs (timings, sandbox).
    """

    gzip_bytes: bytes
    json_sha256: str
    json_length: int
    digest: str


@dataclass(frozen=True)
class Lease:
    """The right of one service process to work on one run. Whoever has lost it can change nothing any more.

    Attributes:
        token: unique to this attempt.
    """

    key: RunKey
    token: str
    attempt: int


@dataclass(frozen=True)
class RunEvent:
    """One event of a run.

    Attributes:
        id: counts from 1 within the run, without gaps, and goes on through later attempts.
        data: JSON values only.
    """

    id: int
    kind: EventKind
    at: datetime
    data: Mapping[str, Any]


@dataclass(frozen=True)
class Submission:
    """What became of a submitted run.

    Attributes:
        is_new: whether this call made it wait or run; False when it was there already.
        lease: the caller's right to run it now, if it asked for that and the run is new.
    """

    run: RunRecord
    is_new: bool
    lease: Lease | None = None


@dataclass(frozen=True)
class Outcome:
    """How an attempt ended: with a result and its metrics, or with an error. Metrics without a result are not kept."""

    status: RunStatus
    result: StoredResult | None = None
    metrics: Mapping[str, Any] | None = None
    error: RunError | None = None
    log_lines: tuple[str, ...] = ()
    """Lines that no event has carried yet."""
    differences: tuple[str, ...] = ()
    """Where a recomputed answer differs from the stored one, see `Recomputed`; whoever executes compares them."""


@dataclass(frozen=True)
class HeartbeatAnswer:
    """What a process learns about its leases: tokens of runs to cancel, and tokens that it has lost."""

    cancelled: frozenset[str] = frozenset()
    lost: frozenset[str] = frozenset()


@dataclass(frozen=True)
class RunFilter:
    """Which runs a list shows; None does not ask.

    Attributes:
        name: part of the name, upper and lower case alike.
        symbol: one of the traded symbols.
        since: submitted at that time or later.
    """

    status: RunStatus | None = None
    name: str | None = None
    symbol: str | None = None
    since: datetime | None = None


@dataclass(frozen=True)
class RunPage:
    """Runs, newest first, and where the next page starts; None when this was the last."""

    runs: tuple[RunRecord, ...]
    next_cursor: str | None


@dataclass(frozen=True)
class Counts:
    """Runs of all owners at this moment."""

    n_queued: int
    n_running: int


class RunStore(Protocol):
    """Keeps runs, their queue, their leases, their results and their events."""

    def submit(
        self,
        new: NewRun,
        *,
        rerun: bool = False,
        lease_seconds: float | None = None,
        max_queued: int | None = None,
        idempotency: tuple[str, str] | None = None,
    ) -> Submission:
        """Accept a run, unless it is there already.

        It is there already when it is queued, running or succeeded, or failed with an error that would repeat itself.
        Otherwise (cancelled, timed out, failed for another reason) it is accepted again.

        Args:
            rerun: accept it again even so, unless it is queued or running. A stored result stays.
            lease_seconds: start a new run at once, for the caller, who gets its lease; None puts it in the queue.
            max_queued: refuse a run that would have to wait while so many wait already.
            idempotency: (key, fingerprint of the request). The same pair again gives the run of the first time.

        Raises:
            QueueFull, KeyReused, StorageUnavailable
        """
        ...

    def claim(self, lease_seconds: float) -> Lease | None:
        """Start the next queued run for the caller: of the owner with the fewest running runs, the oldest.

        Of several such owners it is the turn of the one whose last start was the longest ago. No two callers, in
        whatever process, get the same attempt.
        """
        ...

    def heartbeat(self, leases: Sequence[Lease], lease_seconds: float) -> HeartbeatAnswer:
        """Keep the leases for so much longer, and learn which runs shall end or are not the caller's any more."""
        ...

    def tell(self, lease: Lease, *, progress: Progress | None = None, log_lines: Sequence[str] = ()) -> bool:
        """Store how far the run is, as events. False when the lease is lost, and nothing is stored."""
        ...

    def finish(self, lease: Lease, outcome: Outcome) -> bool:
        """End the attempt with its last events. False when the lease is lost, and nothing is stored.

        A run with a stored result keeps it and stays succeeded: the attempt is told in `recomputed`.
        """
        ...

    def give_back(self, lease: Lease) -> bool:
        """Put a running run back in line, as its process stops; the attempt does not count. False when lost."""
        ...

    def recover(self, max_attempts: int) -> list[RunKey]:
        """Put runs whose lease has run out back in line, oldest first; fail those that were started so often.

        Returns:
            Every run that changed.
        """
        ...

    def request_cancel(self, key: RunKey) -> RunRecord | None:
        """Cancel a queued run at once, mark a running one; a finished one stays. None when there is no such run."""
        ...

    def delete(self, key: RunKey) -> bool:
        """Remove a finished run with its result and events. False when there is none or it is not finished."""
        ...

    def get(self, key: RunKey) -> RunRecord | None:
        """The run, with its position in line."""
        ...

    def details(self, key: RunKey) -> RunDetails | None:
        """The request and what decides its result."""
        ...

    def result(self, key: RunKey) -> StoredResult | None:
        """The stored result."""
        ...

    def page(self, owner: str, wanted: RunFilter, *, limit: int, cursor: str | None = None) -> RunPage:
        """The owner's runs, newest first. Runs that come while pages are read shift nothing.

        Raises:
            CursorInvalid
        """
        ...

    def events(
        self, key: RunKey, *, after: int, limit: int, kinds: Sequence[EventKind] | None = None
    ) -> list[RunEvent]:
        """The run's events with an id above `after`, ascending; None asks for all kinds."""
        ...

    def counts(self) -> Counts:
        """How many runs wait and run."""
        ...

    def surplus(self, keep: int) -> list[RunKey]:
        """Finished runs beyond the newest `keep` of their owner."""
        ...

    def unsealed(self) -> list[RunKey]:
        """Runs with a result whose artifacts no link of the chain names yet, oldest first."""
        ...


@dataclass(frozen=True)
class Preset:
    """A named configuration of runs.

    Attributes:
        preset_id: SHA-256 of name and configuration as canonical JSON, hexadecimal.
        configuration: part of a BacktestRequest as JSON.
    """

    owner: str
    preset_id: str
    name: str
    configuration: Mapping[str, Any]
    created_at: datetime


class PresetStore(Protocol):
    """Keeps presets."""

    def add(
        self, preset: Preset, *, max_presets: int | None = None, max_bytes: int | None = None
    ) -> tuple[Preset, bool]:
        """Keep it; the stored one and whether it is new.

        Args:
            max_presets: how many an owner may have.
            max_bytes: how large their configurations may be together, as JSON in ASCII.

        Raises:
            TooManyPresets
        """
        ...

    def get(self, owner: str, preset_id: str) -> Preset | None:
        """One preset of the owner."""
        ...

    def list(self, owner: str) -> Sequence[Preset]:
        """All presets of the owner, newest first."""
        ...

    def remove(self, owner: str, preset_id: str) -> bool:
        """Forget it. False when there is none."""
        ...


@dataclass(frozen=True)
class Link:
    """One link of an owner's chain of manifests.

    Attributes:
        number: counts from 1 within the owner, without gaps.
        manifest_hash: SHA-256 of the manifest, see src/services/artifacts.
        previous_hash: manifest_hash of the link before; "" for the first.
        removed_at: when retention or its owner removed the files; the manifest stays.
    """

    owner: str
    number: int
    run_hash: str
    manifest_hash: str
    previous_hash: str
    sealed_at: datetime
    removed_at: datetime | None = None


class BuildLink(Protocol):
    """Makes the next link, and puts its files in place, while nobody else can add to the owner's chain."""

    def __call__(self, number: int, previous_hash: str) -> Link: ...


class ChainStore(Protocol):
    """Keeps the chains of manifests, one an owner."""

    def append(self, key: RunKey, build: BuildLink) -> Link:
        """Add a link for a run; the run's present link when it has one whose files are there.

        `build` runs inside the transaction; when it raises, nothing was added. It must be quick: on SQLite nobody
        else can write meanwhile.

        Raises:
            RunGone: there is no such run with a result; `build` was not called.
        """
        ...

    def link(self, key: RunKey) -> Link | None:
        """The newest link of the run whose files were not removed."""
        ...

    def mark_removed(self, key: RunKey) -> list[Link]:
        """Note that the files of all links of the run go; the links whose files went with this call."""
        ...

    def links(self, owner: str) -> Sequence[Link]:
        """The owner's whole chain, first link first."""
        ...

    def owners(self) -> Sequence[str]:
        """Everybody who has a chain."""
        ...


@dataclass(frozen=True)
class Storage:
    """All stores of one database."""

    runs: RunStore
    presets: PresetStore
    chain: ChainStore
    closers: tuple[Any, ...] = field(default=())

    def close(self) -> None:
        """Close the database's connections."""
        for close in self.closers:
            close()
