"""A box's progress is as hostile as the rest of its output."""

import json
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.errors import RunCancelled, StrategyFailed
from src.execution import protocol
from src.execution.session.progress import MAX_LOG_LINES, PACE_SECONDS, ProgressFrames
from src.execution.session.reply import Reply
from src.execution.session.session import Session
from tests.execution.box_runs import price_table, rules
from tests.execution.session.test_session import JOB, N_DAYS, box, deadline, failure, good_reply, run
from tests.fakes.clock import Clock
from tests.fakes.sandbox import ScriptedSandbox


class Witness:
    """Records its calls; each may take some seconds of the clock."""

    def __init__(self, clock: Clock | None = None, seconds: float = 0.0) -> None:
        self.calls: list[tuple[int, float, list[str]]] = []
        self._clock = clock
        self._seconds = seconds

    def __call__(self, day: int, equity: float, lines: Sequence[str]) -> None:
        self.calls.append((day, equity, list(lines)))
        if self._clock is not None:
            self._clock.now += self._seconds

    @property
    def lines(self) -> list[str]:
        return [line for _, _, lines in self.calls for line in lines]


def payload(**changes: Any) -> bytes:
    return json.dumps({"day": 0, "equity": 10_000.0, "lines": [], **changes}).encode()


def frame(**changes: Any) -> bytes:
    return protocol.frame(protocol.PROGRESS, payload(**changes))


def sending(*frames: bytes, then: Callable[[str], bytes] = good_reply) -> Callable[[bytes], bytes]:
    """The script of a box that sends these frames before its reply."""
    return box(reply=lambda nonce: b"".join(frames) + then(nonce))


def test_an_observer_receives_day_equity_and_lines() -> None:
    witness = Witness()
    reply = run(sending(frame(day=3, equity=9_900.5, lines=["a", "b"])), observe=witness)
    assert witness.calls == [(3, 9_900.5, ["a", "b"])]
    assert reply.decisions == N_DAYS


def test_the_reply_is_the_same_with_and_without_an_observer() -> None:
    def fields(reply: Reply) -> list[Any]:
        parts = [*(vars(reply) | {"levels": None}).values(), *reply.levels.values()]
        return [v.tobytes() if hasattr(v, "tobytes") else v for v in parts]

    assert fields(run(sending(frame(), frame(day=2)), observe=Witness())) == fields(run(box()))


def test_a_box_is_asked_for_progress_only_if_there_is_an_observer() -> None:
    assert "unexpected frame" in failure(sending(frame()))


@pytest.mark.parametrize(
    "changes",
    [
        {"day": -1},
        {"day": N_DAYS},
        {"day": True},
        {"day": 1.0},
        {"day": None},
        {"day": "1"},
        {"equity": None},
        {"equity": "1"},
        {"equity": True},
        {"equity": float("nan")},
        {"equity": float("inf")},
        {"equity": 10**400},
        {"lines": None},
        {"lines": "text"},
        {"lines": [1]},
        {"lines": [["a"]]},
        {"lines": {"a": 1}},
        {"lines": ["x" * protocol.MAX_PROGRESS_BYTES]},
    ],
)
def test_impossible_progress_is_rejected(changes: dict[str, Any]) -> None:
    witness = Witness()
    assert "reply was rejected" in failure(sending(frame(**changes)), observe=witness)
    assert witness.calls == []


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b"\xff", b'{"day":0,"day":1,"equity":1.0,"lines":[]}'])
def test_malformed_progress_is_rejected(text: bytes) -> None:
    assert "reply was rejected" in failure(sending(protocol.frame(protocol.PROGRESS, text)), observe=Witness())


def test_a_length_over_the_limit_is_rejected_before_the_payload_is_read() -> None:
    header = protocol.HEADER.pack(protocol.PROGRESS, protocol.MAX_PROGRESS_BYTES + 1)
    assert "over its limit" in failure(sending(header), observe=Witness())


def test_days_do_not_go_backwards() -> None:
    assert "goes back" in failure(sending(frame(day=3), frame(day=2)), observe=Witness())


def test_progress_after_the_ledger_is_rejected() -> None:
    def reply(nonce: str) -> bytes:
        good = good_reply(nonce)
        end = protocol.HEADER.size + protocol.ledger_bytes(1, N_DAYS)
        return good[:end] + frame() + good[end:]

    assert "unexpected frame" in failure(box(reply=reply), observe=Witness())


def test_a_flood_of_frames_ends_the_run_at_once() -> None:
    witness = Witness()
    started = time.monotonic()
    sandbox = ScriptedSandbox(sending(frame() * 100_000))
    with pytest.raises(StrategyFailed, match="too many progress frames"), Session(sandbox, JOB, deadline()) as session:
        session.describe()
        session.run(price_table(N_DAYS), rules(), witness)
    # Most of the flood was never read.
    assert sandbox.boxes[0].n_unread_bytes > 90_000 * len(frame())
    assert len(witness.calls) <= (time.monotonic() - started) / PACE_SECONDS + 1


def test_ten_frames_per_second_are_accepted_for_any_length_of_time() -> None:
    clock, witness = Clock(), Witness()
    progress = ProgressFrames(witness, 36_000, clock)
    for n in range(36_000):
        clock.now += 0.1
        progress.take(payload(day=n))
    assert len(witness.calls) == 36_000


def test_thirty_frames_per_second_end_the_run() -> None:
    clock = Clock()
    progress = ProgressFrames(Witness(), N_DAYS, clock)
    with pytest.raises(protocol.ProtocolError, match="too many progress frames"):
        for _ in range(400):
            clock.now += 1 / 30
            progress.take(payload())


def test_lines_that_arrive_during_a_pause_come_with_the_next_call_and_none_is_lost() -> None:
    clock, witness = Clock(), Witness()
    progress = ProgressFrames(witness, N_DAYS, clock)
    for day, line in enumerate("abc"):
        progress.take(payload(day=day, lines=[line]))
    assert witness.calls == [(0, 10_000.0, ["a"])]
    clock.now += 0.1
    progress.take(payload(day=4, equity=1.0, lines=["d"]))
    assert witness.calls[1:] == [(4, 1.0, ["b", "c", "d"])]


def test_a_slow_observer_is_called_less_often_and_does_not_fall_behind() -> None:
    clock = Clock()
    witness = Witness(clock, seconds=2.0)
    progress = ProgressFrames(witness, N_DAYS, clock)
    progress.take(payload())
    for n in range(20):  # frames sent during the two seconds, waiting in the pipe
        progress.take(payload(lines=[str(n)]))
    assert len(witness.calls) == 1
    clock.now += 0.1
    progress.take(payload(day=1))
    assert witness.calls[1:] == [(1, 10_000.0, [str(n) for n in range(20)])]


def test_lines_are_made_printable_and_cut_as_in_the_logs() -> None:
    lines = ["\x1b[31mred\x00\u202e", "x" * 5_000]

    def reply(nonce: str) -> bytes:
        end = {"nonce": nonce, "logs": lines, "unfilled": [], "error": {"kind": "crashed"}}
        return frame(lines=[protocol.cut(line) for line in lines]) + protocol.json_frame(protocol.FINISHED, end)

    witness = Witness()
    with pytest.raises(StrategyFailed) as caught:
        run(box(reply=reply), observe=witness)
    assert witness.lines == caught.value.logs == ["\\x1b[31mred\\x00\\u202e", "x" * 2_000 + "…"]


def test_an_observer_receives_no_more_lines_than_the_logs_may_hold() -> None:
    clock, witness = Clock(), Witness()
    progress = ProgressFrames(witness, N_DAYS, clock)
    for n in range(12):
        clock.now += 0.1
        progress.take(payload(lines=[str(n)] * 1_000))
    assert len(witness.lines) == MAX_LOG_LINES
    assert witness.lines[-1] == "9"


@pytest.mark.parametrize("lines", [["x" * 60_000], [""] * 16_000], ids=["text", "empty lines"])
def test_more_text_than_a_box_can_keep_ends_the_run(lines: list[str]) -> None:
    clock = Clock()
    progress = ProgressFrames(Witness(), N_DAYS, clock)
    with pytest.raises(protocol.ProtocolError, match="too long in total"):
        for _ in range(1_000):
            clock.now += 0.1
            progress.take(payload(lines=lines))


def test_a_cancel_during_a_slow_observation_ends_the_session_before_the_next_frame() -> None:
    waits = deadline()
    calls: list[int] = []

    def observe(day: int, equity: float, lines: Sequence[str]) -> None:
        calls.append(day)
        waits.cancel.set()
        time.sleep(0.1)

    with pytest.raises(RunCancelled):
        run(sending(frame(), frame(day=1)), waits=waits, observe=observe)
    assert calls == [0]


def test_an_exception_in_the_observer_ends_the_session() -> None:
    def observe(day: int, equity: float, lines: Sequence[str]) -> None:
        raise RuntimeError("the database is gone")

    with pytest.raises(RuntimeError, match="the database is gone"):
        run(sending(frame()), observe=observe)


@pytest.mark.parametrize(("kind", "timed_out"), [("time", True), ("memory", False), ("exception", False)])
def test_a_run_that_exceeded_its_time_limit_is_distinguished(kind: str, timed_out: bool) -> None:
    end = {"logs": [], "lost_output_bytes": 0, "unfilled": [], "error": {"kind": kind, "day": 1}}
    with pytest.raises(StrategyFailed) as caught:
        run(box(reply=lambda nonce: protocol.json_frame(protocol.FINISHED, {"nonce": nonce, **end})))
    assert caught.value.timed_out is timed_out


@settings(max_examples=100)
@given(st.data())
def test_any_progress_ends_in_a_reply_or_a_failed_strategy(data: st.DataObject) -> None:
    """Replacing any part of valid progress frames gives a Reply or StrategyFailed, and no line is invented."""

    def reply(nonce: str) -> bytes:
        said = bytearray(frame(day=1, lines=["a"]) + frame(day=2, lines=["b"]))
        start = data.draw(st.integers(0, len(said)))
        said[start : start + data.draw(st.integers(0, 8))] = data.draw(st.binary(max_size=12))
        return bytes(said) + good_reply(nonce)

    witness = Witness()
    with suppress(StrategyFailed):
        assert run(box(reply=reply), observe=witness).equity.shape == (N_DAYS,)
    assert all(0 <= day < N_DAYS and abs(equity) < float("inf") for day, equity, _ in witness.calls)
