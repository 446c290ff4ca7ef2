"""Keeps the number of runs bounded, and tells a run when nobody waits for it any more."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from src.services.client_line import ClientLine, LineFull, LineLimits
from src.services.storage.errors import QueueFull

Result = TypeVar("Result")

QUEUE = "the queue"
"""The client in whose name runs start that nobody waits for."""

STOP_SECONDS = 5.0
"""How long a cancelled run is given to free its box before its caller is let go."""


class RunGate:
    """Lets blocking runs into worker threads, a bounded number at a time, while clients take turns.

    Belongs to one event loop, on which all of it is called. The runs of one client start in the order in which they
    came.

    Args:
        max_running: runs at the same time, at least one.
        max_waiting: runs in line beyond them, at least zero.
    """

    def __init__(self, *, max_running: int, max_waiting: int) -> None:
        self._max_running = max_running
        self._max_waiting = max_waiting
        self._n_free = max_running
        # The limits are kept here, because runs out of the queue count to none of them.
        self._line: ClientLine[asyncio.Future[None]] = ClientLine(LineLimits(max_waiting, max_waiting, max_running))
        self._under_way: dict[asyncio.Future[Any], threading.Event] = {}
        self._threads = ThreadPoolExecutor(max_workers=max_running, thread_name_prefix="run")

    @property
    def n_running(self) -> int:
        """Runs under way."""
        return self._max_running - self._n_free

    @property
    def n_waiting(self) -> int:
        """Runs in line."""
        return len(self._line) - self._line.n_waiting_of(QUEUE)

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
        return self._n_free > 0

    @property
    def is_full(self) -> bool:
        """Whether one more run would be refused."""
        return self.n_running + self.n_waiting >= self._max_running + self._max_waiting

    async def run(
        self, work: Callable[[threading.Event], Result], *, client: str = "", is_dispatched: bool = False
    ) -> Result:
        """The result of `work`, called in a worker thread once there is a place for it.

        Cancelling the calling task sets the event that `work` was given and waits a little for it to end.
        The place stays taken until `work` has really returned.

        Args:
            client: takes turns with others.
            is_dispatched: it waits in a line elsewhere too: here it is never refused and takes no place in line.

        Raises:
            QueueFull: when the line is full, or its place in a full line goes to a client who has fewer runs in it.
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
            # Marks it as seen: asyncio would log the error of a run that nobody waits for any more.
            future.exception()

    async def close(self) -> None:
        """Tell every run to stop and wait until it has."""
        for cancel in self._under_way.values():
            cancel.set()
        if self._under_way:
            await asyncio.wait(list(self._under_way), timeout=STOP_SECONDS)
        self._threads.shutdown(wait=False, cancel_futures=True)
