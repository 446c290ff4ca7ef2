"""SIGKILL at any moment loses nothing that was accepted, and the database stays readable."""

import contextlib
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from src.services.storage.base import Storage
from src.services.storage.records.runs import RunStatus
from tests.services.storage.samples import key, new_run

WRITER = """
import sys
from src.services.storage.records.runs import Progress
from src.services.storage.sql.opening import open_storage
from tests.services.storage.samples import new_run, success, link_builder
storage = open_storage(sys.argv[1])
number = int(sys.argv[2])
while True:
    number += 1
    storage.runs.submit(new_run(number, request={"strategy_code": "x" * 20_000}))
    print(f"accepted {number}", flush=True)
    if number % 2:
        lease = storage.runs.claim(0.001)
        storage.runs.tell(lease, progress=Progress(0.5, "2015-01-01", 1.0), log_lines=["y" * 5000])
        storage.runs.finish(lease, success())
        storage.chain.append(lease.key, link_builder(lease.key))
        print(f"finished {int(lease.key.run_hash, 16)}", flush=True)
"""

ROUNDS = 6


def killed_writer(url: str, first: int, seconds: float) -> list[tuple[str, int]]:
    """What a writer reported before it was killed."""
    command = [sys.executable, "-c", WRITER, url, str(first)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    said = [process.stdout.readline()]
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    said += process.communicate(timeout=30)[0].splitlines(keepends=True)
    # An incomplete last line was not reported.
    return [(line.split()[0], int(line.split()[1])) for line in said if line.endswith("\n")]


@pytest.mark.slow
def test_nothing_that_was_accepted_or_finished_is_lost_to_kill_9(
    storage_url: str, open_again: Callable[[], Storage]
) -> None:
    told: list[tuple[str, int]] = []
    for number in range(ROUNDS):
        told += killed_writer(storage_url, number * 100_000, 0.05 + number * 0.037)
    storage = open_again()
    storage.runs.recover(9)
    assert len(told) > ROUNDS
    for what, number in told:
        run = storage.runs.get(key(number))
        if what == "finished":
            assert run.status == RunStatus.SUCCEEDED
            assert storage.runs.result(key(number)) is not None
            assert storage.chain.link(key(number)) is not None
    links = list(storage.chain.links("local"))
    assert [link.number for link in links] == list(range(1, len(links) + 1))
    assert [link.previous_hash for link in links] == ["", *(link.manifest_hash for link in links)][:-1]


@pytest.mark.slow
def test_the_survivor_continues(storage_url: str, open_again: Callable[[], Storage]) -> None:
    killed_writer(storage_url, 0, 0.2)
    storage = open_again()
    assert storage.runs.submit(new_run(10**9)).is_new
    time.sleep(0.01)
    storage.runs.recover(9)
    n_claimed = 0
    while (lease := storage.runs.claim(60)) is not None:
        events = storage.runs.events(lease.key, after=0, limit=99)
        assert [event.id for event in events] == list(range(1, len(events) + 1))
        n_claimed += 1
    assert n_claimed > 0
    assert storage.runs.counts().n_queued == 0


@pytest.mark.parametrize("storage_url", ["sqlite"], indirect=True)
@pytest.mark.slow
def test_a_sqlite_file_is_sound_after_kill_9(storage_url: str) -> None:
    killed_writer(storage_url, 0, 0.15)
    with contextlib.closing(sqlite3.connect(storage_url.removeprefix("sqlite:///"))) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
