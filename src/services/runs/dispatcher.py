"""Starts queued runs as soon as a slot is free, and requeues runs of dead processes."""

import asyncio
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from src.errors import SandboxUnavailable
from src.services.admission.slots import STOP_SECONDS, RunSlots
from src.services.runs.leases import Leases
from src.services.runs.notifications import News, RunNotifications
from src.services.runs.runs import Runs
from src.services.storage.base import RunStore
from src.services.storage.errors import StorageUnavailable
from src.services.storage.records.runs import RunKey

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.5
"""Maximum delay until a run queued by another process is noticed."""

RECOVER_SECONDS = 2.0
"""Interval between searches for runs whose lease has expired."""

LONGEST_PAUSE_SECONDS = 30.0
"""Maximum pause after the sandbox failed, before the next attempt."""

LONGEST_STORAGE_PAUSE_SECONDS = 2.0
"""Maximum pause after the database failed, which is cheap to query."""


class RunDispatcher:
    """Brings queued runs into the run slots. Belongs to one event loop.

    It waits in their queue like any client, one slot at a time, so that neither queued nor posted runs can
    starve the others.

    Args:
        runs: executes them.
        slots: the slots for runs.
        max_attempts: maximum number of starts of a run whose process dies.
    """

    def __init__(
        self,
        runs: Runs,
        store: RunStore,
        *,
        slots: RunSlots,
        leases: Leases,
        notifications: RunNotifications,
        max_attempts: int,
    ) -> None:
        self._runs = runs
        self._store = store
        self._slots = slots
        self._leases = leases
        self._max_attempts = max_attempts
        self._notifications = notifications
        self._pause_seconds = 0.0
        self._wake = asyncio.Event()
        self._is_closing = False
        self._tasks: list[asyncio.Task[None]] = []
        self._executing: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="recovery")
        notifications.listen(self._notified)

    def start(self) -> None:
        """Start; call it on the event loop."""
        self._loop = asyncio.get_running_loop()
        self._tasks = [asyncio.create_task(self._dispatch_on()), asyncio.create_task(self._recover_on())]

    async def close(self) -> None:
        """Start no more runs and requeue those in progress."""
        self._is_closing = True
        for task in self._tasks:
            task.cancel()
        self._leases.stop_dispatched()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._executing:
            await asyncio.wait(self._executing, timeout=STOP_SECONDS)
        # The store is closed only after this.
        await asyncio.to_thread(self._thread.shutdown, cancel_futures=True)

    async def _dispatch_on(self) -> None:
        while True:
            self._wake.clear()
            if self._pause_seconds:
                await asyncio.sleep(self._pause_seconds)
            elif not await self._has_queued():
                with suppress(TimeoutError):
                    async with asyncio.timeout(POLL_SECONDS):
                        await self._wake.wait()
                continue
            if not await self._next_queued():
                # Another process was faster, or something failed: pause before asking again.
                await asyncio.sleep(POLL_SECONDS)

    async def _has_queued(self) -> bool:
        try:
            counts = await asyncio.get_running_loop().run_in_executor(self._thread, self._store.counts)
        except Exception as error:  # noqa: BLE001 - it must survive any storage error
            self._rest(error)
            return False
        return counts.n_queued > 0

    async def _next_queued(self) -> bool:
        """Wait for a slot and start the next queued run in it; returns whether there was one."""
        loop = asyncio.get_running_loop()
        claimed: asyncio.Future[bool] = loop.create_future()
        task = asyncio.create_task(self._run_one(claimed))
        self._executing.add(task)
        task.add_done_callback(self._executing.discard)
        try:
            return await asyncio.shield(claimed)
        except asyncio.CancelledError:
            task.cancel()
            raise

    async def _run_one(self, claimed: "asyncio.Future[bool]") -> None:
        loop = asyncio.get_running_loop()

        def tell(is_claimed: bool) -> None:
            if not claimed.done():
                claimed.set_result(is_claimed)

        def work(cancel: threading.Event) -> None:
            lease = None if self._is_closing else self._store.claim(self._leases.lease_seconds)
            if lease is not None:
                loop.call_soon_threadsafe(tell, True)
                self._runs.execute(lease, cancel)

        try:
            await self._slots.run(work, is_dispatched=True)
            self._pause_seconds = 0.0
        except Exception as error:  # noqa: BLE001 - it must survive any storage or sandbox error
            self._rest(error)
        finally:
            tell(False)

    def _rest(self, error: Exception) -> None:
        is_storage = isinstance(error, StorageUnavailable)
        longest = LONGEST_STORAGE_PAUSE_SECONDS if is_storage else LONGEST_PAUSE_SECONDS
        self._pause_seconds = min(max(2 * self._pause_seconds, POLL_SECONDS), longest)
        if isinstance(error, SandboxUnavailable | StorageUnavailable):
            logger.warning("queued runs wait for %.1f s: %s", self._pause_seconds, error)
        else:
            logger.error("queued runs wait for %.1f s", self._pause_seconds, exc_info=error)

    async def _recover_on(self) -> None:
        while True:
            try:
                await asyncio.get_running_loop().run_in_executor(self._thread, self._recover)
            except Exception as error:  # noqa: BLE001 - as above
                logger.warning("could not search for runs of dead processes: %s: %s", type(error).__name__, error)
            await asyncio.sleep(RECOVER_SECONDS)

    def _recover(self) -> None:
        # After a pause of the machine, a clock step or an outage of the database all leases have expired: renew ours
        # before taking over runs.
        self._leases.beat()
        self._runs.keep_promises()
        for key in self._store.recover(self._max_attempts):
            logger.warning("run %s was taken over: its process stopped responding", key.run_hash)
            run = self._store.get(key)
            if run is not None:
                self._notifications.notify(key, News.FINISHED if run.status.is_finished else News.QUEUED)

    def _notified(self, _key: RunKey, news: News) -> None:
        loop = self._loop
        if news is News.QUEUED and loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._wake.set)
