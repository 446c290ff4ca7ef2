"""The composition root: builds the real services in order and closes them in reverse."""

import asyncio
import gc
import logging
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

from src.app.durable_runs import durable_runs
from src.app.logs import configure_logging
from src.app.services import Services
from src.config.settings import PROJECT_FOLDER, Settings
from src.execution.sandbox.base import BoxLimits, Sandbox
from src.execution.sandbox.profiled import ProfiledSandbox
from src.services.runs.queries import RunQueries

if TYPE_CHECKING:
    from src.services.data_provider.base import DataProvider

logger = logging.getLogger(__name__)

OpenServices = Callable[[Settings], AbstractAsyncContextManager[Services]]


@asynccontextmanager
async def lifespan(settings: Settings, open_services: OpenServices) -> AsyncIterator[dict[str, Services]]:
    """The values of `request.state` while the app serves."""
    configure_logging(settings.log_level, settings.log_format)
    async with open_services(settings) as services:
        yield {"services": services}


@asynccontextmanager
async def open_real_services(settings: Settings) -> AsyncIterator[Services]:
    """The services as configured. Starts even if no sandbox works: /health reports that, and runs get 503."""
    # Imported late: pandas and the calendars take seconds, which `import src.api.server` must not.
    from src.execution.reading.reading_process import ReadingProcess  # noqa: PLC0415 - see above
    from src.services.admission.reading_slots import ReadingSlots  # noqa: PLC0415 - see above
    from src.services.backtests.datasets import Datasets  # noqa: PLC0415 - see above
    from src.services.backtests.prepare import Backtests, RunLimits  # noqa: PLC0415 - see above
    from src.services.backtests.reading_cache import ReadingCache  # noqa: PLC0415 - see above
    from src.services.data_provider.queries import MarketData  # noqa: PLC0415 - see above
    from src.services.data_provider.selection import prepare  # noqa: PLC0415 - see above
    from src.services.library.presets import Presets  # noqa: PLC0415 - see above
    from src.services.results.artifacts import Artifacts  # noqa: PLC0415 - see above
    from src.services.storage.opening import open_storage  # noqa: PLC0415 - see above

    async with AsyncExitStack() as stack:
        storage = await asyncio.to_thread(open_storage, settings.database_url.get_secret_value())
        stack.push_async_callback(asyncio.to_thread, storage.close)
        provider = await asyncio.to_thread(_open_provider, settings)
        sandbox = await asyncio.to_thread(_open_sandbox, settings)
        stack.push_async_callback(asyncio.to_thread, sandbox.close)
        reading_slots = ReadingSlots([ReadingProcess() for _ in range(_n_reading_helpers(settings))])
        stack.push_async_callback(asyncio.to_thread, reading_slots.close)
        readings = ReadingCache(reading_slots)
        backtests = Backtests(
            read=readings,
            datasets=Datasets(provider),
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


def _open_provider(settings: Settings) -> "DataProvider":
    from src.services.data_provider.selection import open_provider  # noqa: PLC0415 - slow, see open_real_services

    return open_provider(
        settings.data_provider,
        data_dir=settings.data_dir,
        cache_dir=settings.data_cache_dir,
        timeout_seconds=settings.yahoo_timeout,
        attempts=settings.yahoo_attempts,
    )


def _open_sandbox(settings: Settings) -> Sandbox:
    from src.execution.sandbox.selection import select_sandbox  # noqa: PLC0415 - slow, see open_real_services
    from src.execution.sandbox.warm_pool import WarmPool  # noqa: PLC0415 - slow, see open_real_services

    sandbox = select_sandbox(
        settings.sandbox,
        image=settings.sandbox_image,
        runtime=settings.sandbox_runtime,
        python=settings.sandbox_python,
        source_folder=PROJECT_FOLDER / "src",
        limits=BoxLimits(
            memory_bytes=settings.sandbox_memory_mb * 1024 * 1024,
            cpus=settings.sandbox_cpus,
            processes=settings.sandbox_pids,
        ),
    )
    reason = sandbox.unavailable_reason()
    if reason is None:
        logger.info(
            "running strategies in the sandbox %s (memory limited by: %s)", sandbox.name, sandbox.enforcement.memory
        )
    else:
        logger.warning("no sandbox works, refusing runs: %s", reason)
    return WarmPool(sandbox, size=settings.sandbox_pool_size, preload=settings.sandbox_preload.split(","))
