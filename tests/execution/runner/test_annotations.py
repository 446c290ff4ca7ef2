"""What a strategy plots and prints: how the runner keeps it, and what it refuses."""

import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from src.execution.runner.annotations import Annotations, Record
from src.execution.runner.errors import RunFailed


def message(points: Any = None, printed: Any = (0, 0)) -> bytes:
    return json.dumps({"points": points or {}, "printed": list(printed)}).encode()


def test_points_are_on_their_days_and_the_rest_is_nan() -> None:
    record = Record()
    record.take(message({"fast": 1.5, "slow": 2.0}), 3, 1)
    record.take(message({"fast": -0.0}), 5, 3)
    plots = {name: list(values) for name, values in record.plots(4).items()}
    assert str(plots) == "{'fast': [nan, 1.5, nan, -0.0], 'slow': [nan, 2.0, nan, nan]}"


def test_points_of_the_warm_up_are_ignored_and_its_lines_are_not() -> None:
    record = Record()
    record.take(message({"fast": 1.5}, (0, 2)), 0, None)
    assert record.plots(4) == {}
    assert record.line_days(b"a\n") == [[0, 1]]


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (b"l\na\nb\nc\n", [[None, 1], [4, 2], [7, 1]]),
        (b"l\na\nbc", [[None, 1], [4, 2]]),
        (b"l\n\xff\n\xc3\n\xe2\x80\xa8", [[None, 1], [4, 2], [7, 1]]),
        (b"l\n", [[None, 1]]),
        (b"", []),
    ],
    ids=["each line", "an open line", "bytes that are no text", "the rest was dropped", "nothing"],
)
def test_a_line_has_the_day_on_which_it_begins(output: bytes, expected: list[Any]) -> None:
    record = Record()
    record.take(message(printed=(2, 6)), 4, 4)
    record.take(message(printed=(6, 8)), 7, 7)
    assert record.line_days(output) == expected


def test_days_without_lines_are_not_recorded() -> None:
    record = Record()
    record.take(message({"fast": 1.0}, (2, 2)), 4, 4)
    assert record.line_days(b"a\n") == []


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{",
        b"[]",
        b"[" * 10_000,
        b'{"points": {"a": 1e999}, "printed": [0, 0]}',
        b'{"points": {"a": NaN}, "printed": [0, 0]}',
        b'{"points": {"a": 1}, "printed": [0, 0]}',
        b'{"points": {"a": true}, "printed": [0, 0]}',
        message({"": 1.0}),
        message({"n" * 61: 1.0}),
        message({f"s{number}": 1.0 for number in range(21)}),
        message(printed=(3, 2)),
        message(printed=(-1, 2)),
        message(printed=(0,)),
        message(printed=(0, 1.5)),
    ],
    ids=lambda payload: repr(payload[:40]),
)
def test_a_message_in_another_form_is_malformed(payload: bytes) -> None:
    with pytest.raises(RunFailed) as caught:
        Record().take(payload, 0, 0)
    assert caught.value.kind == "malformed"


def test_a_strategy_cannot_print_on_the_past_or_begin_more_series_bar_by_bar() -> None:
    record = Record()
    record.take(message(printed=(0, 9)), 0, 0)
    with pytest.raises(RunFailed):
        record.take(message(printed=(8, 10)), 1, 1)
    for number in range(20):
        record.take(message({f"s{number}": 1.0}, (9, 9)), 1, 1)
    with pytest.raises(RunFailed):
        record.take(message({"one more": 1.0}, (9, 9)), 1, 1)


@pytest.fixture
def annotations(tmp_path: Path) -> Iterator[Annotations]:
    with (tmp_path / "out").open("w") as out, pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdout", out)
        patch.setattr("sys.stderr", out)
        collected = Annotations()
    yield collected


def test_the_last_point_of_a_bar_counts_and_none_is_no_point(annotations: Annotations) -> None:
    for name, value in (("a", 1), ("a", 2), ("b", None), ("c", math.nan)):
        annotations.plot(name, value)
    assert annotations.points == {"a": 2.0}


def test_printed_bytes_are_counted_on_both_streams(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with (tmp_path / "out").open("w", encoding="utf-8") as out, (tmp_path / "err").open("w") as error:
        monkeypatch.setattr("sys.stdout", out)
        monkeypatch.setattr("sys.stderr", error)
        annotations = Annotations()
        print("é")
        print("no line yet", end="")
        assert annotations.printed_bytes == [3]
        print("ab", file=sys.stderr)
        assert annotations.printed_bytes == [6]
    assert (tmp_path / "out").read_bytes() == b"\xc3\xa9\n"


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        (1, 1.0, "the name of a plot must be text, not int"),
        ("", 1.0, "must have 1 to 60 characters"),
        ("n" * 61, 1.0, "must have 1 to 60 characters"),
        ("a", math.inf, "a point of the plot 'a' is infinite"),
        ("a", "x", "could not convert string to float"),
    ],
)
def test_what_is_no_point_is_an_error_that_says_so(annotations: Annotations, name: Any, value: Any, error: str) -> None:
    with pytest.raises((ValueError, TypeError), match=error):
        annotations.plot(name, value)


def test_a_21st_series_is_an_error_that_names_it(annotations: Annotations) -> None:
    for number in range(20):
        annotations.plot(f"s{number}", 1.0)
    with pytest.raises(ValueError, match="'one more' is one plot too many: a strategy has at most 20"):
        annotations.plot("one more", 1.0)
