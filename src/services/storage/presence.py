"""Who else works on the runs of an SQLite file? A starting process that is alone waits for nobody's lease."""

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

logger = logging.getLogger(__name__)


class Presence:
    """A locked file beside the database: every process that works on runs shares the lock for as long as it lives.

    The kernel takes the lock from a process that dies, however it dies, and from no other. All who share the file of
    an SQLite database in WAL mode share its kernel, in whatever container they are.

    Args:
        path: made when it is not there, and never removed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    @contextmanager
    def entering(self) -> Iterator[bool]:
        """Be present from the end of the block on; in it, whether nobody else is. Others who enter wait meanwhile.

        Where the file cannot be locked it is never known that nobody is.
        """
        try:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            is_alone = self._is_alone(self._descriptor)
        except OSError as error:
            logger.warning("%s cannot be locked, runs of processes that died wait: %s", self._path, error)
            yield False
            return
        try:
            yield is_alone
        finally:
            # Somebody may enter between the two locks, and finds nothing of ours: we begin after this.
            fcntl.flock(self._descriptor, fcntl.LOCK_SH)

    @staticmethod
    def _is_alone(descriptor: int) -> bool:
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        return False

    def leave(self) -> None:
        """Be present no more."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
