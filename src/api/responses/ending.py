"""Cancels a run and waits briefly for its end."""

import asyncio
from contextlib import suppress

from starlette.concurrency import run_in_threadpool

from src.app.services import Services
from src.services.storage.records.runs import RunKey, RunRecord

END_SECONDS = 3.0
"""A box dies within a second; after this time the run is returned as it is."""


async def cancelled(services: Services, key: RunKey) -> RunRecord:
    """Cancel the run; a finished one is unchanged.

    Returns:
        The run once it has ended, or as it is after END_SECONDS.

    Raises:
        RunNotFound: there is none, or another request has deleted it.
    """
    await run_in_threadpool(services.runs.cancel, key)
    with suppress(TimeoutError):
        async with asyncio.timeout(END_SECONDS):
            await services.run_events.finished(key)
    return await run_in_threadpool(services.run_queries.get, key)
