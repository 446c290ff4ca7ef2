"""Opens the source of prices and the sandbox as the settings say, for the service and the command line.

Import it late: pandas and the calendars take seconds.
"""

import logging

from src.config.settings import PROJECT_FOLDER, Settings
from src.execution.sandbox.base import BoxLimits
from src.execution.sandbox.selection import select_sandbox
from src.execution.sandbox.warm_pool import WarmPool
from src.services.data_provider import selection
from src.services.data_provider.base import DataProvider
from src.services.data_provider.cache.provider import CachedProvider

logger = logging.getLogger(__name__)


def open_provider(settings: Settings) -> DataProvider:
    """The source of prices of DATA_PROVIDER."""
    return selection.open_provider(
        settings.data_provider,
        data_dir=settings.data_dir,
        cache_dir=settings.data_cache_dir,
        timeout_seconds=settings.yahoo_timeout,
        attempts=settings.yahoo_attempts,
    )


def open_cache(settings: Settings) -> CachedProvider:
    """The cache of Yahoo's prices, also where DATA_PROVIDER is another source."""
    return selection.cached_yahoo(
        settings.data_cache_dir, timeout_seconds=settings.yahoo_timeout, attempts=settings.yahoo_attempts
    )


def open_sandbox(settings: Settings) -> WarmPool:
    """The sandbox of SANDBOX, with its pool of warm boxes; it opens even if no sandbox works here."""
    sandbox = select_sandbox(
        settings.sandbox,
        image=settings.sandbox_image,
        runtime=settings.sandbox_runtime,
        python=settings.sandbox_python,
        source_folder=PROJECT_FOLDER,
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
