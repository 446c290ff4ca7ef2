"""The order of the queue: owners take turns, and each owner's oldest run goes first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, Select, func, select, tuple_, type_coerce

from src.services.storage.records.runs import RunStatus
from src.services.storage.sql.tables import runs

IS_QUEUED: ColumnElement[bool] = runs.c.status == RunStatus.QUEUED


@dataclass(frozen=True)
class Turn:
    """One owner with queued runs.

    Attributes:
        last_start: when one of the owner's runs was last started, microseconds since 1970; 0 for never.
        first_submitted, first_id: when the oldest queued run was submitted, and its id to break ties.
    """

    owner: str
    n_queued: int
    n_running: int
    last_start: int
    first_submitted: datetime
    first_id: int

    @property
    def seniority(self) -> tuple[int, datetime, int]:
        """Sort key among owners with equally many running runs; the lowest goes first."""
        return self.last_start, self.first_submitted, self.first_id


def turns(connection: Connection) -> list[Turn]:
    """All owners with queued runs; the one whose turn it is comes first."""
    found = [Turn(**row._mapping) for row in connection.execute(_TURNS)]
    return sorted(found, key=lambda turn: (turn.n_running, turn.seniority))


def position(connection: Connection, owner: str, submitted_at: datetime, run_id: int) -> int:
    """How many queued runs start before this one, if no running run ended and no new run arrived first."""
    is_older = tuple_(runs.c.submitted_at, runs.c.id) < (submitted_at, run_id)
    query = select(func.count()).select_from(runs).where(IS_QUEUED, runs.c.owner == owner, is_older)
    n_older = int(connection.execute(query).scalar_one())
    present = turns(connection)
    # Another process may just have started it.
    mine = next((turn for turn in present if turn.owner == owner), None)
    return 0 if mine is None else n_older + _n_of_others(present, mine, n_older)


def _n_of_others(present: Sequence[Turn], mine: Turn, n_older: int) -> int:
    n_running_then = mine.n_running + n_older
    return sum(_n_ahead(turn, mine, n_running_then) for turn in present if turn is not mine)


def _n_ahead(turn: Turn, mine: Turn, n_running_then: int) -> int:
    """How many runs of another owner start before the one that starts when `n_running_then` of mine are running.

    The other owner's runs start while fewer of them are running, and one more if that owner goes first at a tie: the
    owner that had more at first has gone longer without a start.
    """
    goes_first = (-turn.n_running, turn.seniority) < (-mine.n_running, mine.seniority)
    return max(0, min(turn.n_queued, n_running_then - turn.n_running + goes_first))


def _turns() -> Select[Any]:
    is_running = runs.c.status == RunStatus.RUNNING
    busy = select(runs.c.owner, func.count().label("n_running")).where(is_running).group_by(runs.c.owner).subquery()
    waiting = (
        select(
            runs.c.owner,
            func.count().label("n_queued"),
            func.min(runs.c.submitted_at).label("first_submitted"),
            func.min(runs.c.id).label("first_id"),
        )
        .where(IS_QUEUED)
        .group_by(runs.c.owner)
        .subquery()
    )
    other = runs.alias()
    starts = select(type_coerce(func.max(other.c.started_at), BigInteger)).where(other.c.owner == waiting.c.owner)
    return select(
        waiting.c.owner,
        waiting.c.n_queued,
        func.coalesce(busy.c.n_running, 0).label("n_running"),
        func.coalesce(starts.scalar_subquery(), 0).label("last_start"),
        waiting.c.first_submitted,
        waiting.c.first_id,
    ).outerjoin(busy, busy.c.owner == waiting.c.owner)


_TURNS = _turns()
