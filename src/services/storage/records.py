"""What is kept of runs, presets and manifests. Times are timezone-aware UTC, JSON values are plain."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


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
        name: what lists show: the request's, or what it is called without one.
        request: the request as JSON with every default filled in: BacktestRequest.model_validate takes it back.
        ingredients: everything that decides the result; run_hash is its hash.
        symbols: what it trades, for the list's filter.
        warnings: sentences about the request alone (unknown fields).
    """

    key: RunKey
    name: str | None
    request: Mapping[str, Any]
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
        position: runs in line that start before it as owners take turns, while it is queued; None else, and in lists.
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
