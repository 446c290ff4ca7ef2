"""Brings a database's tables up to date, once, even if several processes start at the same time."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from src.services.storage.errors import StorageUnavailable
from src.services.storage.sql.database import Database

MIGRATIONS = Path(__file__).parent / "migrations"


def migrate(database: Database) -> None:
    """Run the pending migrations; all of them are applied, or none.

    Raises:
        StorageUnavailable: it cannot be written, or a newer version of this service created its tables.
    """
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with database.writing() as transaction:
        transaction.lock("migrations")
        config.attributes["connection"] = transaction.connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            newest = ScriptDirectory.from_config(config).get_current_head()
            raise StorageUnavailable(
                f"the database was created by another version of this service; this one supports up to {newest}: "
                "start the newer version, or give another DATABASE_URL"
            ) from error
