"""A process that starts alone takes over runs of dead processes at once, and none of a live one."""

import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from src.services.storage.base import Storage
from src.services.storage.records.runs import RunStatus
from src.services.storage.sql.opening import open_storage
from src.services.storage.sql.presence import Presence
from tests.databases import database
from tests.services.storage.samples import key, started, success

OpenAgain = Callable[[], Storage]

WORK_AND_HANG = """
import sys, time
from src.services.storage.sql.opening import open_storage
from tests.services.storage.samples import started
storage = open_storage(sys.argv[1])
storage.runs.attend(3)
started(storage.runs, lease_seconds=3600)
print("works", flush=True)
time.sleep(600)
"""


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/runs.db"


@pytest.mark.slow
def test_a_killed_processs_runs_are_requeued_at_once_but_not_before_it_is_dead(sqlite_url: str) -> None:
    storage = open_storage(sqlite_url)
    command = [sys.executable, "-c", WORK_AND_HANG, sqlite_url]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as worker:
        assert worker.stdout.readline() == b"works\n"
        early = open_storage(sqlite_url)
        assert early.runs.attend(3) == []
        early.close()
        worker.send_signal(signal.SIGKILL)
    assert storage.runs.attend(3) == [key()]
    run = storage.runs.get(key())
    assert (run.status, run.attempt) == (RunStatus.QUEUED, 1)
    storage.close()


def test_a_run_that_killed_its_process_too_often_fails_here_too(sqlite_url: str) -> None:
    with_one_attempt = open_storage(sqlite_url)
    started(with_one_attempt.runs, lease_seconds=3600)
    assert with_one_attempt.runs.attend(1) == [key()]
    run = with_one_attempt.runs.get(key())
    assert run.status is RunStatus.FAILED
    with_one_attempt.close()


def test_no_run_is_taken_over_while_another_process_lives(storage_url: str, open_again: OpenAgain) -> None:
    living = open_again()
    assert living.runs.attend(3) == []
    lease = started(living.runs)
    for _ in range(2):
        other = open_again()
        assert other.runs.attend(3) == []
        other.close()
    assert living.runs.finish(lease, success())


def test_postgresql_cannot_detect_live_processes_and_waits_for_the_lease(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    storage = open_storage(database("postgresql", request, tmp_path))
    started(storage.runs)
    assert storage.runs.attend(3) == []
    storage.close()


def test_a_process_that_enters_during_anothers_check_waits_for_it(tmp_path: Path) -> None:
    first, second = Presence(tmp_path / "present"), Presence(tmp_path / "present")
    is_alone: list[bool] = []

    def enter() -> None:
        with second.entering() as alone:
            is_alone.append(alone)

    with first.entering() as alone:
        assert alone
        entering = threading.Thread(target=enter)
        entering.start()
        entering.join(0.1)
        assert is_alone == []
    entering.join(60)
    # Between its two locks the first one has nothing yet that could be taken.
    assert len(is_alone) == 1
    second.leave()
    with Presence(tmp_path / "present").entering() as alone:
        assert not alone, "the first is still there"
    first.leave()


def test_a_file_that_cannot_be_locked_reports_not_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with Presence(tmp_path / "no folder" / "present").entering() as alone:
        assert not alone
    assert "cannot be locked" in caplog.text
