"""Builds the services that make runs durable, and closes them in an order that loses nothing."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from src.config.settings import Settings
from src.services.admission.slots import RunSlots
from src.services.backtests.port import PreparesRuns
from src.services.runs.dispatcher import RunDispatcher
from src.services.runs.events import RunEvents
from src.services.runs.leases import Leases
from src.services.runs.notifications import RunNotifications
from src.services.runs.retention import RunFiles, RunRetention
from src.services.runs.runs import Runs
from src.services.storage.base import RunStore
from src.services.storage.errors import StorageUnavailable

logger = logging.getLogger(__name__)

MAX_PREPARING = 4
"""Number of queued runs that are prepared at the same time."""

MAX_WAITING_TO_PREPARE = 256


@dataclass(frozen=True)
class DurableRuns:
    """See src.app.services.Services."""

    runs: Runs
    run_events: RunEvents
    run_slots: RunSlots
    preparation_slots: RunSlots


@asynccontextmanager
async def durable_runs(
    backtests: PreparesRuns, store: RunStore, files: RunFiles, settings: Settings
) -> AsyncIterator[DurableRuns]:
    """Runs on that store; runs that an earlier process left in the queue start at once."""
    await asyncio.to_thread(_take_back, store, settings.run_max_attempts)
    notifications = RunNotifications()
    leases = Leases(store, lease_seconds=settings.run_lease_seconds)
    runs = Runs(
        backtests,
        store,
        leases=leases,
        notifications=notifications,
        run_seconds=settings.max_request_time,
        max_queued=settings.run_queue_size,
        max_result_bytes=settings.max_result_bytes,
        remove_files=files.remove,
    )
    async with AsyncExitStack() as stack:
        retention = RunRetention(
            store,
            files,
            notifications,
            keep=settings.run_retention,
            keep_bytes=settings.run_retention_bytes,
            is_busy=lambda: leases.n_held > 0,
        )
        retention.start()
        stack.push_async_callback(asyncio.to_thread, retention.close)
        leases.start()
        stack.push_async_callback(asyncio.to_thread, leases.close)
        run_events = RunEvents(store, notifications)
        stack.push_async_callback(run_events.close)
        preparation_slots = RunSlots(max_running=MAX_PREPARING, max_waiting=MAX_WAITING_TO_PREPARE)
        stack.push_async_callback(preparation_slots.close)
        run_slots = RunSlots(max_running=settings.max_concurrent_runs, max_waiting=settings.max_queued_runs)
        stack.push_async_callback(run_slots.close)
        dispatcher = RunDispatcher(
            runs,
            store,
            slots=run_slots,
            leases=leases,
            notifications=notifications,
            max_attempts=settings.run_max_attempts,
        )
        dispatcher.start()
        stack.push_async_callback(dispatcher.close)
        yield DurableRuns(runs, run_events, run_slots, preparation_slots)


def _take_back(store: RunStore, max_attempts: int) -> None:
    """Requeue the runs of processes that are certainly dead, without waiting for their leases to expire."""
    try:
        for key in store.attend(max_attempts):
            logger.warning("recovered run %s: the process that was executing it has died", key.run_hash)
    except StorageUnavailable as error:
        # A full disk, for example: stored results can still be read.
        logger.warning("runs of dead processes are requeued only when their leases expire: %s", error)
