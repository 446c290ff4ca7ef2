"""The composition root: builds the real services in order and closes them in reverse.

Import it late: pandas and the calendars take seconds.
"""

import asyncio
import gc
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from src.app.durable_runs import durable_runs
from src.app.ports import open_provider, open_sandbox
from src.app.services import Services
from src.config.settings import Settings
from src.execution.reading.reading_process import ReadingProcess
from src.execution.sandbox.profiled import ProfiledSandbox
from src.services.admission.reading_slots import ReadingSlots
from src.services.backtests.datasets import Datasets
from src.services.backtests.prepare import Backtests, RunLimits
from src.services.backtests.reading_cache import ReadingCache
from src.services.data_provider.queries import MarketData
from src.services.data_provider.selection import prepare
from src.services.library.presets import Presets
from src.services.results.artifacts import Artifacts
from src.services.runs.queries import RunQueries
from src.services.storage.blobs.folder import FolderBlobs
from src.services.storage.sql.opening import open_storage


@asynccontextmanager
async def open_services(settings: Settings) -> AsyncIterator[Services]:
    """The services as configured. Starts even if no sandbox works: /health reports that, and runs get 503."""
    async with AsyncExitStack() as stack:
        storage = await asyncio.to_thread(open_storage, settings.database_url.get_secret_value())
        stack.push_async_callback(asyncio.to_thread, storage.close)
        provider = await asyncio.to_thread(open_provider, settings)
        sandbox = await asyncio.to_thread(open_sandbox, settings)
        stack.push_async_callback(asyncio.to_thread, sandbox.close)
        reading_slots = ReadingSlots([ReadingProcess() for _ in range(_n_reading_helpers(settings))])
        stack.push_async_callback(asyncio.to_thread, reading_slots.close)
        readings = ReadingCache(reading_slots)
        blobs = FolderBlobs(settings.blob_dir, settings.blob_max_bytes, storage.runs.datasets_in_use)
        backtests = Backtests(
            read=readings,
            datasets=Datasets(provider, blobs, settings.dataset_cache_bytes),
            sandbox=ProfiledSandbox(sandbox) if settings.hqg_profile else sandbox,
            limits=RunLimits(wall_seconds=settings.max_execution_time, max_orders=settings.max_orders_per_run),
        )
        # Calendar and price source take seconds to prepare: in the background, not in the first request.
        preparations = [
            asyncio.create_task(asyncio.to_thread(prepare, provider)),
            asyncio.create_task(asyncio.to_thread(reading_slots.warm_up)),
            asyncio.create_task(asyncio.to_thread(sandbox.remove_orphans)),
        ]
        settling = asyncio.create_task(_settle(preparations))
        stack.push_async_callback(asyncio.wait, [settling])
        artifacts = Artifacts(settings.artifact_dir, storage)
        durable = await stack.enter_async_context(durable_runs(backtests, storage.runs, artifacts, settings))
        yield Services(
            runs=durable.runs,
            run_queries=RunQueries(storage.runs),
            run_events=durable.run_events,
            artifacts=artifacts,
            presets=Presets(storage.presets),
            run_slots=durable.run_slots,
            preparation_slots=durable.preparation_slots,
            sandbox=sandbox,
            data_source=provider.name,
            market_data=MarketData(provider),
            readings=readings,
        )


def _n_reading_helpers(settings: Settings) -> int:
    # At least two: one client's sources may occupy all helpers but one.
    return settings.reading_helpers or max(2, os.cpu_count() or 1)


async def _settle(preparations: Sequence["asyncio.Task[Any]"]) -> None:
    """Wait until everything is imported, then exempt it from garbage collection."""
    await asyncio.wait(preparations)
    gc.collect()
    # Building an answer of a hundred thousand small objects triggers collections, which would scan all libraries too.
    gc.freeze()
