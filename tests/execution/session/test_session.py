"""The host trusts no reply: each malformed, forged or missing one ends in a clean failure."""

import json
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.errors import RunCancelled, RunTimedOut, StrategyFailed
from src.execution import protocol
from src.execution.sandbox.base import Box, Sandbox
from src.execution.sandbox.wrapped import WrappedBox, WrappedSandbox
from src.execution.session.progress import Observe
from src.execution.session.reply import Reply
from src.execution.session.session import Job, Session
from src.utils.deadline import Deadline, DeadlinePassed
from tests.execution.box_runs import LONG_SECONDS, price_table, rules
from tests.fakes.engine_box import frames_in
from tests.fakes.sandbox import ScriptedSandbox

N_DAYS = 5
JOB = Job("", "Mine", False, {}, 0, 10.0)
READY = protocol.json_frame(protocol.READY, {"version": protocol.VERSION})
DESCRIPTION = {"universe": ["AAA", "BBB"], "bar_size": "1d", "execution": "close_to_close"}


def deadline(seconds: float = LONG_SECONDS) -> Deadline:
    return Deadline.after(seconds)


def ledger(n_days: int = N_DAYS) -> bytes:
    return protocol.pack_ledger(
        ([0], [0], [1.0], [100.0], [0.0], [0]), ([9_900.0] * n_days, [10_000.0] * n_days), n_days
    )


def box(
    describe: Callable[[], bytes] | None = None, reply: Callable[[str], bytes] | None = None
) -> Callable[[bytes], bytes]:
    """The script of a box that is honest except as the test specifies."""

    def script(heard: bytes) -> bytes:
        frames = frames_in(heard)
        if protocol.PRICES not in frames:
            return READY + (describe or (lambda: protocol.json_frame(protocol.DESCRIBED, DESCRIPTION)))()
        nonce = json.loads(frames[protocol.JOB])["nonce"]
        return (reply or good_reply)(nonce)

    return script


def finished(nonce: str, **changes: Any) -> bytes:
    value = {"nonce": nonce, "logs": [], "lost_output_bytes": 0, "unfilled": [], "error": None, **changes}
    return protocol.frame(protocol.FINISHED, json.dumps(value).encode())


def good_reply(nonce: str) -> bytes:
    return protocol.frame(protocol.LEDGER, ledger()) + finished(nonce)


def run(
    script: Callable[[bytes], bytes], waits: Deadline | None = None, observe: Observe | None = None, **options: Any
) -> Reply:
    sandbox = ScriptedSandbox(script, **options)
    try:
        with Session(sandbox, JOB, waits or deadline()) as session:
            session.describe()
            return session.run(price_table(N_DAYS), rules(), observe)
    finally:
        assert sandbox.boxes[0].is_closed


def failure(script: Callable[[bytes], bytes], **options: Any) -> str:
    with pytest.raises(StrategyFailed) as caught:
        run(script, **options)
    (error,) = caught.value.errors
    return error


def test_a_valid_reply_is_read() -> None:
    reply = run(box())
    assert (reply.day.tolist(), reply.shares.tolist(), reply.cash.tolist()) == (
        [0],
        [1.0],
        [9_900.0] * N_DAYS,
    )


@pytest.mark.parametrize(
    "description",
    [
        {},
        {**DESCRIPTION, "universe": []},
        {**DESCRIPTION, "universe": "SPY"},
        {**DESCRIPTION, "universe": ["SPY", "SPY"]},
        {**DESCRIPTION, "universe": ["../../etc/passwd"]},
        {**DESCRIPTION, "universe": ["spy"]},
        {**DESCRIPTION, "universe": [1]},
        {**DESCRIPTION, "universe": [f"S{n}" for n in range(201)]},
        {**DESCRIPTION, "bar_size": "1s"},
        {**DESCRIPTION, "execution": None},
    ],
)
def test_an_impossible_description_is_rejected(description: dict[str, Any]) -> None:
    frame = protocol.json_frame(protocol.DESCRIBED, description)
    assert "reply was rejected" in failure(box(describe=lambda: frame))


@pytest.mark.parametrize(
    "frame",
    [
        protocol.frame(protocol.DESCRIBED, b"[]"),
        protocol.frame(protocol.DESCRIBED, b'{"universe":["A"],"universe":["B"]}'),
        protocol.frame(protocol.LEDGER, ledger()),
        protocol.frame(b"?", b""),
        READY,
        protocol.HEADER.pack(protocol.DESCRIBED, 0xFFFFFFFF),
    ],
)
def test_a_frame_that_is_not_allowed_now_is_rejected(frame: bytes) -> None:
    assert "reply was rejected" in failure(box(describe=lambda: frame))


def test_another_version_of_the_protocol_is_reported() -> None:
    old = protocol.json_frame(protocol.READY, {"version": 0})
    assert "rebuild the sandbox image" in failure(lambda _: old)


@pytest.mark.parametrize(
    "reply",
    [
        lambda nonce: protocol.frame(protocol.LEDGER, ledger(N_DAYS - 1)) + finished(nonce),
        lambda nonce: protocol.frame(protocol.LEDGER, ledger()[:-1]) + finished(nonce),
        lambda nonce: protocol.frame(protocol.LEDGER, ledger() + b"x") + finished(nonce),
        lambda nonce: protocol.frame(protocol.LEDGER, b"") + finished(nonce),
        lambda nonce: protocol.HEADER.pack(protocol.LEDGER, 1 << 31),
        lambda nonce: protocol.frame(protocol.LEDGER, ledger()) + finished("0" * 32),
        lambda nonce: protocol.frame(protocol.LEDGER, ledger()) * 2,
        lambda nonce: protocol.frame(protocol.LEDGER, ledger()) + finished(nonce, logs="text"),
        lambda nonce: protocol.frame(protocol.LEDGER, ledger()) + finished(nonce, logs=[1]),
        lambda nonce: protocol.frame(protocol.LEDGER, ledger()) + finished(nonce, unfilled=[[9, "", 0, 0, 1]]),
        lambda nonce: protocol.frame(protocol.LEDGER, ledger()) + finished(nonce, unfilled=[[0, "", 3, 2, 1]]),
        lambda nonce: protocol.frame(protocol.LEDGER, ledger()) + finished(nonce, unfilled=[[0, "", 0, 99, 1]]),
        lambda nonce: protocol.frame(protocol.LEDGER, ledger()) + finished(nonce, unfilled=None),
        lambda nonce: protocol.frame(protocol.LEDGER, ledger()) + finished(nonce, targets=[1, 2.0]),
        lambda nonce: protocol.frame(protocol.LEDGER, ledger()) + finished(nonce, targets=[-1, 2.0, 3.0]),
        lambda nonce: protocol.frame(protocol.LEDGER, ledger()) + finished(nonce, targets=[N_DAYS + 1, 2.0, 3.0]),
        lambda nonce: protocol.frame(protocol.LEDGER, ledger()) + finished(nonce, targets=[1, "much", 3.0]),
        finished,
        lambda nonce: finished(nonce, error={"kind": "made up"}),
        lambda nonce: finished(nonce, error={"kind": "exception", "day": N_DAYS}),
        lambda nonce: finished(nonce, error={"kind": "exception", "day": True}),
        lambda nonce: finished(nonce, error={"kind": "exception", "frames": [[1]]}),
        lambda nonce: finished(nonce, error={"kind": "exception", "frames": [["1", "f"]]}),
        lambda nonce: finished(nonce, error=[]),
    ],
)
def test_a_malformed_reply_is_rejected(reply: Callable[[str], bytes]) -> None:
    assert "reply was rejected" in failure(box(reply=reply))


def test_a_box_that_vanishes_is_reported() -> None:
    assert failure(box(reply=lambda _: b"")) == "the box ended before it replied"
    assert failure(box(reply=lambda _: protocol.frame(protocol.LEDGER, ledger())[:-3])) == (
        "the box ended before it replied"
    )


def test_a_box_that_vanishes_for_lack_of_memory_is_distinguished() -> None:
    assert "memory limit of 512 MB exceeded" in failure(box(reply=lambda _: b""), out_of_memory=True)


@pytest.mark.parametrize(("out_of_memory", "said"), [(True, "memory limit"), (False, "crashed")])
def test_a_killed_strategy_is_out_of_memory_only_if_the_kernel_reports_it(out_of_memory: bool, said: str) -> None:
    script = box(reply=lambda nonce: finished(nonce, error={"kind": "killed", "day": 2}))
    error = failure(script, out_of_memory=out_of_memory)
    assert said in error
    assert "2014-01-03" in error


def test_a_ledger_over_the_order_limit_is_not_read() -> None:
    def orders(count: int) -> bytes:
        columns = ([0] * count, [0] * count, [1.0] * count, [100.0] * count, [0.0] * count, [0] * count)
        return protocol.pack_ledger(columns, ([9_900.0] * N_DAYS, [10_000.0] * N_DAYS), N_DAYS)

    def said(count: int, max_orders: int) -> Reply:
        script = box(reply=lambda nonce: protocol.frame(protocol.LEDGER, orders(count)) + finished(nonce))
        with Session(ScriptedSandbox(script), replace(JOB, max_orders=max_orders), deadline()) as session:
            session.describe()
            return session.run(price_table(N_DAYS), rules())

    assert len(said(3, 3).day) == 3
    with pytest.raises(StrategyFailed) as caught:
        said(4, 3)
    assert "reply was rejected" in caught.value.errors[0]


def test_levels_that_change_too_often_are_named() -> None:
    script = box(reply=lambda nonce: finished(nonce, error={"kind": "levels", "day": 2}))
    assert failure(script) == (
        "limit of 1,500,000 changes of protective levels exceeded at 2014-01-03: change them less often"
    )


def test_the_reported_order_limit_is_the_hosts() -> None:
    script = box(reply=lambda nonce: finished(nonce, error={"kind": "orders", "day": 2, "limit": 7}))
    assert failure(script) == "limit of 1,500,000 orders exceeded at 2014-01-03: trade less often or fewer symbols"


def test_the_boxs_text_is_made_printable() -> None:
    script = box(
        reply=lambda nonce: finished(
            nonce,
            logs=["\x1b[31mred\x00\u202e"],
            error={
                "kind": "exception",
                "type": "E\x07",
                "message": "a\nb\x1b",
                "frames": [[1, "f\x00"]],
                "day": 0,
            },
        )
    )
    with pytest.raises(StrategyFailed) as caught:
        run(script)
    assert caught.value.logs == ["\\x1b[31mred\\x00\\u202e"]
    assert caught.value.errors == ["E\\x07: a\nb\\x1b (line 1, f\\x00, 2014-01-01)"]


@pytest.mark.parametrize(
    ("reply", "is_ending"),
    [
        (good_reply, True),
        (lambda nonce: finished(nonce, error={"kind": "orders"}), True),
        (lambda nonce: protocol.frame(protocol.LEDGER, ledger()) + finished("0" * 32), False),
        (lambda nonce: protocol.frame(protocol.LEDGER, ledger()), False),
    ],
    ids=["finished", "failed", "another run's last frame", "no last frame"],
)
def test_only_a_box_that_sent_its_last_frame_may_end_by_itself(reply: Callable[[str], bytes], is_ending: bool) -> None:
    sandbox = ScriptedSandbox(box(reply=reply))
    with suppress(StrategyFailed), Session(sandbox, JOB, deadline()) as session:
        session.describe()
        session.run(price_table(N_DAYS), rules())
    assert sandbox.boxes[0].was_ending == is_ending


def test_a_silent_box_ends_at_the_deadline() -> None:
    def silent(_: bytes) -> bytes:
        raise DeadlinePassed

    with pytest.raises(RunTimedOut):
        run(silent)


def test_a_deadline_that_has_passed_ends_the_session() -> None:
    with pytest.raises(RunTimedOut):
        run(box(), waits=deadline(-1))


def test_a_cancel_ends_the_session() -> None:
    cancelled = deadline()
    cancelled.cancel.set()
    with pytest.raises(RunCancelled):
        run(box(), waits=cancelled)


@settings(max_examples=100)
@given(st.data())
def test_any_reply_is_read_or_fails_the_strategy(data: st.DataObject) -> None:
    """Any bytes, and any valid reply with a part replaced, give a Reply or StrategyFailed."""

    def reply(nonce: str) -> bytes:
        good = bytearray(good_reply(nonce))
        start = data.draw(st.integers(0, len(good)))
        good[start : start + data.draw(st.integers(0, 8))] = data.draw(st.binary(max_size=12))
        return bytes(good)

    with suppress(StrategyFailed):
        assert run(box(reply=reply)).equity.shape == (N_DAYS,)


class Silence(WrappedBox):
    """A box that reads up to a number of bytes and then neither reads nor writes."""

    def __init__(self, box: Box, readable_bytes: float, says: int) -> None:
        super().__init__(box)
        self._readable_bytes = readable_bytes
        self._says = says

    def write(self, data: bytes, deadline: Deadline) -> None:
        self._readable_bytes -= len(data)
        while self._readable_bytes < 0:
            time.sleep(min(0.01, deadline.poll_seconds()))
        super().write(data, deadline)

    def read(self, max_bytes: int, deadline: Deadline) -> bytes:
        while self._says == 0:
            time.sleep(min(0.01, deadline.poll_seconds()))
        data = super().read(min(max_bytes, self._says), deadline)
        self._says -= len(data)
        return data


class SilentSandbox(WrappedSandbox):
    """Boxes that stop writing after a number of bytes."""

    def __init__(self, says: int, readable_bytes: float = float("inf")) -> None:
        super().__init__(ScriptedSandbox(box()))
        self._says, self._readable_bytes = says, readable_bytes

    def open(self, *, preload: Sequence[str] = ()) -> Box:
        return Silence(super().open(preload=preload), self._readable_bytes, self._says)


SHORT_JOB = Job("", "Mine", False, {}, 0, 0.2)
DESCRIBED = READY + protocol.json_frame(protocol.DESCRIBED, DESCRIPTION)


@pytest.mark.parametrize(
    ("sandbox", "error"),
    [
        (SilentSandbox(len(READY)), "time limit of 0.2 s exceeded while the strategy was loading"),
        (SilentSandbox(len(DESCRIBED) - 1), "time limit of 0.2 s exceeded while the strategy was loading"),
        (SilentSandbox(len(DESCRIBED)), "time limit of 0.2 s exceeded"),
        (SilentSandbox(len(DESCRIBED) + 20), "time limit of 0.2 s exceeded"),
        (SilentSandbox(len(DESCRIBED), readable_bytes=1_000), "time limit of 0.2 s exceeded"),
    ],
)
def test_the_host_ends_a_run_whose_box_cannot_measure_its_own_time(sandbox: Sandbox, error: str) -> None:
    with pytest.raises(StrategyFailed) as caught, Session(sandbox, SHORT_JOB, deadline(), 0.1) as session:
        session.describe()
        session.run(price_table(N_DAYS), rules())
    assert (caught.value.errors, caught.value.timed_out) == ([error], True)


def test_a_box_that_never_starts_uses_none_of_its_time() -> None:
    with pytest.raises(RunTimedOut), Session(SilentSandbox(0), SHORT_JOB, deadline(0.5), 0.1) as session:
        session.describe()


def test_time_between_description_and_prices_does_not_count() -> None:
    with Session(ScriptedSandbox(box()), SHORT_JOB, deadline(), 0.1) as session:
        session.describe()
        time.sleep(0.5)
        assert session.run(price_table(N_DAYS), rules()).decisions == N_DAYS


def test_two_runs_never_encrypt_prices_with_the_same_key() -> None:
    heard = []
    for _ in range(2):
        sandbox = ScriptedSandbox(box())
        with Session(sandbox, JOB, deadline()) as session:
            session.describe()
            session.run(price_table(N_DAYS), rules())
        frames = frames_in(sandbox.boxes[0].heard)
        heard.append(frames[protocol.PRICES])
        key = bytes.fromhex(json.loads(frames[protocol.JOB])["price_key"])
        assert protocol.unpack_prices(protocol.cipher(key, protocol.PRICES, heard[-1]))[0][0] == 16071
    assert heard[0] != heard[1]


def test_a_malformed_error_report_keeps_the_logs() -> None:
    script = box(reply=lambda nonce: finished(nonce, error={"kind": "made up"}, logs=["before"]))
    with pytest.raises(StrategyFailed) as caught:
        run(script)
    assert caught.value.logs == ["before"]
