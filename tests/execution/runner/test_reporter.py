"""What is told while a run goes on: complete lines once and in order, the newest mark, at the agreed pace."""

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
from src.execution.runner.reporter import QUIET_SECONDS, Reporter, UntoldLines
from tests.execution.box_runs import LONG_SECONDS, becomes_true


@dataclass
class Printed:
    """An output that prints what a test lets it print."""

    kept: bytearray = field(default_factory=bytearray)

    def complete_lines(self, start_byte: int) -> bytes:
        ended, end_of_line, _ = bytes(self.kept[start_byte:]).rpartition(b"\n")
        return ended + end_of_line

    def final_lines(self) -> list[str]:
        return bytes(self.kept).decode("utf-8", errors="replace").splitlines()


@dataclass
class Child:
    """A strategy process as a reporter sees it."""

    output: Printed = field(default_factory=Printed)
    mark: tuple[int, float] | None = None


def lines_of(printed: Printed) -> UntoldLines:
    return UntoldLines(printed)  # type: ignore[arg-type]


PIECES = st.one_of(
    st.binary(max_size=6),
    st.sampled_from([b"\n", b"\r\n", b"\r", "ä€𝄞\n".encode(), "€".encode()[:2], "\u2028".encode(), b"\x0b\x1c"]),
)


@given(st.lists(st.tuples(PIECES, st.integers(0, 3), st.integers(10, 60))))
def test_what_is_told_is_the_beginning_of_the_final_lines(script: list[tuple[bytes, int, int]]) -> None:
    """However the output is cut into chunks (within a line, a character, a CR LF) and whatever the host declines."""
    printed, told = Printed(), []
    untold = lines_of(printed)
    for chunk, n_taken, json_bytes in script:
        printed.kept += chunk
        offered = untold.first(json_bytes)[:n_taken]
        told += offered
        untold.forget(len(offered))
    while rest := untold.first(60_000):
        told += rest
        untold.forget(len(rest))
    final = printed.final_lines()
    assert told == final[: len(told)]
    assert len(final) - len(told) <= len(printed.kept.rpartition(b"\n")[2].decode(errors="replace").splitlines())


def test_a_line_that_has_not_ended_is_not_told() -> None:
    printed = Printed(bytearray("a\nhalf a line, half a character €".encode()[:-1]))
    assert lines_of(printed).first(1_000) == ["a"]


def test_lines_that_were_declined_are_offered_again() -> None:
    untold = lines_of(Printed(bytearray(b"a\nb\n")))
    assert untold.first(1_000) == untold.first(1_000) == ["a", "b"]
    untold.forget(1)
    assert untold.first(1_000) == ["b"]


@pytest.mark.parametrize("text", ["x" * 250_000 + "\n", "𝄞" * 60_000 + "\n", "\r" * 250_000 + "\n", "\x01\n" * 100_000])
def test_no_output_makes_a_frame_over_its_limit_nor_stops_the_telling(text: str) -> None:
    printed = Printed(bytearray(text.encode()))
    untold, told = lines_of(printed), []
    while lines := untold.first(protocol.MAX_PROGRESS_BYTES - 1_000):
        payload = protocol.json_bytes({"day": 2**31, "equity": -1.2345678901234567e-300, "lines": lines})
        assert len(payload) <= protocol.MAX_PROGRESS_BYTES
        told += lines
        untold.forget(len(lines))
    assert told == [protocol.cut(line) for line in printed.final_lines()]


@dataclass
class Desk:
    """A reporter at work, and the host's end of what it sends."""

    child: Child
    reporter: Reporter
    output: int

    def receive(self) -> dict[str, Any]:
        limits = {protocol.PROGRESS: protocol.MAX_PROGRESS_BYTES}
        assert select.select([self.output], [], [], LONG_SECONDS)[0], "nothing comes"
        return protocol.parse_json(protocol.read_frame(lambda n: read_exactly(self.output, n), limits)[1])

    def received_so_far(self) -> int:
        """How many bytes lie in the pipe; the pipe is emptied."""
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


def test_the_newest_mark_and_the_lines_since_are_told(desk: Desk) -> None:
    desk.child.output.kept += b"hello\n"
    desk.child.mark = (7, 101.5)
    desk.reporter.start()
    assert desk.receive() == {"day": 7, "equity": 101.5, "lines": ["hello"]}
    desk.child.output.kept += b"again\n"
    assert desk.receive() == {"day": 7, "equity": 101.5, "lines": ["again"]}
    desk.child.mark = (8, 99.0)
    assert desk.receive() == {"day": 8, "equity": 99.0, "lines": []}


def test_frames_come_ten_a_second_at_most(desk: Desk) -> None:
    desk.child.mark = (0, 1.0)
    desk.reporter.start()
    desk.receive()
    started = time.monotonic()
    for day in range(1, 6):
        desk.child.mark = (day, 1.0)
        desk.receive()
    # Four whole pauses lie between five frames, whenever the first of them came.
    assert time.monotonic() - started >= 4 * protocol.PROGRESS_SECONDS


def test_where_nothing_changes_a_frame_a_second_says_so(desk: Desk) -> None:
    desk.child.mark = (3, 1.0)
    started = time.monotonic()
    desk.reporter.start()
    first = desk.receive()
    assert desk.receive() == first
    assert time.monotonic() - started >= QUIET_SECONDS


@pytest.mark.parametrize("mark", [None, (0, float("nan")), (0, float("inf"))])
def test_nothing_is_told_before_there_is_something_to_tell(desk: Desk, mark: tuple[int, float] | None) -> None:
    desk.child.mark = mark
    desk.child.output.kept += b"loaded\n"
    desk.reporter.start()
    time.sleep(0.3)
    assert desk.received_so_far() == 0
    desk.child.mark = (0, 1.0)
    assert desk.receive()["lines"] == ["loaded"]


def test_one_that_was_never_started_says_nothing_and_stops(desk: Desk) -> None:
    desk.child.mark = (0, 1.0)
    time.sleep(0.15)
    desk.reporter.stop()
    assert desk.received_so_far() == 0


def test_after_stop_nothing_follows(desk: Desk) -> None:
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
    # Room for one frame and no second one.
    assert becomes_true(lambda: n_unread_bytes(desk.output) > protocol.MAX_PROGRESS_BYTES // 2)
    time.sleep(2 * protocol.PROGRESS_SECONDS)
    stopping = threading.Thread(target=desk.reporter.stop, daemon=True)
    stopping.start()
    stopping.join(LONG_SECONDS)
    assert not stopping.is_alive(), "it waits for a host that never reads"


def test_a_host_that_is_gone_ends_the_telling_quietly() -> None:
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
    """How much lies in a pipe."""
    return int.from_bytes(fcntl.ioctl(descriptor, termios.FIONREAD, bytes(4)), sys.byteorder)


def reader_of(*chunks: bytes) -> tuple[OutputReader, Callable[[], None]]:
    reading, writing = os.pipe()
    reader = OutputReader(reading, keep_bytes=100, flood_bytes=1 << 20, on_flood=lambda: None)
    for chunk in chunks:
        os.write(writing, chunk)
        # The next chunk must not be read together with this one.
        assert becomes_true(lambda: n_unread_bytes(reading) == 0)

    def close() -> None:
        os.close(writing)
        reader.lines(LONG_SECONDS)
        os.close(reading)

    return reader, close


def test_chunks_that_end_within_a_character_are_put_together() -> None:
    reader, close = reader_of(b"one\ntw", "o€".encode()[:-1], "o€".encode()[-1:] + b"\nthr")
    assert becomes_true(lambda: reader.complete_lines(0) == "one\ntwo€\n".encode())
    assert reader.complete_lines(4) == "two€\n".encode()
    assert reader.complete_lines(11) == b""
    close()


def test_what_is_beyond_the_bound_is_not_told() -> None:
    reader, close = reader_of(b"a" * 60 + b"\n", b"b" * 60 + b"\n")
    close()  # it has read everything then
    assert reader.complete_lines(0) == b"a" * 60 + b"\n"
