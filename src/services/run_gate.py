"""Keeps the number of runs bounded, and tells a run when nobody waits for it any more."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from src.errors import BacktesterError

Result = TypeVar("Result")

STOP_SECONDS = 5.0
"""How long a cancelled run is given to free its box before its caller is let go."""


class QueueFull(BacktesterError):
    """All places to run and to wait are taken; nothing was started.

    Args:
        n_running: runs under way.
        n_waiting: runs in line.
    """

    code = "queue_full"
    http_status = 503
    retry_after_seconds = 5

    def __init__(self, n_running: int, n_waiting: int) -> None:
        super().__init__(f"{n_running} backtests are running, {n_waiting} wait: try again in a few seconds")
        self.n_running = n_running
        self.n_waiting = n_waiting


class RunGate:
    """Lets blocking runs into worker threads, a bounded number at a time, first come first served.

    Belongs to one event loop, on which all of it is called.

    Args:
        max_running: runs at the same time, at least one.
        max_waiting: runs in line beyond them, at least zero.
    """

    def __init__(self, *, max_running: int, max_waiting: int) -> None:
        self._max_running = max_running
        self._max_waiting = max_waiting
        self._places = asyncio.Semaphore(max_running)
        self._n_admitted = 0
        self._under_way: dict[asyncio.Future[Any], threading.Event] = {}
        self._threads = ThreadPoolExecutor(max_workers=max_running, thread_name_prefix="run")

    @property
    def n_running(self) -> int:
        """Runs under way."""
        return len(self._under_way)

    @property
    def n_waiting(self) -> int:
        """Runs in line."""
        return self._n_admitted - len(self._under_way)

    @property
    def max_running(self) -> int:
        """Runs that may be under way at the same time."""
        return self._max_running

    @property
    def max_waiting(self) -> int:
        """Runs that may be in line."""
        return self._max_waiting

    @property
    def is_full(self) -> bool:
        """Whether one more run would be refused."""
        return self._n_admitted >= self._max_running + self._max_waiting

    async def run(self, work: Callable[[threading.Event], Result]) -> Result:
        """The result of `work`, called in a worker thread once there is a place for it.

        Cancelling the calling task sets the event that `work` was given and waits a little for it to end.
        The place stays taken until `work` has really returned.

        Raises:
            QueueFull: at once, when the line is full.
        """
        if self.is_full:
            raise QueueFull(self.n_running, self.n_waiting)
        self._n_admitted += 1
        try:
            await self._places.acquire()
        except BaseException:
            self._n_admitted -= 1
            raise
        return await self._run_now(work)

    async def _run_now(self, work: Callable[[threading.Event], Result]) -> Result:
        cancel = threading.Event()
        future = asyncio.get_running_loop().run_in_executor(self._threads, work, cancel)
        self._under_way[future] = cancel
        future.add_done_callback(self._leave)
        try:
            await asyncio.wait([future])
        except asyncio.CancelledError:
            cancel.set()
            await asyncio.wait([future], timeout=STOP_SECONDS)
            raise
        return future.result()

    def _leave(self, future: asyncio.Future[Any]) -> None:
        del self._under_way[future]
        self._n_admitted -= 1
        self._places.release()
        if not future.cancelled():
            # Marks it as seen: asyncio would log the error of a run that nobody waits for any more.
            future.exception()

    async def close(self) -> None:
        """Tell every run to stop and wait until it has."""
        for cancel in self._under_way.values():
            cancel.set()
        if self._under_way:
            await asyncio.wait(list(self._under_way), timeout=STOP_SECONDS)
        self._threads.shutdown(wait=False, cancel_futures=True)
