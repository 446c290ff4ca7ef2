"""Limits the number of runs, and cancels a run when its client disconnects."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from src.services.admission.client_line import ClientLine, LineFull, LineLimits
from src.services.storage.errors import QueueFull

Result = TypeVar("Result")

QUEUE = "the queue"
"""The client name under which queued runs start."""

STOP_SECONDS = 5.0
"""How long a cancelled run may take to free its box before its caller is released."""


class RunSlots:
    """Admits blocking runs to a bounded number of worker threads, with clients taking turns.

    Belongs to one event loop, on which all its methods are called. The runs of one client start in order of
    arrival.

    Args:
        max_running: maximum number of concurrent runs, at least one.
        max_waiting: maximum number of waiting runs, at least zero.
    """

    def __init__(self, *, max_running: int, max_waiting: int) -> None:
        self._max_running = max_running
        self._max_waiting = max_waiting
        self._n_free = max_running
        # The limits are enforced here, because queued runs count towards neither.
        self._line: ClientLine[asyncio.Future[None]] = ClientLine(LineLimits(max_waiting, max_waiting, max_running))
        self._under_way: dict[asyncio.Future[Any], threading.Event] = {}
        self._threads = ThreadPoolExecutor(max_workers=max_running, thread_name_prefix="run")

    @property
    def n_running(self) -> int:
        """Number of running runs."""
        return self._max_running - self._n_free

    @property
    def n_waiting(self) -> int:
        """Number of waiting runs."""
        return len(self._line) - self._line.n_waiting_of(QUEUE)

    @property
    def max_running(self) -> int:
        """Maximum number of running runs."""
        return self._max_running

    @property
    def max_waiting(self) -> int:
        """Maximum number of waiting runs."""
        return self._max_waiting

    @property
    def has_place(self) -> bool:
        """Whether one more run would start at once."""
        return self._n_free > 0

    @property
    def is_full(self) -> bool:
        """Whether one more run would be refused."""
        return self.n_running + self.n_waiting >= self._max_running + self._max_waiting

    async def run(
        self, work: Callable[[threading.Event], Result], *, client: str = "", is_dispatched: bool = False
    ) -> Result:
        """Call `work` in a worker thread once a slot is free, and return its result.

        Cancelling the calling task sets the event passed to `work` and waits briefly for it to end.
        The slot stays taken until `work` has actually returned.

        Args:
            client: takes turns with other clients.
            is_dispatched: the run already waits in the stored queue: it is never refused and does not count as waiting.

        Raises:
            QueueFull: the queue is full, or a client with fewer runs in a full queue displaced this one.
        """
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if is_dispatched:
            client = QUEUE
        else:
            self._make_place(client)
        self._line.admit(client, place)
        self._let_in()
        try:
            await place
        except asyncio.CancelledError:
            self._give_up(client, place)
            raise
        return await self._run_now(work, client)

    def _make_place(self, client: str) -> None:
        if not self.is_full:
            return
        try:
            displaced = self._line.displace(client)
        except LineFull as error:
            raise QueueFull(self.n_running, self.n_waiting) from error
        if not displaced.done():
            displaced.set_exception(QueueFull(self.n_running, self.n_waiting))

    def _let_in(self) -> None:
        while self._n_free and (turn := self._line.start()) is not None:
            client, place = turn
            if place.done():
                self._line.end(client)
            else:
                self._n_free -= 1
                place.set_result(None)

    def _give_up(self, client: str, place: "asyncio.Future[None]") -> None:
        self._line.leave(client, place)
        if place.done() and not place.cancelled() and place.exception() is None:
            self._free(client)

    def _free(self, client: str) -> None:
        self._n_free += 1
        self._line.end(client)
        self._let_in()

    async def _run_now(self, work: Callable[[threading.Event], Result], client: str) -> Result:
        cancel = threading.Event()
        future = asyncio.get_running_loop().run_in_executor(self._threads, work, cancel)
        self._under_way[future] = cancel
        future.add_done_callback(partial(self._leave, client))
        try:
            await asyncio.wait([future])
        except asyncio.CancelledError:
            cancel.set()
            await asyncio.wait([future], timeout=STOP_SECONDS)
            raise
        return future.result()

    def _leave(self, client: str, future: asyncio.Future[Any]) -> None:
        del self._under_way[future]
        self._free(client)
        if not future.cancelled():
            # Marks the exception as retrieved: asyncio would log the error of an abandoned run.
            future.exception()

    async def close(self) -> None:
        """Cancel every run and wait until all have ended."""
        for cancel in self._under_way.values():
            cancel.set()
        if self._under_way:
            await asyncio.wait(list(self._under_way), timeout=STOP_SECONDS)
        self._threads.shutdown(wait=False, cancel_futures=True)
