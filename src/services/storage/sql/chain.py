"""The chains of manifests in an SQL database."""

from collections.abc import Sequence
from dataclasses import asdict, astuple
from typing import Any

from sqlalchemy import Connection, Select, bindparam, insert, select, update

from src.services.storage.base import BuildLink
from src.services.storage.errors import RunGone
from src.services.storage.records.chain import Link
from src.services.storage.records.runs import RunKey
from src.services.storage.sql.database import Database, repeated_on_conflict
from src.services.storage.sql.run_rows import OF_KEY, named
from src.services.storage.sql.tables import chain_links, runs

LINKS = chain_links.c

# Statements for every run that is sealed are built once, see run_rows.
_ADD = insert(chain_links)
_OF_OWNER: Select[Any] = select(chain_links).where(LINKS.owner == bindparam("owner"))
_LAST = _OF_OWNER.order_by(LINKS.number.desc()).limit(1)
_PRESENT = _LAST.where(LINKS.run_hash == bindparam("run_hash"), LINKS.removed_at.is_(None))
# A transaction that deletes the run waits until its link exists and can mark it; one that changes it need not wait.
_HAS_RESULT_AND_STAYS = select(runs.c.has_result).where(*OF_KEY).with_for_update(read=True, key_share=True)


class SqlChain:
    """`ChainStore` on a database; its methods are documented there."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @repeated_on_conflict
    def append(self, key: RunKey, build: BuildLink) -> Link:
        with self._database.writing() as transaction:
            transaction.lock("chain", key.owner)
            present = _link(transaction.connection, _PRESENT, named(key))
            if present is not None:
                return present
            if not transaction.connection.execute(_HAS_RESULT_AND_STAYS, named(key)).scalar():
                raise RunGone("the run was deleted in the meantime, with its result")
            last = _link(transaction.connection, _LAST, {"owner": key.owner})
            number, previous = (1, "") if last is None else (last.number + 1, last.manifest_hash)
            link = build(number, previous)
            if (link.owner, link.run_hash, link.number, link.previous_hash) != (*astuple(key), number, previous):
                raise ValueError(f"the link built is not number {number} of that run")
            transaction.connection.execute(_ADD, asdict(link))
            return link

    def link(self, key: RunKey) -> Link | None:
        with self._database.reading() as connection:
            return _link(connection, _PRESENT, named(key))

    @repeated_on_conflict
    def mark_removed(self, key: RunKey) -> list[Link]:
        if self.link(key) is None:
            return []
        with self._database.writing() as transaction:
            transaction.lock("chain", key.owner)
            is_present = (LINKS.owner == key.owner, LINKS.run_hash == key.run_hash, LINKS.removed_at.is_(None))
            gone = update(chain_links).where(*is_present).values(removed_at=transaction.now).returning(chain_links)
            links = [Link(**row._mapping) for row in transaction.connection.execute(gone)]
            return sorted(links, key=lambda link: link.number)

    def links(self, owner: str) -> Sequence[Link]:
        with self._database.reading() as connection:
            rows = connection.execute(_OF_OWNER.order_by(LINKS.number), {"owner": owner})
            return [Link(**row._mapping) for row in rows]

    def owners(self) -> Sequence[str]:
        with self._database.reading() as connection:
            return list(connection.execute(select(LINKS.owner).distinct().order_by(LINKS.owner)).scalars())


def _link(connection: Connection, wanted: Select[Any], values: dict[str, str]) -> Link | None:
    row = connection.execute(wanted, values).one_or_none()
    return None if row is None else Link(**row._mapping)
