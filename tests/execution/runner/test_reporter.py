"""Reports during a run: complete lines once and in order, and the newest mark, at the agreed pace."""

import fcntl
import os
import select
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.execution import protocol
from src.execution.runner.host_channel import HostChannel
from src.execution.runner.output import OutputReader
from src.execution.runner.pipes import read_exactly
from src.execution.runner.reporter import QUIET_SECONDS, Reporter, UnreportedLines
from tests.execution.box_runs import LONG_SECONDS, becomes_true


@dataclass
class Printed:
    """An output whose text the test sets."""

    kept: bytearray = field(default_factory=bytearray)

    def complete_lines(self, start_byte: int) -> bytes:
        ended, end_of_line, _ = bytes(self.kept[start_byte:]).rpartition(b"\n")
        return ended + end_of_line

    def final_lines(self) -> list[str]:
        return bytes(self.kept).decode("utf-8", errors="replace").splitlines()


@dataclass
class Child:
    """The parts of a strategy process that a reporter uses."""

    output: Printed = field(default_factory=Printed)
    mark: tuple[int, float] | None = None


def lines_of(printed: Printed) -> UnreportedLines:
    return UnreportedLines(printed)  # type: ignore[arg-type]


PIECES = st.one_of(
    st.binary(max_size=6),
    st.sampled_from([b"\n", b"\r\n", b"\r", "ä€𝄞\n".encode(), "€".encode()[:2], "\u2028".encode(), b"\x0b\x1c"]),
)


@given(st.lists(st.tuples(PIECES, st.integers(0, 3), st.integers(10, 60))))
def test_the_reported_lines_are_the_first_of_the_final_lines(script: list[tuple[bytes, int, int]]) -> None:
    """For any division into chunks (within a line, a character, a CR LF) and any frames that the host declines."""
    printed, told = Printed(), []
    lines_left = lines_of(printed)
    for chunk, n_taken, json_bytes in script:
        printed.kept += chunk
        offered = lines_left.first(json_bytes)[:n_taken]
        told += offered
        lines_left.forget(len(offered))
    while rest := lines_left.first(60_000):
        told += rest
        lines_left.forget(len(rest))
    final = printed.final_lines()
    assert told == final[: len(told)]
    assert len(final) - len(told) <= len(printed.kept.rpartition(b"\n")[2].decode(errors="replace").splitlines())


def test_an_incomplete_line_is_not_reported() -> None:
    printed = Printed(bytearray("a\nhalf a line, half a character €".encode()[:-1]))
    assert lines_of(printed).first(1_000) == ["a"]


def test_lines_that_were_declined_are_offered_again() -> None:
    lines_left = lines_of(Printed(bytearray(b"a\nb\n")))
    assert lines_left.first(1_000) == lines_left.first(1_000) == ["a", "b"]
    lines_left.forget(1)
    assert lines_left.first(1_000) == ["b"]


@pytest.mark.parametrize("text", ["x" * 250_000 + "\n", "𝄞" * 60_000 + "\n", "\r" * 250_000 + "\n", "\x01\n" * 100_000])
def test_any_output_gives_frames_within_the_limit_and_reporting_continues(text: str) -> None:
    printed = Printed(bytearray(text.encode()))
    lines_left, told = lines_of(printed), []
    while lines := lines_left.first(protocol.MAX_PROGRESS_BYTES - 1_000):
        payload = protocol.json_bytes({"day": 2**31, "equity": -1.2345678901234567e-300, "lines": lines})
        assert len(payload) <= protocol.MAX_PROGRESS_BYTES
        told += lines
        lines_left.forget(len(lines))
    assert told == [protocol.cut(line) for line in printed.final_lines()]


@dataclass
class Desk:
    """A working reporter and the host's end of its pipe."""

    child: Child
    reporter: Reporter
    output: int

    def receive(self) -> dict[str, Any]:
        limits = {protocol.PROGRESS: protocol.MAX_PROGRESS_BYTES}
        assert select.select([self.output], [], [], LONG_SECONDS)[0], "nothing comes"
        return protocol.parse_json(protocol.read_frame(lambda n: read_exactly(self.output, n), limits)[1])

    def received_so_far(self) -> int:
        """Empty the pipe. Returns the number of bytes that it held."""
        os.set_blocking(self.output, False)
        try:
            return len(os.read(self.output, 1 << 20))
        except BlockingIOError:
            return 0
        finally:
            os.set_blocking(self.output, True)


@pytest.fixture
def desk() -> Iterator[Desk]:
    output, into = os.pipe()
    child = Child()
    reporter = Reporter(HostChannel(-1, into), child)  # type: ignore[arg-type]
    yield Desk(child, reporter, output)
    reporter.stop()
    for descriptor in (output, into):
        os.close(descriptor)


def test_the_newest_mark_and_the_lines_since_are_reported(desk: Desk) -> None:
    desk.child.output.kept += b"hello\n"
    desk.child.mark = (7, 101.5)
    desk.reporter.start()
    assert desk.receive() == {"day": 7, "equity": 101.5, "lines": ["hello"]}
    desk.child.output.kept += b"again\n"
    assert desk.receive() == {"day": 7, "equity": 101.5, "lines": ["again"]}
    desk.child.mark = (8, 99.0)
    assert desk.receive() == {"day": 8, "equity": 99.0, "lines": []}


def test_at_most_ten_frames_are_sent_per_second(desk: Desk) -> None:
    desk.child.mark = (0, 1.0)
    desk.reporter.start()
    desk.receive()
    started = time.monotonic()
    for day in range(1, 6):
        desk.child.mark = (day, 1.0)
        desk.receive()
    # Five frames have four full pauses between them, regardless of when the first was sent.
    assert time.monotonic() - started >= 4 * protocol.PROGRESS_SECONDS


def test_without_changes_one_frame_is_sent_per_second(desk: Desk) -> None:
    desk.child.mark = (3, 1.0)
    started = time.monotonic()
    desk.reporter.start()
    first = desk.receive()
    assert desk.receive() == first
    assert time.monotonic() - started >= QUIET_SECONDS


@pytest.mark.parametrize("mark", [None, (0, float("nan")), (0, float("inf"))])
def test_no_frame_is_sent_before_the_first_mark(desk: Desk, mark: tuple[int, float] | None) -> None:
    desk.child.mark = mark
    desk.child.output.kept += b"loaded\n"
    desk.reporter.start()
    time.sleep(0.3)
    assert desk.received_so_far() == 0
    desk.child.mark = (0, 1.0)
    assert desk.receive()["lines"] == ["loaded"]


def test_a_reporter_that_was_never_started_sends_nothing_and_stops(desk: Desk) -> None:
    desk.child.mark = (0, 1.0)
    time.sleep(0.15)
    desk.reporter.stop()
    assert desk.received_so_far() == 0


def test_no_frame_follows_after_stop(desk: Desk) -> None:
    desk.child.mark = (0, 1.0)
    desk.reporter.start()
    desk.receive()
    desk.reporter.stop()
    desk.child.mark = (1, 1.0)
    time.sleep(0.25)
    assert desk.received_so_far() == 0


def test_a_host_that_does_not_read_delays_nothing_and_loses_no_line(desk: Desk) -> None:
    desk.child.mark = (0, 1.0)
    desk.child.output.kept += b"\x01" * 200_000 + b"\n" + b"".join(b"%d\n" % n for n in range(30_000))
    desk.reporter.start()
    # Room for only one frame.
    assert becomes_true(lambda: n_unread_bytes(desk.output) > protocol.MAX_PROGRESS_BYTES // 2)
    time.sleep(2 * protocol.PROGRESS_SECONDS)
    stopping = threading.Thread(target=desk.reporter.stop, daemon=True)
    stopping.start()
    stopping.join(LONG_SECONDS)
    assert not stopping.is_alive(), "it waits for a host that never reads"


def test_a_host_that_has_gone_ends_reporting_without_an_error() -> None:
    output, into = os.pipe()
    os.close(output)
    child = Child(mark=(0, 1.0))
    complaints: list[Any] = []
    before, threading.excepthook = threading.excepthook, complaints.append
    try:
        reporter = Reporter(HostChannel(-1, into), child)  # type: ignore[arg-type]
        reporter.start()
        time.sleep(0.2)
        reporter.stop()
    finally:
        threading.excepthook = before
        os.close(into)
    assert complaints == []


def n_unread_bytes(descriptor: int) -> int:
    """The number of bytes in a pipe."""
    return int.from_bytes(fcntl.ioctl(descriptor, termios.FIONREAD, bytes(4)), sys.byteorder)


def reader_of(*chunks: bytes) -> tuple[OutputReader, Callable[[], None]]:
    reading, writing = os.pipe()
    reader = OutputReader(reading, keep_bytes=100, flood_bytes=1 << 20, on_flood=lambda: None)
    for chunk in chunks:
        os.write(writing, chunk)
        # The next chunk must be read separately.
        assert becomes_true(lambda: n_unread_bytes(reading) == 0)

    def close() -> None:
        os.close(writing)
        reader.lines(LONG_SECONDS)
        os.close(reading)

    return reader, close


def test_chunks_that_split_a_character_are_joined() -> None:
    reader, close = reader_of(b"one\ntw", "o€".encode()[:-1], "o€".encode()[-1:] + b"\nthr")
    assert becomes_true(lambda: reader.complete_lines(0) == "one\ntwo€\n".encode())
    assert reader.complete_lines(4) == "two€\n".encode()
    assert reader.complete_lines(11) == b""
    close()


def test_output_beyond_the_bound_is_not_reported() -> None:
    reader, close = reader_of(b"a" * 60 + b"\n", b"b" * 60 + b"\n")
    close()  # by then it has read everything
    assert reader.complete_lines(0) == b"a" * 60 + b"\n"
