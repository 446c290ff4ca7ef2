"""The reading helper: the same answers as in this process, and no source that takes the service down."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from src.execution import reading_process
from src.execution.reading import read
from src.execution.reading_process import ReadingProcess

ACCEPTED = sorted((Path(__file__).parent / "accepted").glob("*.py"))
REJECTED = sorted((Path(__file__).parent / "rejected").glob("*.py"))


@pytest.fixture(scope="module")
def reader() -> Iterator[ReadingProcess]:
    reader = ReadingProcess()
    yield reader
    reader.close()


@pytest.mark.parametrize("path", [*ACCEPTED, *REJECTED], ids=lambda path: path.name)
def test_it_answers_as_this_process_would(reader: ReadingProcess, path: Path) -> None:
    source = path.read_text()
    assert reader(source) == read(source)


@pytest.mark.parametrize(
    "source", ["", "\x00", "\ud800 = 1", "# coding: utf-7\n", "[" * 1_000_000, "\u202e", "return 1"]
)
def test_odd_sources_end_in_violations_within_a_second(reader: ReadingProcess, source: str) -> None:
    started = time.monotonic()
    assert reader(source).violations
    assert time.monotonic() - started < 1.0


def helper_of(reader: ReadingProcess) -> int:
    helper = reader._helper
    assert helper is not None
    return helper.pid


def test_a_source_that_takes_too_long_costs_the_helper_only() -> None:
    reader = ReadingProcess(reading_seconds=1.0)
    try:
        reader.warm_up()
        stopped = helper_of(reader)
        os.kill(stopped, signal.SIGSTOP)
        (violation,) = reader("x = 1").violations
        assert (violation.rule, violation.line) == ("too-complex", 1)
        assert "1 s" in violation.message
        assert reader(ACCEPTED[0].read_text()).description is not None
        assert helper_of(reader) != stopped
    finally:
        reader.close()


def test_a_helper_that_was_killed_is_replaced() -> None:
    reader = ReadingProcess()
    try:
        reader.warm_up()
        os.kill(helper_of(reader), signal.SIGKILL)
        time.sleep(0.1)
        assert reader(ACCEPTED[0].read_text()).description is not None
    finally:
        reader.close()


def test_an_answer_that_is_none_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    liar = (
        "import sys; sys.stdout.buffer.write(b'R' + (4).to_bytes(4, 'little') + b'junk'); sys.stdout.flush(); input()"
    )
    monkeypatch.setattr(reading_process, "_PROGRAM", liar)
    reader = ReadingProcess()
    try:
        assert [v.rule for v in reader("x = 1").violations] == ["too-complex"]
    finally:
        reader.close()


def test_several_at_once_get_their_own_answers(reader: ReadingProcess) -> None:
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
