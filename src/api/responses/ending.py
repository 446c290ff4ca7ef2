"""Waits briefly for a cancelled run to end."""

import asyncio
from contextlib import suppress

from starlette.concurrency import run_in_threadpool

from src.app.services import Services
from src.services.storage.records import RunKey, RunRecord

END_SECONDS = 3.0
"""A box dies within a second; after this time the run is returned as it is."""


async def ended_soon(services: Services, key: RunKey) -> RunRecord:
    """The run once it has ended, or as it is after END_SECONDS.

    Raises:
        RunNotFound: another request has deleted it.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(END_SECONDS):
            await services.run_events.finished(key)
    return await run_in_threadpool(services.run_queries.get, key)
