"""Lists of runs: pages for users, and the queries of the service's retention."""

from sqlalchemy import ColumnElement, Connection, case, func, select, tuple_

from src.services.storage.records.runs import Counts, RunFilter, RunKey, RunPage, RunStatus
from src.services.storage.sql.columns import microseconds, moment
from src.services.storage.sql.cursors import Cursor, cursor_from_text
from src.services.storage.sql.database import now
from src.services.storage.sql.run_rows import FINISHED, OF_ANY_TIME, SHOWN, folded, record
from src.services.storage.sql.tables import chain_links, run_columns, run_details, run_results, runs


def page(connection: Connection, owner: str, wanted: RunFilter, *, limit: int, cursor: str | None) -> RunPage:
    """Runs of the owner, newest first; see RunStore.page."""
    conditions = [runs.c.owner == owner, *_conditions(wanted)]
    if cursor is not None:
        before = cursor_from_text(cursor)
        conditions.append(tuple_(runs.c.submitted_at, runs.c.id) < (moment(before.submitted_at), before.id))
    query = SHOWN.where(*conditions).order_by(runs.c.submitted_at.desc(), runs.c.id.desc()).limit(limit + 1)
    rows = connection.execute(query).all()
    shown = rows[:limit]
    next_cursor = Cursor(microseconds(shown[-1].submitted_at), shown[-1].id).as_text() if len(rows) > limit else None
    return RunPage(tuple(record(row) for row in shown), next_cursor)


def _conditions(wanted: RunFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.status is not None:
        conditions.append(runs.c.status == wanted.status)
    if wanted.name is not None:
        conditions.append(runs.c.folded_name.contains(folded(wanted.name), autoescape=True))
    if wanted.symbol is not None:
        conditions.append(runs.c.symbols.contains(f",{wanted.symbol.upper()},", autoescape=True))
    if wanted.since is not None:
        conditions.append(runs.c.submitted_at >= wanted.since)
    return conditions


_COUNTS = (
    select(runs.c.status, func.count())
    .where(runs.c.status.in_([RunStatus.QUEUED, RunStatus.RUNNING]))
    .group_by(runs.c.status)
)


def counts(connection: Connection) -> Counts:
    """Numbers of queued and running runs."""
    found = {row[0]: row[1] for row in connection.execute(_COUNTS)}
    return Counts(n_queued=found.get(RunStatus.QUEUED, 0), n_running=found.get(RunStatus.RUNNING, 0))


_DATASETS_IN_USE = (
    select(run_details.c.dataset)
    .join(runs)
    .where(runs.c.status.in_([RunStatus.QUEUED, RunStatus.RUNNING]), run_details.c.dataset.is_not(None))
    .distinct()
)


def datasets_in_use(connection: Connection) -> frozenset[str]:
    """Names of the blobs that queued and running runs need."""
    return frozenset(connection.execute(_DATASETS_IN_USE).scalars())


def surplus(connection: Connection, keep: int, keep_bytes: int | None) -> list[RunKey]:
    """Finished runs beyond the newest of their owner; see RunStore.surplus."""
    # Their time is in the future because the clock was set back: as the newest they would displace all later runs.
    is_impossible = case((runs.c.submitted_at > now(connection), 1), else_=0)
    newest_first = (is_impossible, runs.c.submitted_at.desc(), runs.c.id.desc())
    rank = func.row_number().over(partition_by=runs.c.owner, order_by=newest_first)
    length = func.coalesce(run_columns.c.json_length, run_results.c.json_length, 0)
    # Cumulative up to each run, starting with the newest.
    together = func.sum(length).over(partition_by=runs.c.owner, order_by=newest_first, rows=(None, 0))
    ranked = (
        select(runs.c.owner, runs.c.run_hash, rank.label("rank"), together.label("bytes"))
        .select_from(OF_ANY_TIME)
        .where(runs.c.status.in_(FINISHED))
        .subquery()
    )
    is_surplus = ranked.c.rank > keep
    if keep_bytes is not None:
        is_surplus |= (ranked.c.bytes > keep_bytes) & (ranked.c.rank > 1)
    query = select(ranked.c.owner, ranked.c.run_hash).where(is_surplus).order_by(ranked.c.rank.desc())
    return [RunKey(owner, run_hash) for owner, run_hash in connection.execute(query)]


def unsealed(connection: Connection) -> list[RunKey]:
    """Runs with a result and without a link; see RunStore.unsealed."""
    is_sealed = (
        select(chain_links.c.number)
        .where(
            chain_links.c.owner == runs.c.owner,
            chain_links.c.run_hash == runs.c.run_hash,
            chain_links.c.removed_at.is_(None),
        )
        .exists()
    )
    query = select(runs.c.owner, runs.c.run_hash).where(runs.c.has_result, ~is_sealed)
    return [RunKey(*row) for row in connection.execute(query.order_by(runs.c.finished_at, runs.c.id))]
