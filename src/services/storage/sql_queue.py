"""Who works on what: starting queued runs, keeping leases, and taking over from those who went silent."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, Select, func, select, update

from src.services.storage.base import (
    EventKind,
    HeartbeatAnswer,
    Lease,
    Outcome,
    RunError,
    RunKey,
    RunStatus,
)
from src.services.storage.database import Transaction
from src.services.storage.run_changes import NO_LEASE, change, end
from src.services.storage.run_rows import for_change, position
from src.services.storage.sql_submission import start_values
from src.services.storage.tables import runs

CANCELLED = RunError("run_cancelled", ("The run was cancelled.",))


def claim(transaction: Transaction, lease_seconds: float) -> Lease | None:
    """Start the next run; see RunStore.claim."""
    row = transaction.connection.execute(for_change(_next_in_line(), skip_locked=True)).one_or_none()
    if row is None:
        return None
    started = start_values(transaction, row.attempt + 1, lease_seconds)
    change(transaction, row, started, [(EventKind.STARTED, {"attempt": row.attempt + 1})])
    return Lease(RunKey(row.owner, row.run_hash), started["lease_token"], row.attempt + 1)


def _next_in_line() -> Select[Any]:
    """The oldest queued run of the owner with the fewest running ones, unless somebody else takes it just now."""
    is_running = runs.c.status == RunStatus.RUNNING
    busy = select(runs.c.owner, func.count().label("n_running")).where(is_running).group_by(runs.c.owner).subquery()
    return (
        select(runs)
        .outerjoin(busy, busy.c.owner == runs.c.owner)
        .where(runs.c.status == RunStatus.QUEUED)
        .order_by(func.coalesce(busy.c.n_running, 0), runs.c.submitted_at, runs.c.id)
        .limit(1)
    )


def leased(transaction: Transaction, lease: Lease) -> Row[Any] | None:
    """The run's row while the lease is good, locked; None when it is lost."""
    query = select(runs).where(
        runs.c.owner == lease.key.owner,
        runs.c.run_hash == lease.key.run_hash,
        runs.c.lease_token == lease.token,
    )
    return transaction.connection.execute(for_change(query)).one_or_none()


def heartbeat(transaction: Transaction, leases: Sequence[Lease], lease_seconds: float) -> HeartbeatAnswer:
    """Keep leases; see RunStore.heartbeat."""
    tokens = {lease.token for lease in leases}
    kept = (
        update(runs)
        .where(runs.c.status == RunStatus.RUNNING, runs.c.lease_token.in_(sorted(tokens)))
        .values(leased_until=transaction.now + timedelta(seconds=lease_seconds))
        .returning(runs.c.lease_token, runs.c.is_cancel_requested)
    )
    answers = {row.lease_token: row.is_cancel_requested for row in transaction.connection.execute(kept)}
    cancelled = frozenset(token for token, is_cancelled in answers.items() if is_cancelled)
    return HeartbeatAnswer(cancelled=cancelled, lost=frozenset(tokens - answers.keys()))


def give_back(transaction: Transaction, lease: Lease) -> bool:
    """Put a run back in line; see RunStore.give_back."""
    row = leased(transaction, lease)
    if row is None:
        return False
    if row.is_cancel_requested:
        end(transaction, row, Outcome(RunStatus.CANCELLED, error=CANCELLED))
    else:
        _put_back(transaction, row, attempt=row.attempt - 1)
    return True


def recover(transaction: Transaction, max_attempts: int) -> list[RunKey]:
    """Take over from processes that went silent; see RunStore.recover."""
    silent = (
        select(runs)
        .where(runs.c.status == RunStatus.RUNNING, runs.c.leased_until < transaction.now)
        .order_by(runs.c.submitted_at, runs.c.id)
    )
    rows = transaction.connection.execute(for_change(silent, skip_locked=True)).all()
    for row in rows:
        if row.is_cancel_requested:
            end(transaction, row, Outcome(RunStatus.CANCELLED, error=CANCELLED))
        elif row.attempt >= max_attempts:
            end(transaction, row, Outcome(RunStatus.FAILED, error=given_up(row.attempt)))
        else:
            _put_back(transaction, row, attempt=row.attempt)
    return [RunKey(row.owner, row.run_hash) for row in rows]


def given_up(attempts: int) -> RunError:
    """Why a run that always took the service down with it is not started any more."""
    times = "once" if attempts == 1 else f"{attempts} times"
    return RunError("attempts_exhausted", (f"The service stopped {times} during this run; it is not tried again.",))


def _put_back(transaction: Transaction, row: Row[Any], *, attempt: int) -> None:
    values = {"status": RunStatus.QUEUED, "attempt": attempt, "started_at": None, "progress": None, **NO_LEASE}
    change(transaction, row, values, [(EventKind.QUEUED, {"position": position(transaction.connection, row)})])
