import asyncio
import contextlib
import queue
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from src.execution.reading.reading import Reading, read
from src.services.admission.reading_slots import ReadingSlots
from src.services.backtests.reading_cache import ReadingCache

GOOD = """
from hqg_algorithms import BarSize, Cadence, ExecutionTiming, Hold, Strategy


class Still(Strategy):
    universe = ["{}"]
    cadence = Cadence(bar_size=BarSize.DAILY, execution=ExecutionTiming.CLOSE_TO_CLOSE)

    def on_data(self, data, portfolio):
        return Hold()
"""


class Counting:
    """The real reader, recording its sources; it waits while held."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.begun: queue.Queue[str] = queue.Queue()
        self.may_go = threading.Event()
        self.may_go.set()

    def __call__(self, source: str) -> Reading:
        self.asked.append(source)
        self.begun.put(source)
        assert self.may_go.wait(60)
        return read(source)

    def warm_up(self) -> None:
        """See ReadsSources."""

    def close(self) -> None:
        """See ReadsSources."""


@pytest.fixture
def reader() -> Counting:
    return Counting()


@pytest.fixture
def slots(reader: Counting) -> Iterator[ReadingSlots]:
    with contextlib.closing(ReadingSlots([reader])) as slots:
        yield slots


@pytest.fixture
def readings(slots: ReadingSlots) -> ReadingCache:
    return ReadingCache(slots)


def test_a_source_is_read_once_and_its_reading_reused(readings, reader):
    source, other = GOOD.format("SPY"), GOOD.format("BND")
    assert [readings(text) for text in (source, other, source)] == [read(source), read(other), read(source)]
    assert reader.asked == [source, other]


def test_a_reading_carries_the_seconds_it_took_and_none_when_it_comes_from_the_cache(readings):
    fresh, cached = readings(GOOD.format("SPY")), readings(GOOD.format("SPY"))
    assert fresh.seconds > 0
    assert cached.seconds == 0


def test_waiting_for_another_source_does_not_count_as_reading():
    class OneSecond(Counting):
        def __call__(self, source: str) -> Reading:
            return replace(super().__call__(source), seconds=1.0)

    reader = OneSecond()
    reader.may_go.clear()
    with contextlib.closing(ReadingSlots([reader])) as slots:

        async def read_two() -> list[Reading]:
            readings = ReadingCache(slots)
            reading = asyncio.gather(*(readings.read(GOOD.format(symbol), "a") for symbol in ("SPY", "BND")))
            while not slots.n_waiting:
                await asyncio.sleep(0.01)
            reader.may_go.set()
            return await reading

        assert [reading.seconds for reading in asyncio.run(read_two())] == [1.0, 1.0]


def test_a_cached_source_needs_no_turn(readings, reader):
    source = GOOD.format("SPY")
    assert asyncio.run(readings.read(source, "a")) == read(source)
    assert asyncio.run(readings.read(source, "b")) == readings(source) == read(source)
    assert reader.asked == [source]


def test_a_source_with_violations_is_read_again(readings, reader):
    assert readings("import os").violations == readings("import os").violations
    assert len(reader.asked) == 2


def test_the_least_recently_used_source_is_dropped(slots, reader):
    readings = ReadingCache(slots, max_readings=2)
    spy, bnd, gld = (GOOD.format(symbol) for symbol in ("SPY", "BND", "GLD"))
    for source in (spy, bnd, spy, gld, spy, bnd):
        readings(source)
    assert reader.asked == [spy, bnd, gld, bnd]


def test_a_lone_surrogate_in_a_source_causes_no_error(readings):
    assert readings("x = '\ud800'") == read("x = '\ud800'")


def test_requests_of_one_client_for_one_source_take_one_turn(readings, reader):
    source = GOOD.format("SPY")

    async def ask() -> list[Reading]:
        reader.may_go.clear()
        requests = [asyncio.create_task(readings.read(source, "a")) for _ in range(50)]
        await asyncio.to_thread(reader.begun.get)
        reader.may_go.set()
        return await asyncio.gather(*requests)

    assert asyncio.run(ask()) == [read(source)] * 50
    assert reader.asked == [source]


def test_a_cancelled_request_leaves_the_reading_to_the_others(readings, reader):
    source = GOOD.format("SPY")

    async def ask() -> Reading:
        reader.may_go.clear()
        first, second = [asyncio.create_task(readings.read(source, "a")) for _ in range(2)]
        await asyncio.to_thread(reader.begun.get)
        first.cancel()
        await asyncio.wait([first])
        reader.may_go.set()
        return await second

    assert asyncio.run(ask()) == read(source)


def test_a_source_queued_behind_an_attackers_does_not_delay_another_client_with_the_same_source(readings, reader):
    shared = GOOD.format("SPY")

    async def ask() -> list[str]:
        reader.may_go.clear()
        hostile = [f"x = {number}" for number in range(10)]
        tasks = [asyncio.create_task(readings.read(source, "attacker")) for source in (*hostile, shared)]
        await asyncio.to_thread(reader.begun.get)
        tasks.append(asyncio.create_task(readings.read(shared, "honest")))
        await asyncio.sleep(0)
        reader.may_go.set()
        await asyncio.gather(*tasks)
        return reader.asked

    assert asyncio.run(ask())[:2] == ["x = 0", shared]
