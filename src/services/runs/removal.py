"""Takes a finished run away, with its files, so that nothing of it is left that nobody finds."""

from collections.abc import Callable

from src.services.storage.base import RunStore
from src.services.storage.records import RunKey


def forget(store: RunStore, remove_files: Callable[[RunKey], None], key: RunKey) -> bool:
    """Forget a finished run with its result, events and files; False where there is none, or it goes on again."""
    # Files first: were the run gone and they still there, nobody would find them any more.
    remove_files(key)
    if not store.delete(key):
        return False
    # Somebody may have asked for them just in between: then they were sealed again.
    remove_files(key)
    return True
