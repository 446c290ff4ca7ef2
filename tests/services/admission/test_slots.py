import asyncio
import threading
import time

import pytest

from src.services.admission import slots as run_slots
from src.services.admission.slots import QueueFull, RunSlots

HANG_SECONDS = 60.0


@pytest.fixture(autouse=True)
def _patient(monkeypatch):
    """Callers are released from a run that does not end only in the tests about that."""
    monkeypatch.setattr(run_slots, "STOP_SECONDS", HANG_SECONDS)


def blocking_until(release: threading.Event):
    """Work that runs until it is released (True) or cancelled (False)."""

    def work(cancel: threading.Event) -> bool:
        deadline = time.monotonic() + HANG_SECONDS
        while time.monotonic() < deadline:
            if release.is_set():
                return True
            if cancel.wait(0.005):
                return False
        raise AssertionError("this work was never ended")

    return work


async def test_it_returns_or_raises_what_the_work_does():
    slots = RunSlots(max_running=1, max_waiting=0)
    assert await slots.run(lambda cancel: 42) == 42
    with pytest.raises(ZeroDivisionError):
        await slots.run(lambda cancel: 1 / 0)
    assert await slots.run(lambda cancel: cancel.is_set()) is False
    await slots.close()


async def test_concurrent_runs_are_limited_and_all_are_served():
    slots = RunSlots(max_running=2, max_waiting=8)
    lock, running, most = threading.Lock(), 0, 0

    def work(cancel: threading.Event) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.02)
        with lock:
            running -= 1

    await asyncio.gather(*(slots.run(work) for _ in range(10)))
    assert most == 2
    await slots.close()


async def test_first_come_first_served():
    slots = RunSlots(max_running=1, max_waiting=5)
    served: list[int] = []
    await asyncio.gather(*(slots.run(lambda cancel, n=n: served.append(n)) for n in range(6)))
    assert served == list(range(6))
    await slots.close()


async def test_clients_take_turns_and_each_ones_runs_start_in_order():
    slots, release, order = RunSlots(max_running=1, max_waiting=9), threading.Event(), []
    running = asyncio.create_task(slots.run(blocking_until(release), client="a"))
    await asyncio.sleep(0)
    names = ["a1", "a2", "a3", "b1", "c1", "b2"]
    waiting = [
        asyncio.create_task(slots.run(lambda cancel, name=name: order.append(name), client=name[0])) for name in names
    ]
    queued = asyncio.create_task(slots.run(lambda cancel: order.append("queue"), is_dispatched=True))
    await asyncio.sleep(0)
    release.set()
    await asyncio.gather(running, queued, *waiting)
    assert order == ["b1", "c1", "queue", "a1", "b2", "a2", "a3"]


async def test_in_a_full_queue_the_client_with_the_most_runs_loses_its_newest_one_to_another():
    slots, release, order = RunSlots(max_running=1, max_waiting=3), threading.Event(), []
    running = asyncio.create_task(slots.run(blocking_until(release), client="a"))
    await asyncio.sleep(0)
    hostile = [
        asyncio.create_task(slots.run(lambda cancel, name=name: order.append(name), client="a"))
        for name in ("a1", "a2", "a3")
    ]
    await asyncio.sleep(0)
    with pytest.raises(QueueFull):
        await slots.run(lambda cancel: order.append("a4"), client="a")
    honest = asyncio.create_task(slots.run(lambda cancel: order.append("honest"), client="b"))
    await asyncio.sleep(0)
    with pytest.raises(QueueFull):
        await hostile.pop()
    assert slots.n_waiting == 3
    release.set()
    await asyncio.gather(running, honest, *hostile)
    assert order == ["honest", "a1", "a2"]


async def test_a_full_queue_refuses_at_once_and_says_when_to_retry():
    slots, release = RunSlots(max_running=1, max_waiting=1), threading.Event()
    runs = [asyncio.ensure_future(slots.run(blocking_until(release))) for _ in range(2)]
    await asyncio.sleep(0.05)
    with pytest.raises(QueueFull) as caught:
        await slots.run(lambda cancel: None)
    assert (caught.value.n_running, caught.value.n_waiting) == (1, 1)
    assert caught.value.retry_after_seconds > 0
    release.set()
    assert await asyncio.gather(*runs) == [True, True]
    assert await slots.run(lambda cancel: "a place again") == "a place again"
    await slots.close()


async def test_cancelling_a_caller_cancels_its_run_and_frees_the_slot():
    slots, never = RunSlots(max_running=1, max_waiting=0), threading.Event()
    ended: list[bool] = []
    run = asyncio.ensure_future(slots.run(lambda cancel: ended.append(blocking_until(never)(cancel))))
    await asyncio.sleep(0.05)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert ended == [False], "the caller was released before its run had ended"
    assert await slots.run(lambda cancel: "next") == "next"
    await slots.close()


async def test_a_caller_that_leaves_the_queue_is_never_run_and_frees_its_slot():
    slots, release = RunSlots(max_running=1, max_waiting=1), threading.Event()
    first = asyncio.ensure_future(slots.run(blocking_until(release)))
    ran: list[str] = []
    second = asyncio.ensure_future(slots.run(lambda cancel: ran.append("second")))
    await asyncio.sleep(0.05)
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    third = asyncio.ensure_future(slots.run(lambda cancel: ran.append("third")))
    await asyncio.sleep(0.05)
    release.set()
    await asyncio.gather(first, third)
    assert ran == ["third"]
    await slots.close()


async def test_a_run_that_does_not_stop_keeps_its_slot_but_releases_its_caller(monkeypatch):
    monkeypatch.setattr(run_slots, "STOP_SECONDS", 0.05)

    slots, release = RunSlots(max_running=1, max_waiting=0), threading.Event()
    run = asyncio.ensure_future(slots.run(lambda cancel: release.wait(HANG_SECONDS)))
    await asyncio.sleep(0.05)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    with pytest.raises(QueueFull):
        await slots.run(lambda cancel: None)
    release.set()
    async with asyncio.timeout(HANG_SECONDS):
        while not slots.has_place:
            await asyncio.sleep(0.01)
    assert await slots.run(lambda cancel: "next") == "next"
    await slots.close()


async def test_closing_stops_running_work():
    slots, never = RunSlots(max_running=2, max_waiting=0), threading.Event()
    runs = [asyncio.ensure_future(slots.run(blocking_until(never))) for _ in range(2)]
    await asyncio.sleep(0.05)
    await slots.close()
    assert await asyncio.gather(*runs) == [False, False]


def test_the_error_of_an_abandoned_run_is_not_logged_as_unretrieved(caplog):
    async def story() -> None:
        slots = RunSlots(max_running=1, max_waiting=0)

        def work(cancel: threading.Event) -> None:
            cancel.wait(HANG_SECONDS)
            raise ValueError("a box that went away")

        run = asyncio.ensure_future(slots.run(work))
        await asyncio.sleep(0.05)
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)
        await slots.close()

    asyncio.run(story())
    assert caplog.records == []
