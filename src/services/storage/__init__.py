"""Stores runs, their events, presets and the chain of manifests in one database, the only source of truth."""
