"""Several threads and several processes on one real database: nothing twice, nothing lost."""

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import text

from src.services.storage.base import Storage
from src.services.storage.records.attempts import Lease
from src.services.storage.records.chain import Link
from src.services.storage.records.runs import Progress, RunStatus
from src.services.storage.sql.opening import open_engine
from tests.services.storage.samples import finished, key, link_builder, new_run, success

N_RUNS = 100
HANG_SECONDS = 60.0

WORKER = """
import json, sys, threading, time
from src.services.storage.sql.opening import open_storage
from tests.services.storage.samples import success
storage = open_storage(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
mine, lock = [], threading.Lock()
def work():
    while (lease := storage.runs.claim(60)) is not None:
        assert storage.runs.tell(lease, log_lines=["a"])
        assert storage.runs.finish(lease, success())
        with lock:
            mine.append(lease.key.run_hash)
threads = [threading.Thread(target=work) for _ in range(3)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
storage.close()
print(json.dumps(mine))
"""


class Process:
    """A second program that waits for a start signal."""

    def __init__(self, source: str, url: str) -> None:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen([sys.executable, "-c", source, url], **pipes)
        assert self.process.stdout.readline() == "ready\n"

    def answer(self) -> str:
        said, _ = self.process.communicate("go\n", timeout=120)
        assert self.process.returncode == 0
        return said


@pytest.mark.slow
def test_two_processes_of_several_threads_finish_every_run_once(
    storage_url: str, open_again: Callable[[], Storage]
) -> None:
    storage = open_again()
    for number in range(N_RUNS):
        storage.runs.submit(new_run(number))
    processes = [Process(WORKER, storage_url) for _ in range(2)]
    with ThreadPoolExecutor(2) as threads:
        done = [json.loads(said) for said in threads.map(Process.answer, processes)]
    assert Counter(done[0] + done[1]) == Counter(key(number).run_hash for number in range(N_RUNS))
    for number in range(N_RUNS):
        run = storage.runs.get(key(number))
        assert (run.status, run.attempt) == (RunStatus.SUCCEEDED, 1)
        assert [event.id for event in storage.runs.events(key(number), after=0, limit=99)] == [1, 2, 3, 4]


def test_runs_submitted_while_others_claim_are_all_found(open_again: Callable[[], Storage]) -> None:
    one, other = open_again(), open_again()
    is_over = threading.Event()

    def submit(storage: Storage, first: int) -> None:
        for number in range(first, first + 30):
            storage.runs.submit(new_run(number), max_queued=1000)

    def work(storage: Storage) -> list[Lease]:
        mine = []
        while True:
            was_over = is_over.is_set()
            lease = storage.runs.claim(60)
            if lease is not None:
                storage.runs.finish(lease, success())
                mine.append(lease)
            elif was_over:
                return mine

    with ThreadPoolExecutor(6) as threads:
        workers = [threads.submit(work, storage) for storage in (one, other, one, other)]
        submitters = [threads.submit(submit, one, 0), threads.submit(submit, other, 30)]
        for submitter in submitters:
            submitter.result()
        is_over.set()
        done = [lease.key for worker in workers for lease in worker.result()]
    assert Counter(done) == Counter(key(number) for number in range(60))


def test_two_processes_appending_to_one_chain_make_one_chain(open_again: Callable[[], Storage]) -> None:
    one, other = open_again(), open_again()
    for number in range(30):
        finished(one.runs, number)

    def append(number: int) -> None:
        storage = (one, other)[number % 2]
        # Both seal the same runs at times, as after a restart.
        for each in (number, (number + 1) % 30):
            storage.chain.append(key(each), link_builder(key(each)))

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(append, range(30)))
    links = list(one.chain.links("local"))
    assert [link.number for link in links] == list(range(1, 31))
    assert [link.previous_hash for link in links] == ["", *(link.manifest_hash for link in links)][:-1]
    assert len({link.run_hash for link in links}) == 30


@pytest.mark.parametrize("storage_url", ["postgresql"], indirect=True)
def test_the_chain_of_one_owner_does_not_wait_for_another(open_again: Callable[[], Storage]) -> None:
    storage = open_again()
    ann, bob = finished(storage.runs, 1, "ann"), finished(storage.runs, 1, "bob")
    is_building, may_end = threading.Event(), threading.Event()

    def slow(number: int, previous_hash: str) -> Link:
        is_building.set()
        assert may_end.wait(HANG_SECONDS)
        return link_builder(ann)(number, previous_hash)

    with ThreadPoolExecutor(1) as threads:
        append = threads.submit(storage.chain.append, ann, slow)
        assert is_building.wait(HANG_SECONDS)
        storage.chain.append(bob, link_builder(bob))
        # Nor does any change to that run, except its deletion.
        lease = storage.runs.submit(new_run(1, "ann"), rerun=True, lease_seconds=60).lease
        assert storage.runs.tell(lease, log_lines=["on"])
        assert storage.runs.finish(lease, success())
        assert not append.done()
        may_end.set()
        assert append.result().number == 1


def test_a_lease_paused_in_a_transaction_is_either_kept_or_taken_over(open_again: Callable[[], Storage]) -> None:
    one, other = open_again(), open_again()
    lease = one.runs.submit(new_run(), lease_seconds=0.05).lease
    assert lease is not None
    time.sleep(0.1)

    def take_over() -> Lease | None:
        other.runs.recover(9)
        return other.runs.claim(60)

    with ThreadPoolExecutor(2) as threads:
        ending = threads.submit(one.runs.finish, lease, success())
        taken = threads.submit(take_over).result()
    # Either it ended in time or it was taken over: never both.
    assert ending.result() != (taken is not None)


def test_readers_are_never_blocked_by_a_busy_writer(open_again: Callable[[], Storage]) -> None:
    one, other = open_again(), open_again()
    lease = one.runs.submit(new_run(), lease_seconds=60).lease
    is_over = threading.Event()

    def write() -> int:
        n_told = 0
        while not is_over.is_set():
            assert one.runs.tell(lease, progress=Progress(0.5, "2015-01-01", 1.0))
            n_told += 1
        return n_told

    with ThreadPoolExecutor(1) as threads:
        writer = threads.submit(write)
        for _ in range(100):
            assert other.runs.get(key()) is not None
        is_over.set()
        assert writer.result() > 0


def test_a_reader_does_not_wait_for_a_writer_in_the_middle_of_its_transaction(
    storage_url: str, open_again: Callable[[], Storage]
) -> None:
    storage = open_again()
    before = storage.runs.submit(new_run()).run
    engine = open_engine(storage_url)
    with ThreadPoolExecutor(1) as threads:
        with engine.begin() as writer:
            writer.execute(text("UPDATE runs SET name = 'another'"))
            assert threads.submit(storage.runs.get, before.key).result(HANG_SECONDS) == before
        assert storage.runs.get(before.key) == replace(before, name="another")
    engine.dispose()
