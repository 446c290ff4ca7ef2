"""Converts rows of runs to records and back."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, func, select

from src.services.storage.records.attempts import EventKind, RunEvent
from src.services.storage.records.runs import Progress, Recomputed, RunError, RunKey, RunRecord, RunStatus
from src.services.storage.sql.columns import microseconds, moment
from src.services.storage.sql.tables import run_columns, run_details, run_results, runs
from src.services.storage.sql.turns import position

METRICS = func.coalesce(run_columns.c.metrics, run_results.c.metrics).label("metrics")
OF_ANY_TIME = runs.outerjoin(run_columns, run_columns.c.run_id == runs.c.id).outerjoin(
    run_results, run_results.c.run_id == runs.c.id
)
"""Runs with their results, whichever version stored them."""
SHOWN: Select[Any] = select(runs, METRICS).select_from(OF_ANY_TIME)
"""The columns of a record."""
LOST = "�"
FINISHED = tuple(status.value for status in RunStatus if status.is_finished)

# Statements that every request needs are built once: building one in SQLAlchemy takes longer than the query itself.
OF_KEY = (runs.c.owner == bindparam("owner"), runs.c.run_hash == bindparam("run_hash"))
"""Selects the run given by `named`."""


def named(key: RunKey) -> dict[str, str]:
    """The parameters of OF_KEY."""
    return {"owner": key.owner, "run_hash": key.run_hash}


def for_change(wanted: Select[Any], *, skip_locked: bool = False) -> Select[Any]:
    """The same rows, locked against other changes; transactions that only need the run to exist do not wait.

    Args:
        skip_locked: leave out rows locked by other transactions.
    """
    return wanted.with_for_update(of=runs, key_share=True, skip_locked=skip_locked)


_ROW: Select[Any] = select(runs).where(*OF_KEY)
_ROW_FOR_CHANGE = for_change(_ROW)
_WHOLE = (
    select(runs, METRICS, run_details.c.error_trace)
    .select_from(OF_ANY_TIME.join(run_details, run_details.c.run_id == runs.c.id))
    .where(*OF_KEY)
)


def find(connection: Connection, key: RunKey, *, for_update: bool = False) -> Row[Any] | None:
    """The run's row; `for_update` locks it until the transaction ends."""
    return connection.execute(_ROW_FOR_CHANGE if for_update else _ROW, named(key)).one_or_none()


def whole_record(connection: Connection, key: RunKey, in_line: int | None = None) -> RunRecord | None:
    """The record with its queue position and the whole error; None if there is no such run.

    Args:
        in_line: its queue position, if known.
    """
    row = connection.execute(_WHOLE, named(key)).one_or_none()
    if row is None:
        return None
    if row.status == RunStatus.QUEUED and in_line is None:
        in_line = position(connection, row.owner, row.submitted_at, row.id)
    return record(row, position=in_line, trace=row.error_trace)


def record(row: Row[Any], *, position: int | None = None, trace: Mapping[str, Any] | None = None) -> RunRecord:
    """The record of a row of `SHOWN`.

    Args:
        trace: traceback and logs of its error, if wanted.
    """
    return RunRecord(
        key=RunKey(row.owner, row.run_hash),
        name=row.name,
        status=RunStatus(row.status),
        symbols=tuple(row.symbols.split(",")[1:-1]),
        start_date=row.start_date,
        end_date=row.end_date,
        submitted_at=row.submitted_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        attempt=row.attempt,
        position=position,
        progress=None if row.progress is None else Progress(**row.progress),
        metrics=row.metrics,
        error=error_from_json(row.error, trace),
        is_cancel_requested=row.is_cancel_requested,
        has_result=row.has_result,
        recomputed=_recomputed_from_json(row.recomputed, trace),
        first_event=row.first_event,
        last_event=row.last_event,
    )


def error_as_json(error: RunError | None) -> dict[str, Any] | None:
    """The part of an error that lists show."""
    if error is None:
        return None
    return {"code": error.code, "errors": error.errors, "is_repeatable": error.is_repeatable}


def trace_as_json(error: RunError | None) -> dict[str, Any] | None:
    """The rest of an error, which may be large."""
    return None if error is None else {"traceback": error.traceback, "logs": error.logs}


def error_from_json(head: Mapping[str, Any] | None, trace: Mapping[str, Any] | None) -> RunError | None:
    """The error from its two parts."""
    if head is None:
        return None
    traceback, logs = ("", ()) if trace is None else (trace["traceback"], trace["logs"])
    return RunError(head["code"], tuple(head["errors"]), traceback, tuple(logs), head["is_repeatable"])


def recomputed_as_json(recomputed: Recomputed) -> dict[str, Any]:
    """A rerun's outcome as lists show it."""
    return {
        "at": microseconds(recomputed.at),
        "status": recomputed.status,
        "differences": recomputed.differences,
        "error": error_as_json(recomputed.error),
    }


def _recomputed_from_json(stored: Mapping[str, Any] | None, trace: Mapping[str, Any] | None) -> Recomputed | None:
    if stored is None:
        return None
    return Recomputed(
        at=moment(stored["at"]),
        status=RunStatus(stored["status"]),
        differences=tuple(stored["differences"]),
        error=error_from_json(stored["error"], trace),
    )


def folded(text: str | None) -> str:
    """Text as lists search it: case-folded, with characters that no database can search replaced."""
    return (text or "").casefold().replace("\x00", LOST).encode("utf-8", "replace").decode("utf-8")


def symbols_column(symbols: tuple[str, ...]) -> str:
    """Symbols as one text, each between commas."""
    return "".join(f",{symbol}" for symbol in symbols) + ","


def progress_as_json(progress: Progress) -> dict[str, Any]:
    """Progress as stored and as sent in the event."""
    return asdict(progress)


def finished_event_data(status: RunStatus, error: RunError | None, recomputed: Recomputed | None) -> dict[str, Any]:
    """The data of the last event, without the logs, which had their own events.

    The metrics of a result are added on reading: see SqlRuns.events.
    """
    return {
        "status": status,
        "error": _told(error),
        "metrics": None,
        "recomputed": None
        if recomputed is None
        else {
            "at": _iso(recomputed.at),
            "status": recomputed.status,
            "differences": recomputed.differences,
            "error": _told(recomputed.error),
        },
    }


def lacks_metrics(event: RunEvent) -> bool:
    """Whether it ended a run with a result and does not hold its metrics, as those of earlier versions do."""
    data = event.data
    return event.kind is EventKind.FINISHED and data["status"] == RunStatus.SUCCEEDED and data["metrics"] is None


def _told(error: RunError | None) -> dict[str, Any] | None:
    if error is None:
        return None
    return {"code": error.code, "errors": error.errors, "traceback": error.traceback, "logs": []}


def _iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
