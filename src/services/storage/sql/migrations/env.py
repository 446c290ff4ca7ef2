"""Alembic runs this for every upgrade; see src/services/storage/sql/migrating.py, which provides the connection."""

from alembic import context

from src.services.storage.sql.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
