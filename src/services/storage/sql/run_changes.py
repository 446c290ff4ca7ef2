"""The only way to change a run: its row and its events in the same transaction."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, bindparam, insert, update

from src.services.storage.records.attempts import EventKind, Outcome
from src.services.storage.records.runs import Recomputed, RunError, RunStatus
from src.services.storage.sql.database import Transaction
from src.services.storage.sql.run_rows import (
    error_as_json,
    finished_event_data,
    recomputed_as_json,
    trace_as_json,
)
from src.services.storage.sql.tables import run_columns, run_details, run_events, runs
from src.services.storage.sql.turns import position

Told = tuple[EventKind, Mapping[str, Any]]

NO_LEASE = {"lease_token": None, "leased_until": None}

# Built once, see run_rows. The columns to set are the parameters of each execution.
_CHANGE = update(runs).where(runs.c.id == bindparam("changed_id"))
_ADD_EVENTS, _KEEP_RESULT = insert(run_events), insert(run_columns)


def change(transaction: Transaction, row: Row[Any], values: Mapping[str, Any], told: Sequence[Told]) -> None:
    """Set columns of a run and add its events.

    Args:
        row: read for update in this transaction; new events continue its numbering.
    """
    changed = {**values, "last_event": row.last_event + len(told), "changed_id": row.id}
    transaction.connection.execute(_CHANGE, changed)
    events = [
        {"run_id": row.id, "id": row.last_event + number, "kind": kind, "at": transaction.now, "data": data}
        for number, (kind, data) in enumerate(told, start=1)
    ]
    if events:
        transaction.connection.execute(_ADD_EVENTS, events)


def queue_run(transaction: Transaction, row: Row[Any], values: Mapping[str, Any]) -> int:
    """Queue a run, record an event with its position and return the position.

    Args:
        values: other columns to set.
    """
    transaction.connection.execute(_CHANGE, {**values, "status": RunStatus.QUEUED, "changed_id": row.id})
    submitted_at = values.get("submitted_at", row.submitted_at)
    n_before = position(transaction.connection, row.owner, submitted_at, row.id)
    change(transaction, row, {}, [(EventKind.QUEUED, {"position": n_before})])
    return n_before


def end(transaction: Transaction, row: Row[Any], outcome: Outcome) -> None:
    """End the current submission of a run. A run with a result keeps it, however the new attempt ended."""
    values, recomputed = _first_end(outcome), None
    if row.has_result:
        recomputed = Recomputed(transaction.now, outcome.status, outcome.differences, outcome.error)
        values = {"status": RunStatus.SUCCEEDED, "recomputed": recomputed_as_json(recomputed)}
    elif outcome.result is not None:
        transaction.connection.execute(_KEEP_RESULT, {"run_id": row.id, **vars(outcome.result)})
    if outcome.error is not None:
        _keep_trace(transaction, row.id, outcome.error)
    logs: list[Told] = [(EventKind.LOG, {"lines": list(outcome.log_lines)})] if outcome.log_lines else []
    error = None if row.has_result else outcome.error
    finished = finished_event_data(values["status"], error, recomputed)
    times = {"finished_at": transaction.now, "is_cancel_requested": False}
    change(transaction, row, {**values, **times, **NO_LEASE}, [*logs, (EventKind.FINISHED, finished)])


def _first_end(outcome: Outcome) -> dict[str, Any]:
    return {
        "status": outcome.status,
        "error": error_as_json(outcome.error),
        "has_result": outcome.result is not None,
    }


def _keep_trace(transaction: Transaction, run_id: int, error: RunError) -> None:
    connection = transaction.connection
    connection.execute(
        update(run_details).where(run_details.c.run_id == run_id).values(error_trace=trace_as_json(error))
    )
