"""Starts queued runs, renews leases, and takes over runs whose lease has expired."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, true, update

from src.services.storage.records.attempts import EventKind, HeartbeatAnswer, Lease, Outcome
from src.services.storage.records.runs import RunError, RunKey, RunStatus
from src.services.storage.sql.database import Transaction
from src.services.storage.sql.run_changes import NO_LEASE, change, end, queue_run
from src.services.storage.sql.run_rows import find, for_change
from src.services.storage.sql.submission import start_values
from src.services.storage.sql.tables import runs
from src.services.storage.sql.turns import IS_QUEUED, turns

LONGEST_LEASE = timedelta(hours=2)
"""Longer than any lease the settings allow."""

_OLDEST_OF_OWNER = for_change(
    select(runs).where(IS_QUEUED, runs.c.owner == bindparam("owner")).order_by(runs.c.submitted_at, runs.c.id).limit(1),
    skip_locked=True,
)

CANCELLED = RunError("run_cancelled", ("The run was cancelled.",))


def claim(transaction: Transaction, lease_seconds: float) -> Lease | None:
    """Start the next run; see RunStore.claim."""
    row = _next_queued(transaction.connection)
    if row is None:
        return None
    started = start_values(transaction, row.attempt + 1, lease_seconds)
    change(transaction, row, started, [(EventKind.STARTED, {"attempt": row.attempt + 1})])
    return Lease(RunKey(row.owner, row.run_hash), started["lease_token"], row.attempt + 1)


def _next_queued(connection: Connection) -> Row[Any] | None:
    """The oldest queued run of the owner whose turn it is, unless another process is taking it."""
    for turn in turns(connection):
        row = connection.execute(_OLDEST_OF_OWNER, {"owner": turn.owner}).one_or_none()
        if row is not None:
            return row
    return None


def leased(transaction: Transaction, lease: Lease) -> Row[Any] | None:
    """The run's row, locked, while the lease is valid; None if it is lost."""
    row = find(transaction.connection, lease.key, for_update=True)
    return row if row is not None and row.lease_token == lease.token else None


_RENEW = (
    update(runs)
    .where(runs.c.status == RunStatus.RUNNING, runs.c.lease_token.in_(bindparam("tokens", expanding=True)))
    .values(leased_until=bindparam("until"))
    .returning(runs.c.lease_token, runs.c.is_cancel_requested)
)


def heartbeat(transaction: Transaction, leases: Sequence[Lease], lease_seconds: float) -> HeartbeatAnswer:
    """Renew leases; see RunStore.heartbeat."""
    tokens = {lease.token for lease in leases}
    kept = {"tokens": sorted(tokens), "until": transaction.now + timedelta(seconds=lease_seconds)}
    answers = {row.lease_token: row.is_cancel_requested for row in transaction.connection.execute(_RENEW, kept)}
    cancelled = frozenset(token for token, is_cancelled in answers.items() if is_cancelled)
    return HeartbeatAnswer(cancelled=cancelled, lost=frozenset(tokens - answers.keys()))


def give_back(transaction: Transaction, lease: Lease) -> bool:
    """Requeue a run; see RunStore.give_back."""
    row = leased(transaction, lease)
    if row is None:
        return False
    if row.is_cancel_requested:
        end(transaction, row, Outcome(RunStatus.CANCELLED, error=CANCELLED))
    else:
        _requeue(transaction, row, attempt=row.attempt - 1)
    return True


def recover(transaction: Transaction, max_attempts: int, *, are_all_others_dead: bool = False) -> list[RunKey]:
    """Take over runs whose lease has expired; see RunStore.recover.

    Args:
        are_all_others_dead: no process works on any run, even if its lease has not expired.
    """
    is_over = runs.c.leased_until < transaction.now
    # No lease lasts this long, so the clock was set back; a live process renews it at once.
    is_impossible = runs.c.leased_until > transaction.now + LONGEST_LEASE
    silent = (
        select(runs)
        .where(runs.c.status == RunStatus.RUNNING, true() if are_all_others_dead else is_over | is_impossible)
        .order_by(runs.c.submitted_at, runs.c.id)
    )
    rows = transaction.connection.execute(for_change(silent, skip_locked=True)).all()
    for row in rows:
        if row.is_cancel_requested:
            end(transaction, row, Outcome(RunStatus.CANCELLED, error=CANCELLED))
        elif row.attempt >= max_attempts:
            end(transaction, row, Outcome(RunStatus.FAILED, error=given_up(row.attempt)))
        else:
            _requeue(transaction, row, attempt=row.attempt)
    return [RunKey(row.owner, row.run_hash) for row in rows]


def given_up(attempts: int) -> RunError:
    """The error of a run during which the service stopped every time, so it is not started again."""
    times = "once" if attempts == 1 else f"{attempts} times"
    sentence = f"The service or its database stopped {times} during this run; it is not started again."
    return RunError("attempts_exhausted", (sentence,))


def _requeue(transaction: Transaction, row: Row[Any], *, attempt: int) -> None:
    queue_run(transaction, row, {"attempt": attempt, "started_at": None, "progress": None, **NO_LEASE})
