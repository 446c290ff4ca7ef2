"""Follows runs: events of this process arrive at once, those of other processes after a short delay."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

from src.errors import RunNotFound
from src.services.runs.notifications import News, RunNotifications
from src.services.storage.base import RunStore
from src.services.storage.records.attempts import EventKind, RunEvent
from src.services.storage.records.runs import RunKey, RunRecord

Value = TypeVar("Value")

POLL_SECONDS = 0.5
"""Maximum delay of an event of another process."""

HEARTBEAT_SECONDS = 15.0
PAGE = 500
THREADS = 4


class RunEvents:
    """The events of runs as they happen. Belongs to one event loop.

    Args:
        store: stores the events.
        notifications: notified when a run changes in this process.
    """

    def __init__(
        self,
        store: RunStore,
        notifications: RunNotifications,
        *,
        poll_seconds: float = POLL_SECONDS,
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
    ) -> None:
        self._store = store
        self._poll_seconds = poll_seconds
        self._heartbeat_seconds = heartbeat_seconds
        self._waiting: dict[RunKey, set[asyncio.Event]] = defaultdict(set)
        self._loop: asyncio.AbstractEventLoop | None = None
        # Separate threads: the shared ones may all be busy with slow work.
        self._threads = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="events")
        notifications.listen(self._notified)

    async def follow(self, key: RunKey, after: int) -> AsyncIterator[RunEvent | None]:
        """The run's events with an id above `after`, in order; None if nothing happened for a while.

        0 starts with the current submission, without earlier ones. So does an id the run has not reached, which
        belongs to a deleted run that was posted again. Ends after the event that finishes the current submission,
        at once if its id is `after` or below.

        Raises:
            RunNotFound
            StorageUnavailable: call again with the last id received.
        """
        quiet_since = time.monotonic()
        with self._woken(key) as wake:
            while True:
                wake.clear()
                run = await self._get(key)
                if not 0 < after <= run.last_event:
                    after = run.first_event - 1
                events = await self._read(partial(self._store.events, key, after=after, limit=PAGE))
                for event in events:
                    yield event
                    after = event.id
                    if event.kind is EventKind.FINISHED and event.id >= run.first_event:
                        return
                if not events and run.status.is_finished:
                    return
                if events:
                    quiet_since = time.monotonic()
                else:
                    await self._pause(wake)
                if time.monotonic() - quiet_since >= self._heartbeat_seconds:
                    quiet_since = time.monotonic()
                    yield None

    async def finished(self, key: RunKey) -> RunRecord:
        """The run, once it is finished.

        Raises:
            RunNotFound: there is none, or it was deleted in the meantime.
            StorageUnavailable
        """
        with self._woken(key) as wake:
            while True:
                wake.clear()
                run = await self._get(key)
                if run.status.is_finished:
                    return run
                await self._pause(wake)

    async def close(self) -> None:
        """Stop the threads once they no longer use the store."""
        await asyncio.to_thread(self._threads.shutdown, cancel_futures=True)

    async def _get(self, key: RunKey) -> RunRecord:
        run = await self._read(partial(self._store.get, key))
        if run is None:
            raise RunNotFound("There is no such run.")
        return run

    async def _read(self, question: Callable[[], Value]) -> Value:
        self._loop = asyncio.get_running_loop()
        return await self._loop.run_in_executor(self._threads, question)

    async def _pause(self, wake: asyncio.Event) -> None:
        try:
            async with asyncio.timeout(self._poll_seconds):
                await wake.wait()
        except TimeoutError:
            return

    @contextmanager
    def _woken(self, key: RunKey) -> Iterator[asyncio.Event]:
        wake = asyncio.Event()
        self._waiting[key].add(wake)
        try:
            yield wake
        finally:
            self._waiting[key].discard(wake)
            if not self._waiting[key]:
                del self._waiting[key]

    def _notified(self, key: RunKey, _news: News) -> None:
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._wake, key)

    def _wake(self, key: RunKey) -> None:
        for wake in self._waiting.get(key, ()):
            wake.set()
