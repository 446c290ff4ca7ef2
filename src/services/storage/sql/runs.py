"""Runs in an SQL database: each method one transaction."""

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

from sqlalchemy import Select, bindparam, delete, select, update

from src.services.storage.records.attempts import EventKind, HeartbeatAnswer, Lease, Outcome, RunEvent, Submission
from src.services.storage.records.results import EarlierResult, StoredResult
from src.services.storage.records.runs import (
    Counts,
    NewRun,
    Progress,
    RunDetails,
    RunFilter,
    RunKey,
    RunPage,
    RunRecord,
    RunStatus,
)
from src.services.storage.sql import listing as sql_listing
from src.services.storage.sql import queue as sql_queue
from src.services.storage.sql import submission as sql_submission
from src.services.storage.sql.database import Database, repeated_on_conflict
from src.services.storage.sql.presence import Presence
from src.services.storage.sql.run_changes import Told, change, end
from src.services.storage.sql.run_rows import (
    METRICS,
    OF_ANY_TIME,
    OF_KEY,
    find,
    folded,
    lacks_metrics,
    named,
    progress_as_json,
    whole_record,
)
from src.services.storage.sql.tables import idempotency_keys, run_columns, run_details, run_events, run_results, runs

LARGEST_ID = 2**63 - 1
BINARY = ("document", "daily", "orders", "trades")

_DETAILS: Select[Any] = select(run_details).join(runs).where(*OF_KEY)
_RESULT = (
    select(*(run_columns.c[field.name] for field in fields(StoredResult)))
    .join(runs, runs.c.id == run_columns.c.run_id)
    .where(*OF_KEY)
    .execution_options(is_binary=True)
)
_EARLIER_RESULT = (
    select(*(run_results.c[field.name] for field in fields(EarlierResult)))
    .join(runs, runs.c.id == run_results.c.run_id)
    .where(*OF_KEY)
    .execution_options(is_binary=True)
)
_METRICS = select(METRICS).select_from(OF_ANY_TIME).where(*OF_KEY)
_KEYS = idempotency_keys.c
_DELETE_KEYS = delete(idempotency_keys).where(
    _KEYS.owner == bindparam("owner"), _KEYS.run_hash == bindparam("run_hash")
)
_DELETE = delete(runs).where(runs.c.id == bindparam("deleted_id"))


class SqlRuns:
    """`RunStore` on a database; its methods are documented there.

    Args:
        presence: detects other processes working on the runs; None if that is impossible.
    """

    def __init__(self, database: Database, presence: Presence | None = None) -> None:
        self._database = database
        self._presence = presence

    @repeated_on_conflict
    def submit(
        self,
        new: NewRun,
        *,
        rerun: bool = False,
        lease_seconds: float | None = None,
        max_queued: int | None = None,
        idempotency: tuple[str, str] | None = None,
    ) -> Submission:
        with self._database.writing() as transaction:
            if idempotency is not None:
                earlier = sql_submission.run_of_idempotency_key(transaction, new.key, idempotency)
                if earlier is not None:
                    return Submission(earlier, is_new=False)
            return sql_submission.accept(
                transaction, new, rerun=rerun, lease_seconds=lease_seconds, max_queued=max_queued
            )

    @repeated_on_conflict
    def rename(self, key: RunKey, name: str) -> RunRecord | None:
        with self._database.writing() as transaction:
            row = find(transaction.connection, key, for_update=True)
            if row is None:
                return None
            change(transaction, row, {"name": name, "folded_name": folded(name)}, [])
            of_run = run_details.c.run_id == row.id
            request = transaction.connection.execute(select(run_details.c.request).where(of_run)).scalar_one()
            renamed = {**request, "name": name}
            transaction.connection.execute(update(run_details).where(of_run).values(request=renamed))
            return whole_record(transaction.connection, key)

    @repeated_on_conflict
    def claim(self, lease_seconds: float) -> Lease | None:
        with self._database.writing() as transaction:
            return sql_queue.claim(transaction, lease_seconds)

    @repeated_on_conflict
    def heartbeat(self, leases: Sequence[Lease], lease_seconds: float) -> HeartbeatAnswer:
        if not leases:
            return HeartbeatAnswer()
        with self._database.writing() as transaction:
            return sql_queue.heartbeat(transaction, leases, lease_seconds)

    @repeated_on_conflict
    def tell(self, lease: Lease, *, progress: Progress | None = None, log_lines: Sequence[str] = ()) -> bool:
        told: list[Told] = [(EventKind.LOG, {"lines": list(log_lines)})] if log_lines else []
        values = {}
        if progress is not None:
            values["progress"] = progress_as_json(progress)
            told.append((EventKind.PROGRESS, values["progress"]))
        with self._database.writing() as transaction:
            row = sql_queue.leased(transaction, lease)
            if row is not None:
                change(transaction, row, values, told)
        return row is not None

    @repeated_on_conflict
    def finish(self, lease: Lease, outcome: Outcome) -> bool:
        with self._database.writing() as transaction:
            row = sql_queue.leased(transaction, lease)
            if row is not None:
                end(transaction, row, outcome)
        return row is not None

    @repeated_on_conflict
    def give_back(self, lease: Lease) -> bool:
        with self._database.writing() as transaction:
            return sql_queue.give_back(transaction, lease)

    def attend(self, max_attempts: int) -> list[RunKey]:
        if self._presence is None:
            return []
        with self._presence.entering() as is_alone:
            return self._recover(max_attempts, are_all_others_dead=True) if is_alone else []

    def recover(self, max_attempts: int) -> list[RunKey]:
        return self._recover(max_attempts)

    @repeated_on_conflict
    def _recover(self, max_attempts: int, *, are_all_others_dead: bool = False) -> list[RunKey]:
        with self._database.writing() as transaction:
            return sql_queue.recover(transaction, max_attempts, are_all_others_dead=are_all_others_dead)

    @repeated_on_conflict
    def request_cancel(self, key: RunKey) -> RunRecord | None:
        with self._database.writing() as transaction:
            row = find(transaction.connection, key, for_update=True)
            if row is None:
                return None
            if row.status == RunStatus.QUEUED:
                end(transaction, row, Outcome(RunStatus.CANCELLED, error=sql_queue.CANCELLED))
            elif row.status == RunStatus.RUNNING:
                change(transaction, row, {"is_cancel_requested": True}, [])
            return whole_record(transaction.connection, key)

    @repeated_on_conflict
    def delete(self, key: RunKey) -> bool:
        with self._database.writing() as transaction:
            row = find(transaction.connection, key, for_update=True)
            if row is None or not RunStatus(row.status).is_finished:
                return False
            transaction.connection.execute(_DELETE_KEYS, named(key))
            transaction.connection.execute(_DELETE, {"deleted_id": row.id})
            return True

    def get(self, key: RunKey) -> RunRecord | None:
        with self._database.reading() as connection:
            return whole_record(connection, key)

    def details(self, key: RunKey) -> RunDetails | None:
        with self._database.reading() as connection:
            row = connection.execute(_DETAILS, named(key)).one_or_none()
        if row is None:
            return None
        return RunDetails(row.request, row.ingredients, tuple(row.warnings), row.dataset)

    def result(self, key: RunKey) -> StoredResult | EarlierResult | None:
        with self._database.reading() as connection:
            row = connection.execute(_RESULT, named(key)).one_or_none()
            if row is not None:
                content = {name: bytes(row._mapping[name]) for name in BINARY if row._mapping[name] is not None}
                return StoredResult(**{**row._mapping, **content})
            row = connection.execute(_EARLIER_RESULT, named(key)).one_or_none()
        return None if row is None else EarlierResult(bytes(row.gzip_bytes), *row[1:])

    def page(self, owner: str, wanted: RunFilter, *, limit: int, cursor: str | None = None) -> RunPage:
        with self._database.reading() as connection:
            return sql_listing.page(connection, owner, wanted, limit=limit, cursor=cursor)

    def events(
        self, key: RunKey, *, after: int, limit: int, kinds: Sequence[EventKind] | None = None
    ) -> list[RunEvent]:
        columns, after = run_events.c, min(max(after, 0), LARGEST_ID)
        query = (
            select(columns.id, columns.kind, columns.at, columns.data)
            .join(runs, runs.c.id == columns.run_id)
            .where(runs.c.owner == key.owner, runs.c.run_hash == key.run_hash, columns.id > after)
            .order_by(columns.id)
            .limit(limit)
        )
        if kinds is not None:
            query = query.where(columns.kind.in_(kinds))
        with self._database.reading() as connection:
            told = [RunEvent(row.id, EventKind(row.kind), row.at, row.data) for row in connection.execute(query)]
            if not any(lacks_metrics(event) for event in told):
                return told
            metrics = connection.execute(_METRICS, named(key)).scalar()
        return [replace(e, data={**e.data, "metrics": metrics}) if lacks_metrics(e) else e for e in told]

    def counts(self) -> Counts:
        with self._database.reading() as connection:
            return sql_listing.counts(connection)

    def datasets_in_use(self) -> frozenset[str]:
        with self._database.reading() as connection:
            return sql_listing.datasets_in_use(connection)

    def surplus(self, keep: int, keep_bytes: int | None = None) -> list[RunKey]:
        with self._database.reading() as connection:
            return sql_listing.surplus(connection, keep, keep_bytes)

    def unsealed(self) -> list[RunKey]:
        with self._database.reading() as connection:
            return sql_listing.unsealed(connection)
