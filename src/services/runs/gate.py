"""Keeps the number of runs bounded, and tells a run when nobody waits for it any more."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from src.services.storage.errors import QueueFull

Result = TypeVar("Result")

STOP_SECONDS = 5.0
"""How long a cancelled run is given to free its box before its caller is let go."""


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
        self._n_waiting = 0
        self._under_way: dict[asyncio.Future[Any], threading.Event] = {}
        self._threads = ThreadPoolExecutor(max_workers=max_running, thread_name_prefix="run")

    @property
    def n_running(self) -> int:
        """Runs under way."""
        return len(self._under_way)

    @property
    def n_waiting(self) -> int:
        """Runs in line."""
        return self._n_waiting

    @property
    def max_running(self) -> int:
        """Runs that may be under way at the same time."""
        return self._max_running

    @property
    def max_waiting(self) -> int:
        """Runs that may be in line."""
        return self._max_waiting

    @property
    def has_place(self) -> bool:
        """Whether one more run would start at once."""
        return not self._places.locked()

    @property
    def is_full(self) -> bool:
        """Whether one more run would be refused."""
        return len(self._under_way) + self._n_waiting >= self._max_running + self._max_waiting

    async def run(self, work: Callable[[threading.Event], Result], *, is_dispatched: bool = False) -> Result:
        """The result of `work`, called in a worker thread once there is a place for it.

        Cancelling the calling task sets the event that `work` was given and waits a little for it to end.
        The place stays taken until `work` has really returned.

        Args:
            is_dispatched: it waits in a line elsewhere too: here it is never refused and takes nobody's place in line.

        Raises:
            QueueFull: at once, when the line is full.
        """
        if is_dispatched:
            await self._places.acquire()
            return await self._run_now(work)
        if self.is_full:
            raise QueueFull(self.n_running, self.n_waiting)
        self._n_waiting += 1
        try:
            await self._places.acquire()
        finally:
            self._n_waiting -= 1
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
