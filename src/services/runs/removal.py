"""Removes a finished run with its files, leaving no orphaned files."""

from collections.abc import Callable

from src.services.storage.base import RunStore
from src.services.storage.records import RunKey


def forget(store: RunStore, remove_files: Callable[[RunKey], None], key: RunKey) -> bool:
    """Remove a finished run with its result, events and files; False if there is none, or it was started again."""
    # Files first: without their run, no later cleanup would find them.
    remove_files(key)
    if not store.delete(key):
        return False
    # A request for them in between may have sealed them again.
    remove_files(key)
    return True
