"""Following a run yields each event once and in order, from any point until its end."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from src.errors import RunNotFound
from src.services.runs.events import RunEvents
from src.services.runs.notifications import News, RunNotifications
from src.services.storage.records.attempts import Lease, Outcome, RunEvent
from src.services.storage.records.runs import Progress, RunKey, RunStatus
from tests.fakes.run_store import FakeRunStore
from tests.services.storage.samples import new_run

NEW = new_run()
KEY = NEW.key
HANG_SECONDS = 60.0
ENDED = Outcome(RunStatus.CANCELLED)


class Watched:
    """A store with one run, and its events."""

    def __init__(self, **options: float) -> None:
        self.store, self.notifications = FakeRunStore(), RunNotifications()
        self.store.submit(NEW)
        self.events = RunEvents(self.store, self.notifications, **{"poll_seconds": 0.02, **options})

    def claim(self) -> Lease:
        lease = self.store.claim(30.0)
        assert lease is not None
        return lease

    def work(self, lease: Lease, n_days: int = 3) -> None:
        for day in range(n_days):
            assert self.store.tell(lease, progress=Progress(day / n_days, "2015-01-02", 1.0), log_lines=[str(day)])
        assert self.store.finish(lease, ENDED)

    async def ids(self, after: int = 0) -> list[int]:
        return [event.id async for event in self.events.follow(KEY, after) if event is not None]


async def taken(events: AsyncIterator[RunEvent | None], count: int) -> list[Any]:
    return [await anext(events) for _ in range(count)]


async def test_past_and_new_events_come_once_and_in_order_and_then_the_stream_ends() -> None:
    watched = Watched()
    following = asyncio.create_task(watched.ids())
    await asyncio.sleep(0.05)
    lease = watched.claim()
    await asyncio.sleep(0.05)
    watched.work(lease)
    assert await following == list(range(1, 10))
    assert await watched.ids() == list(range(1, 10))


async def test_a_follower_that_keeps_reconnecting_misses_nothing() -> None:
    watched, seen = Watched(), list[int]()
    work = asyncio.get_running_loop().run_in_executor(None, lambda: watched.work(watched.claim(), 50))
    while True:
        events = watched.events.follow(KEY, seen[-1] if seen else 0)
        n_before = len(seen)
        async for event in events:
            if event is not None:
                seen.append(event.id)
            if len(seen) == n_before + 7:
                break
        await events.aclose()
        if len(seen) < n_before + 7:
            break
    await work
    assert seen == list(range(1, 104))


async def test_after_the_last_event_there_is_nothing() -> None:
    watched = Watched()
    watched.work(watched.claim())
    assert await watched.ids(after=9) == []
    assert await watched.ids(after=8) == [9]


async def test_an_id_of_a_deleted_and_reposted_run_starts_from_the_beginning() -> None:
    watched = Watched()
    watched.work(watched.claim())
    assert await watched.ids(after=10) == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert watched.store.delete(KEY)
    watched.store.submit(NEW)
    following = asyncio.create_task(watched.ids(after=9))
    await asyncio.sleep(0.05)
    watched.work(watched.claim(), n_days=6)
    assert await following == list(range(1, 16))


async def test_a_new_submission_is_followed_from_its_start_or_from_a_given_id() -> None:
    watched = Watched()
    watched.work(watched.claim())
    watched.store.submit(NEW)
    following = [asyncio.create_task(watched.ids(after)) for after in (0, 7, 9)]
    await asyncio.sleep(0.05)
    watched.work(watched.claim(), n_days=0)
    assert await asyncio.gather(*following) == [[10, 11, 12], [8, 9, 10, 11, 12], [10, 11, 12]]


async def test_events_of_this_process_are_seen_at_once() -> None:
    # It never polls within this test: a follower that was not notified would wait for ever.
    watched = Watched(poll_seconds=3600.0)
    events = watched.events.follow(KEY, 0)
    await taken(events, 1)
    waiting = asyncio.create_task(anext(events))
    finished = asyncio.create_task(watched.events.finished(KEY))
    await asyncio.sleep(0.1)
    lease = watched.claim()
    watched.notifications.notify(KEY, News.CHANGED)
    event = await asyncio.wait_for(waiting, HANG_SECONDS)
    assert event.id == 2
    watched.store.finish(lease, ENDED)
    await asyncio.to_thread(watched.notifications.notify, KEY, News.FINISHED)
    assert (await asyncio.wait_for(finished, HANG_SECONDS)).status is RunStatus.CANCELLED
    await events.aclose()


async def test_a_heartbeat_comes_when_nothing_happens() -> None:
    watched = Watched(heartbeat_seconds=0.05)
    events = watched.events.follow(KEY, 1)
    assert await taken(events, 3) == [None, None, None]
    await events.aclose()


async def test_a_missing_or_deleted_run_cannot_be_followed() -> None:
    watched = Watched()
    nowhere = RunKey("another owner", KEY.run_hash)
    with pytest.raises(RunNotFound):
        await anext(watched.events.follow(nowhere, 0))
    with pytest.raises(RunNotFound):
        await watched.events.finished(nowhere)


async def test_many_may_follow_one_run() -> None:
    watched = Watched()
    followers = [asyncio.create_task(watched.ids()) for _ in range(40)]
    await asyncio.sleep(0.05)
    watched.work(watched.claim(), n_days=20)
    assert await asyncio.gather(*followers) == [list(range(1, 44))] * 40
    assert not watched.events._waiting, "a follower that left is still registered"
