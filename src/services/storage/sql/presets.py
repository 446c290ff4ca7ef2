"""Presets in an SQL database."""

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import ColumnElement, Connection, delete, func, select

from src.services.storage.errors import TooManyPresets
from src.services.storage.records.presets import Preset
from src.services.storage.sql.database import Database, TransactionConflict, repeated_on_conflict
from src.services.storage.sql.submission import insert_or_nothing
from src.services.storage.sql.tables import presets


class SqlPresets:
    """`PresetStore` on a database; its methods are documented there."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @repeated_on_conflict
    def add(
        self, preset: Preset, *, max_presets: int | None = None, max_bytes: int | None = None
    ) -> tuple[Preset, bool]:
        with self._database.writing() as transaction:
            # Transactions that add to an owner's presets count them one at a time.
            transaction.lock("presets", preset.owner)
            is_new = insert_or_nothing(transaction, presets, asdict(preset))
            if is_new:
                _check_room(transaction.connection, preset.owner, max_presets, max_bytes)
                return preset, True
            row = transaction.connection.execute(select(presets).where(*_is(preset.owner, preset.preset_id))).first()
            if row is None:
                raise TransactionConflict("the preset was deleted at the same moment")
            return Preset(**row._mapping), False

    def get(self, owner: str, preset_id: str) -> Preset | None:
        with self._database.reading() as connection:
            row = connection.execute(select(presets).where(*_is(owner, preset_id))).one_or_none()
        return None if row is None else Preset(**row._mapping)

    def list(self, owner: str) -> Sequence[Preset]:
        query = select(presets).where(presets.c.owner == owner)
        newest_first = query.order_by(presets.c.created_at.desc(), presets.c.preset_id)
        with self._database.reading() as connection:
            return [Preset(**row._mapping) for row in connection.execute(newest_first)]

    @repeated_on_conflict
    def remove(self, owner: str, preset_id: str) -> bool:
        with self._database.writing() as transaction:
            return transaction.connection.execute(delete(presets).where(*_is(owner, preset_id))).rowcount == 1


def _check_room(connection: Connection, owner: str, max_presets: int | None, max_bytes: int | None) -> None:
    size = func.coalesce(func.sum(func.length(presets.c.configuration)), 0)
    count, n_bytes = connection.execute(select(func.count(), size).where(presets.c.owner == owner)).one()
    if max_presets is not None and count > max_presets:
        raise TooManyPresets(f"You have {max_presets:,} presets, which is the limit: delete one first.")
    if max_bytes is not None and n_bytes > max_bytes:
        raise TooManyPresets(f"Your presets would exceed {max_bytes:,} bytes in total: delete one first.")


def _is(owner: str, preset_id: str) -> tuple[ColumnElement[bool], ...]:
    return presets.c.owner == owner, presets.c.preset_id == preset_id
