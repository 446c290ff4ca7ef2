"""One at a time may fetch a symbol, among the threads of this process and among all processes."""

import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from filelock import FileLock, Timeout

from src.errors import PriceSourceUnavailable
from src.services.data_provider.patience import ENDLESS, POLL_SECONDS, Patience

N_LOCKS = 256
"""A fixed number of files, so that strangers' symbols cannot fill the disk with them. Two symbols that
share one only wait for each other."""


class SymbolLocks:
    """Locks by symbol. A process that dies gives its locks back.

    Args:
        folder: where the lock files are; processes that share it exclude each other.
        wait_seconds: how long to wait for somebody else before giving up.
    """

    def __init__(self, folder: Path, wait_seconds: float = 120.0) -> None:
        self._folder = folder
        self._wait_seconds = wait_seconds
        self._in_process = [Lock() for _ in range(N_LOCKS)]

    @contextmanager
    def hold(self, symbol: str, patience: Patience = ENDLESS) -> Iterator[None]:
        """Nobody else holds this symbol inside the block. Never hold two symbols.

        Raises:
            PriceSourceUnavailable: somebody else took too long, or the folder cannot be written to.
            RunTimedOut, RunCancelled: the patience is at its end.
        """
        number = zlib.crc32(symbol.encode()) % N_LOCKS
        until = time.monotonic() + self._wait_seconds
        # Threads wait for each other here, at once; files can only be asked again and again.
        while not self._in_process[number].acquire(timeout=min(POLL_SECONDS, patience.left_seconds(symbol))):
            if time.monotonic() >= until:
                raise self._took_too_long(symbol)
        try:
            with self._of_all_processes(number, symbol, patience):
                yield
        finally:
            self._in_process[number].release()

    @contextmanager
    def _of_all_processes(self, number: int, symbol: str, patience: Patience) -> Iterator[None]:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self._folder / f"{number:02x}.lock", timeout=self._wait_seconds)
            lock.acquire(poll_interval=0.02, cancel_check=lambda: patience.is_over)
        except Timeout as error:
            patience.left_seconds(symbol)
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
            f"The prices of '{symbol}' were not fetched: somebody else has been at it for {self._wait_seconds:.0f} s."
        )
