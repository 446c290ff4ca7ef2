"""The reading helper gives the same answers as this process, and no source takes the service down."""

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from src.execution.reading import reading_process
from src.execution.reading.reading import read
from src.execution.reading.reading_process import ReadingProcess
from tests.execution.box_runs import becomes_true

ACCEPTED = sorted((Path(__file__).parent / "accepted").glob("*.py"))
REJECTED = sorted((Path(__file__).parent / "rejected").glob("*.py"))


@pytest.fixture(scope="module")
def reader() -> Iterator[ReadingProcess]:
    reader = ReadingProcess()
    yield reader
    reader.close()


@pytest.mark.parametrize("path", [*ACCEPTED, *REJECTED], ids=lambda path: path.name)
def test_the_helper_gives_the_same_reading_as_this_process(reader: ReadingProcess, path: Path) -> None:
    source = path.read_text()
    assert reader(source) == read(source)


@pytest.mark.parametrize(
    "source", ["", "\x00", "\ud800 = 1", "# coding: utf-7\n", "[" * 1_000_000, "\u202e", "return 1"]
)
def test_odd_sources_give_violations_and_keep_the_helper(reader: ReadingProcess, source: str) -> None:
    reader.warm_up()
    helper = helper_of(reader)
    assert reader(source).violations
    assert helper_of(reader) == helper


def helper_of(reader: ReadingProcess) -> int:
    helper = reader._helper
    return helper.pid


# Like serve(), but one source keeps it forever in a call that no Python handler could interrupt.
SPINNING = """
from src.execution.reading import reading_process as it
read = it.read
it.read = lambda source: sum(iter(int, 1)) if source == "spin" else read(source)
it.serve()
"""


def test_a_source_that_takes_too_much_processor_time_costs_only_the_helper(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading_process, "_PROGRAM", SPINNING)
    reader = ReadingProcess(reading_seconds=1.5, wait_seconds=60.0)
    try:
        (violation,) = reader("spin").violations
        assert (violation.rule, violation.line) == ("too-complex", 1)
        assert "1.5 s" in violation.message
        assert reader(ACCEPTED[0].read_text()).description is not None
    finally:
        reader.close()


def test_time_in_which_the_helper_could_not_run_does_not_count() -> None:
    reader = ReadingProcess(reading_seconds=0.5)
    try:
        reader.warm_up()
        stopped = helper_of(reader)
        os.kill(stopped, signal.SIGSTOP)
        threading.Timer(1.0, os.kill, (stopped, signal.SIGCONT)).start()
        assert reader(ACCEPTED[0].read_text()).description is not None
        assert helper_of(reader) == stopped
    finally:
        reader.close()


def test_a_helper_that_never_answers_is_replaced() -> None:
    reader = ReadingProcess(wait_seconds=2.0)
    try:
        assert becomes_true(lambda: reader(ACCEPTED[0].read_text()).description is not None)
        stopped = helper_of(reader)
        os.kill(stopped, signal.SIGSTOP)
        (violation,) = reader("x = 1").violations
        assert violation.rule == "too-complex"
        # This reader waits only briefly, so a busy machine may need more than one new helper.
        assert becomes_true(lambda: reader(ACCEPTED[0].read_text()).description is not None)
        assert helper_of(reader) != stopped
    finally:
        reader.close()


def test_a_killed_helper_is_replaced() -> None:
    reader = ReadingProcess()
    try:
        reader.warm_up()
        os.kill(helper_of(reader), signal.SIGKILL)
        os.waitid(os.P_PID, helper_of(reader), os.WEXITED | os.WNOWAIT)
        assert reader(ACCEPTED[0].read_text()).description is not None
    finally:
        reader.close()


def test_a_malformed_answer_is_a_violation(monkeypatch: pytest.MonkeyPatch) -> None:
    liar = (
        "import sys; sys.stdout.buffer.write(b'R' + (4).to_bytes(4, 'little') + b'junk'); sys.stdout.flush(); input()"
    )
    monkeypatch.setattr(reading_process, "_PROGRAM", liar)
    reader = ReadingProcess()
    try:
        assert [v.rule for v in reader("x = 1").violations] == ["too-complex"]
    finally:
        reader.close()


def test_concurrent_readings_get_their_own_answers(reader: ReadingProcess) -> None:
    sources = [path.read_text() for path in ACCEPTED[:8]]
    answers: dict[int, object] = {}
    threads = [
        threading.Thread(target=lambda i=i: answers.__setitem__(i, reader(sources[i]))) for i in range(len(sources))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answers[i] for i in range(len(sources))] == [read(source) for source in sources]
