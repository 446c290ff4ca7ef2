"""Detects other processes working on an SQLite file: a process that starts alone need not wait for old leases."""

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

logger = logging.getLogger(__name__)


class Presence:
    """A lock file beside the database: every process that works on runs holds a shared lock while it lives.

    The kernel releases a process's lock exactly when it dies. All processes that share an SQLite file in WAL mode
    share the kernel, even from different containers.

    Args:
        path: created if missing, never removed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    @contextmanager
    def entering(self) -> Iterator[bool]:
        """Yield whether this process is alone; from the end of the block it is present. Others that enter wait.

        If the file cannot be locked, the answer is always False.
        """
        try:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            is_alone = self._is_alone(self._descriptor)
        except OSError as error:
            logger.warning("%s cannot be locked, so runs of dead processes wait for leases: %s", self._path, error)
            yield False
            return
        try:
            yield is_alone
        finally:
            # Another process may enter between the two locks. It finds no runs of ours, because we start after this.
            fcntl.flock(self._descriptor, fcntl.LOCK_SH)

    @staticmethod
    def _is_alone(descriptor: int) -> bool:
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        return False

    def leave(self) -> None:
        """Release the lock."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
