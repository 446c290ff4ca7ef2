"""The stores on SQL: SQLite or PostgreSQL, tables and migrations."""
