"""Accepts a run: whether it exists, whether its key was used, and whether the queue has room."""

import functools
import hashlib
import secrets
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row, Table, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from src.services.storage.errors import KeyReused, QueueFull
from src.services.storage.records.attempts import EventKind, Lease, Submission
from src.services.storage.records.runs import NewRun, RunKey, RunRecord, RunStatus
from src.services.storage.sql.database import Transaction, TransactionConflict
from src.services.storage.sql.listing import counts
from src.services.storage.sql.run_changes import change, queue_run
from src.services.storage.sql.run_rows import find, folded, symbols_column, whole_record
from src.services.storage.sql.tables import idempotency_keys, run_details, runs

KEY_LIFETIME = timedelta(hours=24)


_KEEP_DETAILS = insert(run_details)


def insert_or_nothing(transaction: Transaction, table: Table, values: dict[str, Any]) -> Row[Any] | None:
    """Insert a row unless one with its key exists; returns the row if this call inserted it."""
    connection = transaction.connection
    return connection.execute(_insert_or_nothing(connection.dialect.name, table), values).one_or_none()


@functools.cache
def _insert_or_nothing(dialect_name: str, table: Table) -> Any:
    dialect = postgresql if dialect_name == "postgresql" else sqlite
    return dialect.insert(table).on_conflict_do_nothing().returning(table)


def run_of_idempotency_key(transaction: Transaction, key: RunKey, idempotency: tuple[str, str]) -> RunRecord | None:
    """The run of an earlier request with this key; None if the key is new, which stores it.

    Raises:
        KeyReused: the earlier request was different.
    """
    connection, columns = transaction.connection, idempotency_keys.c
    key_hash = hashlib.sha256(idempotency[0].encode("utf-8", "surrogatepass")).hexdigest()
    too_old = columns.created_at <= transaction.now - KEY_LIFETIME
    connection.execute(delete(idempotency_keys).where(columns.owner == key.owner, too_old))
    kept = {"owner": key.owner, "key_hash": key_hash, "fingerprint": idempotency[1], "run_hash": key.run_hash}
    if insert_or_nothing(transaction, idempotency_keys, kept | {"created_at": transaction.now}) is not None:
        return None
    is_this = (columns.owner == key.owner) & (columns.key_hash == key_hash)
    earlier = connection.execute(select(idempotency_keys).where(is_this)).one_or_none()
    if earlier is None:
        raise TransactionConflict("the run of this key was deleted at the same moment")
    if earlier.fingerprint != idempotency[1]:
        raise KeyReused("this Idempotency-Key was used with another request: use a new key for a new request")
    record = whole_record(connection, RunKey(key.owner, earlier.run_hash))
    if record is None:
        connection.execute(update(idempotency_keys).where(is_this).values(run_hash=key.run_hash))
    return record


def accept(
    transaction: Transaction, new: NewRun, *, rerun: bool, lease_seconds: float | None, max_queued: int | None
) -> Submission:
    """The run of `new`, created or found; see RunStore.submit."""
    connection = transaction.connection
    row = find(connection, new.key)
    if row is not None and not may_be_accepted_again(row, rerun=rerun):
        return Submission(_record(connection, new.key), is_new=False)
    if max_queued is not None and lease_seconds is None:
        # Transactions that add to the queue count it one at a time.
        transaction.lock("run queue")
    values = _submission_values(transaction, new)
    started = {} if lease_seconds is None else start_values(transaction, 1, lease_seconds)
    row = insert_or_nothing(transaction, runs, _new_row(new) | values | started)
    is_first = row is not None
    row = row if is_first else find(connection, new.key, for_update=True)
    if row is None:
        raise TransactionConflict("the run was deleted at the same moment")
    if not is_first and not may_be_accepted_again(row, rerun=rerun):
        return Submission(_record(connection, new.key), is_new=False)
    if max_queued is not None and lease_seconds is None:
        _check_room(transaction, max_queued)
    _keep_details(transaction, row, new, is_first=is_first)
    values["first_event"] = row.last_event + 1
    if lease_seconds is None:
        in_line = queue_run(transaction, row, values)
        return Submission(_record(connection, new.key, in_line), is_new=True)
    change(transaction, row, {} if is_first else values | started, [(EventKind.STARTED, {"attempt": 1})])
    lease = Lease(new.key, started["lease_token"], 1)
    return Submission(_record(connection, new.key), is_new=True, lease=lease)


def _record(connection: Connection, key: RunKey, in_line: int | None = None) -> RunRecord:
    record = whole_record(connection, key, in_line)
    if record is None:
        raise TransactionConflict("the run was deleted at the same moment")
    return record


def may_be_accepted_again(row: Row[Any], *, rerun: bool) -> bool:
    """Whether an existing run is computed again when it is submitted again."""
    if not RunStatus(row.status).is_finished:
        return False
    would_repeat = row.status == RunStatus.FAILED and row.error["is_repeatable"]
    return rerun or not (row.status == RunStatus.SUCCEEDED or would_repeat)


def start_values(transaction: Transaction, attempt: int, lease_seconds: float) -> dict[str, Any]:
    """The columns that change when a run is started."""
    return {
        "status": RunStatus.RUNNING,
        "attempt": attempt,
        "started_at": transaction.now,
        "progress": None,
        "lease_token": secrets.token_hex(16),
        "leased_until": transaction.now + timedelta(seconds=lease_seconds),
    }


def _new_row(new: NewRun) -> dict[str, Any]:
    return {
        "owner": new.key.owner,
        "run_hash": new.key.run_hash,
        "status": RunStatus.CANCELLED,
        "start_date": str(new.ingredients["start_date"]),
        "end_date": str(new.ingredients["end_date"]),
        "symbols": symbols_column(new.symbols),
        "first_event": 1,
        "last_event": 0,
        "has_result": False,
    }


def _check_room(transaction: Transaction, max_queued: int) -> None:
    present = counts(transaction.connection)
    if present.n_queued >= max_queued:
        raise QueueFull(present.n_running, present.n_queued)


def _keep_details(transaction: Transaction, row: Row[Any], new: NewRun, *, is_first: bool) -> None:
    values = {
        "request": new.request,
        "ingredients": new.ingredients,
        "warnings": new.warnings,
        "dataset": new.dataset,
        "error_trace": None,
    }
    if is_first:
        transaction.connection.execute(_KEEP_DETAILS, {"run_id": row.id, **values})
    else:
        transaction.connection.execute(update(run_details).where(run_details.c.run_id == row.id).values(**values))


def _submission_values(transaction: Transaction, new: NewRun) -> dict[str, Any]:
    return {
        "name": new.name,
        "folded_name": folded(new.name),
        "submitted_at": transaction.now,
        "started_at": None,
        "finished_at": None,
        "attempt": 0,
        "is_cancel_requested": False,
        "progress": None,
        "error": None,
        "recomputed": None,
    }
