"""Runs as they are stored: accepted, listed and shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class RunStatus(StrEnum):
    """The state of a run."""

    QUEUED = "queued"
    """Accepted; waiting for a slot."""
    RUNNING = "running"
    """A service process holds its lease and executes it."""
    SUCCEEDED = "succeeded"
    """It has a result."""
    FAILED = "failed"
    """The strategy failed, or the service gave up."""
    CANCELLED = "cancelled"
    """It was cancelled."""
    TIMED_OUT = "timed_out"
    """It exceeded its time limit."""

    @property
    def is_finished(self) -> bool:
        """Whether the state is final."""
        return self not in (RunStatus.QUEUED, RunStatus.RUNNING)


@dataclass(frozen=True, order=True)
class RunKey:
    """The address of a run.

    Attributes:
        owner: subject of the token, or "local" without login.
        run_hash: 64 hexadecimal digits, see src/services/backtests/identity.py.
    """

    owner: str
    run_hash: str


@dataclass(frozen=True)
class NewRun:
    """A run to accept.

    Attributes:
        name: shown in lists: the request's name, or a default.
        request: the request as JSON with every default filled in; BacktestRequest.model_validate parses it.
        ingredients: everything that decides the result; run_hash is its hash.
        symbols: the symbols it trades, for the list's filter.
        warnings: sentences about the request alone (unknown fields).
        dataset: name of the blob with its prices; None if they are to be fetched when it runs.
    """

    key: RunKey
    name: str | None
    request: Mapping[str, Any]
    ingredients: Mapping[str, Any]
    symbols: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    dataset: str | None = None


@dataclass(frozen=True)
class Progress:
    """Progress of a run. The equity has not been audited yet.

    Attributes:
        share: share of the days done, 0 to 1.
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
        errors: sentences for the user.
        traceback: frames of the user's own source, or "".
        logs: what the strategy printed before, up to a limit.
        is_repeatable: whether the same input would fail again; then posting the run again does not execute it again.
    """

    code: str
    errors: tuple[str, ...]
    traceback: str = ""
    logs: tuple[str, ...] = ()
    is_repeatable: bool = False


@dataclass(frozen=True)
class Recomputed:
    """The outcome of computing a finished run again; its stored result stays.

    Attributes:
        status: how the attempt ended.
        differences: paths of the values that differ, like "metrics.sharpe_ratio"; empty when equal.
        error: why it did not succeed.
    """

    at: datetime
    status: RunStatus
    differences: tuple[str, ...] = ()
    error: RunError | None = None


@dataclass(frozen=True)
class RunRecord:
    """A run as lists and summaries show it: small even for a large run.

    Attributes:
        submitted_at: when it was last accepted; lists are ordered by it.
        attempt: number of starts since then.
        position: while queued, number of runs that start before it as owners take turns; otherwise None, also in lists.
        error: in lists without traceback and logs, which may be megabytes.
        progress: of the current or last attempt.
        metrics: from the answer, once it succeeded.
        is_cancel_requested: whether the running run was asked to stop.
        has_result: whether a stored result exists; a run being recomputed keeps its own.
        first_event: id of the first event of the current submission.
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
    """The large parts that only some callers need."""

    request: Mapping[str, Any]
    ingredients: Mapping[str, Any]
    warnings: tuple[str, ...]
    dataset: str | None = None
    """Name of the blob with its prices; None if they are fetched when it runs."""


@dataclass(frozen=True)
class RunFilter:
    """Which runs a list shows; None does not filter.

    Attributes:
        name: part of the name, case-insensitive.
        symbol: one of the traded symbols.
        since: submitted at or after this time.
    """

    status: RunStatus | None = None
    name: str | None = None
    symbol: str | None = None
    since: datetime | None = None


@dataclass(frozen=True)
class RunPage:
    """Runs, newest first, and where the next page starts; None on the last page."""

    runs: tuple[RunRecord, ...]
    next_cursor: str | None


@dataclass(frozen=True)
class Counts:
    """Current numbers of runs of all owners."""

    n_queued: int
    n_running: int
