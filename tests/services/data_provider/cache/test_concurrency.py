"""Concurrent requests: one download, no half-read files, no endless waits."""

import json
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from src.errors import NoPrices, PriceSourceUnavailable
from src.services.data_provider.cache.provider import CachedProvider
from src.services.data_provider.cache.symbol_locks import SymbolLocks
from src.services.data_provider.calendar import sessions
from src.services.data_provider.history import History
from src.services.data_provider.yahoo.provider import YFDataProvider
from tests.fakes.histories import FakeSource, history, with_dividend
from tests.fakes.yahoo import Clock, LoopbackSession, StandInYahoo, made_up

ROOT = Path(__file__).resolve().parents[4]
START, END = date(2020, 1, 2), date(2021, 2, 26)

FETCH_WITH_THREADS = """
import json, sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from pathlib import Path
from src.services.data_provider.cache.provider import CachedProvider
from src.services.data_provider.yahoo.provider import YFDataProvider
from tests.fakes.yahoo import Clock, LoopbackSession
base, folder, now, n_threads = sys.argv[1:]
clock = Clock(datetime.fromisoformat(now))
provider = YFDataProvider(clock, Path(folder) / "state", session=LoopbackSession(base))
provider.prepare()
cache = CachedProvider(provider, Path(folder) / "yahoo", clock)
print("ready", flush=True)
sys.stdin.readline()
def fetch(_):
    return cache.fetch(("SPY",), date(2020, 1, 2), date(2021, 2, 26)).data_hash()
with ThreadPoolExecutor(int(n_threads)) as threads:
    print(json.dumps(sorted(set(threads.map(fetch, range(int(n_threads)))))), flush=True)
"""


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime(2021, 2, 27, 12, tzinfo=UTC))


@pytest.fixture
def source(clock: Clock) -> FakeSource:
    source = FakeSource(clock)
    source.histories["SPY"] = history("SPY", sessions(date(2015, 1, 2), date(2024, 12, 31)))
    source.delay_seconds = 0.2
    return source


def at_once(n_threads: int, work):
    """The results of that many threads that start together."""
    barrier = threading.Barrier(n_threads)

    def start(_: int):
        barrier.wait()
        return work()

    with ThreadPoolExecutor(n_threads) as threads:
        return list(threads.map(start, range(n_threads)))


def test_ten_threads_on_one_cold_symbol_make_one_download(source, clock, tmp_path):
    provider = CachedProvider(source, tmp_path, clock)
    hashes = at_once(10, lambda: provider.fetch(("SPY",), START, END).data_hash())
    assert len(set(hashes)) == 1
    assert source.asked == [("SPY", None)]


def test_ten_threads_with_a_provider_each_make_one_download(source, clock, tmp_path):
    hashes = at_once(10, lambda: CachedProvider(source, tmp_path, clock).fetch(("SPY",), START, END).data_hash())
    assert len(set(hashes)) == 1
    assert source.asked == [("SPY", None)]


def test_ten_threads_learn_of_one_failure_and_of_one_unknown_symbol(source, clock, tmp_path):
    provider = CachedProvider(source, tmp_path, clock)

    def unknown() -> str:
        with pytest.raises(NoPrices) as raised:
            provider.fetch(("XYZQ",), START, END)
        return str(raised.value)

    def failing() -> str:
        with pytest.raises(PriceSourceUnavailable) as raised:
            provider.fetch(("SPY",), START, END)
        return str(raised.value)

    assert len(set(at_once(10, unknown))) == 1
    source.error = PriceSourceUnavailable("'SPY' cannot be had.")
    assert set(at_once(10, failing)) == {"'SPY' cannot be had."}
    assert source.count() == {"XYZQ": 1, "SPY": 1}


def test_symbols_are_fetched_concurrently(clock, tmp_path):
    class Meeting(FakeSource):
        """Answers only once a second request has arrived."""

        met = threading.Barrier(2, timeout=60)

        def history(self, symbol: str, *details: Any, **options: Any) -> History:
            self.met.wait()
            return super().history(symbol, *details, **options)

    source, days = Meeting(clock), sessions(date(2019, 1, 2), date(2024, 12, 31))
    symbols = tuple(f"S{number}" for number in range(8))
    source.histories = {symbol: history(symbol, days) for symbol in symbols}
    CachedProvider(source, tmp_path, clock).fetch(symbols, START, END)
    assert source.count() == dict.fromkeys(symbols, 1)


def test_a_reader_during_writes_sees_one_whole_answer_or_the_other(source, clock, tmp_path):
    source.delay_seconds = 0.0
    plain = source.histories["SPY"]
    paid = with_dividend(plain, date(2020, 6, 19), 3.0)
    allowed = set()
    for told in (plain, paid):
        source.histories["SPY"] = told
        fresh = CachedProvider(source, tmp_path / str(len(allowed)), clock)
        allowed.add(fresh.fetch(("SPY",), START, END).data_hash())
    assert len(allowed) == 2
    shared, is_over, seen, errors = tmp_path / "shared", threading.Event(), set(), []
    CachedProvider(source, shared, clock).fetch(("SPY",), START, END)

    def keep_writing() -> None:
        writer = CachedProvider(source, shared, clock, 0)
        while not is_over.is_set():
            for told in (plain, paid):
                source.histories["SPY"] = told
                (shared / "SPY.parquet").unlink(missing_ok=True)
                try:
                    writer.fetch(("SPY",), START, END)
                except Exception as error:  # noqa: BLE001 - a thread's exception would be lost
                    errors.append(error)

    with ThreadPoolExecutor(1) as threads:
        writing = threads.submit(keep_writing)
        reader = CachedProvider(source, shared, clock, 0)
        for _ in range(200):
            seen.add(reader.fetch(("SPY",), START, END).data_hash())
        is_over.set()
        writing.result()
    assert errors == []
    assert seen <= allowed


def test_a_lock_that_is_held_too_long_is_an_error_not_a_hang(tmp_path):
    patient, impatient = SymbolLocks(tmp_path, 5.0), SymbolLocks(tmp_path, 0.1)
    with (
        patient.hold("SPY"),
        pytest.raises(PriceSourceUnavailable, match="'SPY'"),
        impatient.hold("SPY"),
    ):
        raise AssertionError("two hold one symbol")
    with impatient.hold("SPY"):
        pass


def test_strangers_symbols_leave_a_bounded_number_of_files(tmp_path):
    locks = SymbolLocks(tmp_path)
    for number in range(1000):
        with locks.hold(f"S{number}"):
            pass
    assert len(list(tmp_path.iterdir())) <= 256


def open_process(yahoo: StandInYahoo, folder: Path, n_threads: int) -> "subprocess.Popen[str]":
    arguments = [yahoo.base, str(folder), yahoo.clock.now.isoformat(), str(n_threads)]
    return subprocess.Popen(
        [sys.executable, "-c", FETCH_WITH_THREADS, *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_three_processes_of_ten_threads_make_one_download(yahoo, tmp_path):
    yahoo.listings["SPY"] = made_up("SPY", date(2015, 1, 2), date(2022, 1, 1))
    yahoo.delay_seconds = 0.3
    processes = [open_process(yahoo, tmp_path, 10) for _ in range(3)]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    outputs = []
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        out, _ = process.communicate(timeout=60)
        outputs.append(json.loads(out))
    assert [len(hashes) for hashes in outputs] == [1, 1, 1]
    assert len({hashes[0] for hashes in outputs}) == 1
    assert len(yahoo.asked) == 1


@pytest.mark.slow
def test_a_process_killed_while_it_downloads_releases_its_lock(yahoo, yahoo_state, tmp_path):
    yahoo.listings["SPY"] = made_up("SPY", date(2015, 1, 2), date(2022, 1, 1))
    yahoo.delay_seconds = 30.0
    process = open_process(yahoo, tmp_path, 1)
    assert process.stdout.readline() == "ready\n"
    process.stdin.write("go\n")
    process.stdin.flush()
    while not yahoo.asked:
        assert process.poll() is None
    process.kill()
    process.communicate()
    yahoo.delay_seconds = 0.0
    source = YFDataProvider(yahoo.clock, yahoo_state, session=LoopbackSession(yahoo.base))
    table = CachedProvider(source, tmp_path / "yahoo", yahoo.clock).fetch(("SPY",), START, END)
    assert table.dates[-1].item() == END
    assert len(yahoo.asked) == 2
