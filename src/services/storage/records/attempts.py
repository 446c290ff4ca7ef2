"""A run's attempts and what they leave: leases, events, outcomes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from src.services.storage.records.results import StoredResult
from src.services.storage.records.runs import RunError, RunKey, RunRecord, RunStatus


class EventKind(StrEnum):
    """The kinds of events of a run."""

    QUEUED = "queued"
    STARTED = "started"
    PROGRESS = "progress"
    LOG = "log"
    FINISHED = "finished"


@dataclass(frozen=True)
class Lease:
    """The right of one service process to execute one run. A process that has lost it can change nothing.

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
        id: consecutive from 1 within the run, across attempts.
        data: JSON values only.
    """

    id: int
    kind: EventKind
    at: datetime
    data: Mapping[str, Any]


@dataclass(frozen=True)
class Submission:
    """The outcome of submitting a run.

    Attributes:
        is_new: whether this call queued or started it; False if it already existed.
        lease: the caller's right to execute it now, if requested and the run is new.
    """

    run: RunRecord
    is_new: bool
    lease: Lease | None = None


@dataclass(frozen=True)
class Outcome:
    """How an attempt ended: with a result or with an error."""

    status: RunStatus
    result: StoredResult | None = None
    error: RunError | None = None
    log_lines: tuple[str, ...] = ()
    """Lines not yet sent in an event."""
    differences: tuple[str, ...] = ()
    """Where a recomputed answer differs from the stored one, see `Recomputed`; the executor compares them."""


@dataclass(frozen=True)
class HeartbeatAnswer:
    """News about a process's leases: tokens of runs to cancel, and tokens it has lost."""

    cancelled: frozenset[str] = frozenset()
    lost: frozenset[str] = frozenset()
