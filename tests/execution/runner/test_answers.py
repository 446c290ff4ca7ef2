"""Anything that user code writes to the reply pipe becomes its own failure, within the host's limits."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.execution import protocol
from src.execution.runner import answers
from src.execution.runner.errors import RunFailed
from src.execution.runner.strategy_process import describe_error
from src.execution.session import failure

REPORT = {"type": "ValueError", "message": "no", "frames": [[3, "on_data"]], "is_memory": False}
DESCRIPTION = {"universe": ["SPY", "^IRX"], "bar_size": "1d", "execution": "close_to_close", "warmup_bars": 5}


def kind_of(report: Any) -> str:
    payload = report if isinstance(report, bytes) else json.dumps(report).encode()
    return answers.read_error(payload).kind


def test_a_valid_report_is_read() -> None:
    read = answers.read_error(json.dumps(REPORT).encode())
    assert (read.kind, read.details) == (
        "exception",
        {"type": "ValueError", "message": "no", "frames": [(3, "on_data")]},
    )
    assert kind_of({**REPORT, "is_memory": True}) == "memory"


@pytest.mark.parametrize(
    "report",
    [
        {},
        [],
        None,
        b"",
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"frames": [[1' + b"0" * 5_000 + b', ""]]}',
        {**REPORT, "type": None},
        {**REPORT, "message": 3},
        {**REPORT, "is_memory": 1},
        {**REPORT, "frames": {}},
        {**REPORT, "frames": [[1, "f"]] * 21},
        *({**REPORT, "frames": [frame]} for frame in (1, [], [1], ["1", "f"], [1, 2], [True, "f"], [1.5, "f"])),
        *({**REPORT, "frames": [[line, "f"]]} for line in (-1, 10**7 + 1, 10**30, float("nan"), float("inf"))),
    ],
    ids=lambda report: repr(report)[:40],
)
def test_a_report_in_another_form_is_malformed(report: Any) -> None:
    assert kind_of(report) == "malformed"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("ValueError", "ValueError"),
        ("Überlauf", "Überlauf"),
        ("", "''"),
        ("x\n\x1b[31m", r"'x\n\x1b[31m'"),
        ("a b", "'a b'"),
        ("\u202egnp", r"'\u202egnp'"),
        ("\ud800", r"'\ud800'"),
        ("x" * 101, "x" * 100),
    ],
)
def test_a_type_name_that_is_not_an_identifier_is_quoted(name: str, shown: str) -> None:
    assert answers.read_error(json.dumps({**REPORT, "type": name}).encode()).details["type"] == shown


def test_the_longest_report_and_logs_fit_into_the_last_frame() -> None:
    long = json.dumps({**REPORT, "type": "\ud800" * 50_000, "message": "\ud800" * 80_000}).encode()
    assert len(long) < answers.MAX_ANSWER_BYTES
    wire = answers.read_error(long).to_wire(0)
    assert len(protocol.json_bytes(wire)) < 20_000
    assert failure.failure_from_wire(wire, 1).kind == "exception"


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text() | st.integers(), st.lists) | st.binary())
def test_any_report_becomes_one_that_the_host_accepts(value: Any) -> None:
    for report in (value, {**REPORT, "frames": value}, {**REPORT, "message": value, "type": value}):
        payload = report if isinstance(report, bytes) else repr(report).encode("utf-8", "surrogatepass")
        for form in (payload, json.dumps(report, default=repr).encode()):
            wire = json.loads(protocol.json_bytes(answers.read_error(form).to_wire(0)))
            assert failure.failure_from_wire(wire, 1).kind in ("exception", "memory", "malformed")


def test_a_valid_description_is_read() -> None:
    assert answers.read_description(json.dumps({**DESCRIPTION, "more": 1}).encode()) == DESCRIPTION


@pytest.mark.parametrize(
    "description",
    [
        {},
        None,
        b"\xff",
        *({**DESCRIPTION, "universe": u} for u in ([], "SPY", ["spy"], ["SPY", "SPY"], [1], ["../x"], [float("nan")])),
        {**DESCRIPTION, "universe": [f"S{n}" for n in range(201)]},
        {**DESCRIPTION, "bar_size": "1s"},
        {**DESCRIPTION, "execution": None},
        {**DESCRIPTION, "execution": float("nan")},
        *({**DESCRIPTION, "warmup_bars": bars} for bars in (None, -1, 10_001, 2.0, "5")),
    ],
    ids=lambda description: repr(description)[:60],
)
def test_a_description_in_another_form_is_malformed(description: Any) -> None:
    payload = description if isinstance(description, bytes) else json.dumps(description).encode()
    with pytest.raises(RunFailed) as caught:
        answers.read_description(payload)
    assert caught.value.kind == "malformed"


def test_a_reply_over_the_length_limit_is_not_read() -> None:
    assert answers.payload_length((1_000_000).to_bytes(4, "little")) == 1_000_000
    with pytest.raises(RunFailed):
        answers.payload_length((1_000_001).to_bytes(4, "little"))


class Text(str):
    """Text that lies about its parts."""

    def __getitem__(self, key: Any) -> Any:
        return object()

    def __str__(self) -> str:
        return self


class Liar(type):
    @property
    def __name__(cls) -> Any:
        return object()


class Lie(Exception, metaclass=Liar):
    def __str__(self) -> str:
        return Text("words")

    @property
    def __class__(self) -> type:
        return MemoryError

    @__class__.setter
    def __class__(self, value: type) -> None: ...


class Trap(Exception):
    @property
    def __traceback__(self) -> Any:
        raise KeyboardInterrupt


def test_an_error_that_lies_about_its_type_is_described_by_its_real_type() -> None:
    assert describe_error(Lie()) == {"type": "Lie", "message": "words", "frames": [], "is_memory": False}


def test_an_error_that_cannot_be_described_is_still_reported() -> None:
    assert describe_error(Trap())["type"] == "Trap"
    hostile = type(Text("Named"), (Exception,), {})
    assert kind_of(describe_error(hostile())) == "exception"
