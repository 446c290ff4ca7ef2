"""The chains of manifests in an SQL database."""

from collections.abc import Sequence
from dataclasses import asdict, astuple
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, insert, select, update

from src.services.storage.base import BuildLink
from src.services.storage.database import Database, repeated_on_conflict
from src.services.storage.errors import RunGone
from src.services.storage.records import Link, RunKey
from src.services.storage.tables import chain_links, runs

LINKS = chain_links.c


class SqlChain:
    """`ChainStore` on a database; its methods are documented there."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @repeated_on_conflict
    def append(self, key: RunKey, build: BuildLink) -> Link:
        with self._database.writing() as transaction:
            transaction.lock("chain", key.owner)
            present = _present_link(transaction.connection, key)
            if present is not None:
                return present
            if not _has_result_and_stays(transaction.connection, key):
                raise RunGone("the run has no result any more: it was deleted in the meantime")
            last = _last_link(transaction.connection, key.owner)
            number, previous = (1, "") if last is None else (last.number + 1, last.manifest_hash)
            link = build(number, previous)
            if (link.owner, link.run_hash, link.number, link.previous_hash) != (*astuple(key), number, previous):
                raise ValueError(f"the link built is not number {number} of that run")
            transaction.connection.execute(insert(chain_links).values(asdict(link)))
            return link

    def link(self, key: RunKey) -> Link | None:
        with self._database.reading() as connection:
            return _present_link(connection, key)

    @repeated_on_conflict
    def mark_removed(self, key: RunKey) -> list[Link]:
        with self._database.writing() as transaction:
            transaction.lock("chain", key.owner)
            gone = update(chain_links).where(*_present(key)).values(removed_at=transaction.now).returning(chain_links)
            links = [_link(row) for row in transaction.connection.execute(gone)]
            return sorted(links, key=lambda link: link.number)

    def links(self, owner: str) -> Sequence[Link]:
        with self._database.reading() as connection:
            query = select(chain_links).where(LINKS.owner == owner).order_by(LINKS.number)
            return [_link(row) for row in connection.execute(query)]

    def owners(self) -> Sequence[str]:
        with self._database.reading() as connection:
            return list(connection.execute(select(LINKS.owner).distinct().order_by(LINKS.owner)).scalars())


def _has_result_and_stays(connection: Connection, key: RunKey) -> bool:
    query = select(runs.c.has_result).where(runs.c.owner == key.owner, runs.c.run_hash == key.run_hash)
    # A transaction that deletes the run waits until its link exists and can mark it; one that changes it need not wait.
    return bool(connection.execute(query.with_for_update(read=True, key_share=True)).scalar())


def _present(key: RunKey) -> tuple[ColumnElement[bool], ...]:
    return LINKS.owner == key.owner, LINKS.run_hash == key.run_hash, LINKS.removed_at.is_(None)


def _present_link(connection: Connection, key: RunKey) -> Link | None:
    newest_first = select(chain_links).where(*_present(key)).order_by(LINKS.number.desc()).limit(1)
    row = connection.execute(newest_first).one_or_none()
    return None if row is None else _link(row)


def _last_link(connection: Connection, owner: str) -> Link | None:
    newest_first = select(chain_links).where(LINKS.owner == owner).order_by(LINKS.number.desc()).limit(1)
    row = connection.execute(newest_first).one_or_none()
    return None if row is None else _link(row)


def _link(row: Row[Any]) -> Link:
    return Link(**row._mapping)
