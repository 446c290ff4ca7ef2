"""Lets only one thread of all processes fetch a symbol at a time."""

import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from filelock import FileLock, Timeout

from src.errors import PriceSourceUnavailable
from src.services.data_provider.waiting import left_seconds
from src.utils.deadline import NO_DEADLINE, POLL_SECONDS, Deadline

N_LOCKS = 256
"""A fixed number of files, so that strangers' symbols cannot fill the disk. Two symbols that share a lock
only wait for each other."""


class SymbolLocks:
    """Locks by symbol. A process that dies releases its locks.

    Args:
        folder: folder of the lock files; processes that share it exclude each other.
        wait_seconds: how long to wait for another holder before giving up.
    """

    def __init__(self, folder: Path, wait_seconds: float = 120.0) -> None:
        self._folder = folder
        self._wait_seconds = wait_seconds
        self._in_process = [Lock() for _ in range(N_LOCKS)]

    @contextmanager
    def hold(self, symbol: str, deadline: Deadline = NO_DEADLINE) -> Iterator[None]:
        """Hold this symbol exclusively inside the block. Never hold two symbols.

        Raises:
            PriceSourceUnavailable: another holder took too long, or the folder cannot be written to.
            RunTimedOut, RunCancelled: the deadline has passed.
        """
        number = zlib.crc32(symbol.encode()) % N_LOCKS
        until = time.monotonic() + self._wait_seconds
        # Threads block on each other here; file locks can only be polled.
        while not self._in_process[number].acquire(timeout=min(POLL_SECONDS, left_seconds(deadline, symbol))):
            if time.monotonic() >= until:
                raise self._took_too_long(symbol)
        try:
            with self._of_all_processes(number, symbol, deadline):
                yield
        finally:
            self._in_process[number].release()

    @contextmanager
    def _of_all_processes(self, number: int, symbol: str, deadline: Deadline) -> Iterator[None]:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self._folder / f"{number:02x}.lock", timeout=self._wait_seconds)
            lock.acquire(poll_interval=0.02, cancel_check=lambda: deadline.is_over)
        except Timeout as error:
            left_seconds(deadline, symbol)
            raise self._took_too_long(symbol) from error
        except OSError as error:
            raise PriceSourceUnavailable(
                f"The prices of '{symbol}' cannot be fetched: the folder DATA_CACHE_DIR cannot be written to."
            ) from error
        try:
            yield
        finally:
            lock.release()

    def _took_too_long(self, symbol: str) -> PriceSourceUnavailable:
        return PriceSourceUnavailable(
            f"The prices of '{symbol}' were not fetched: another one still runs after {self._wait_seconds:.0f} s."
        )
