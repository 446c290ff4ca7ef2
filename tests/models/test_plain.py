import math

import pytest
from pydantic_core import PydanticCustomError

from src.models.plain import MAX_DEPTH, check_plain_json, printable


def nested(depth: int) -> dict:
    value: dict = {}
    for _ in range(depth):
        value = {"a": value}
    return value


def test_plain_json_passes_unchanged():
    value = {"a": [1, 2.5, "é", None, True, {"b": []}], "largest": 2**64 - 1, "least": -(2**63)}
    assert check_plain_json(value, max_bytes=1000) is value


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"a": {"b": [0, math.nan]}}, r"^a\.b\[1\] is not a finite number"),
        ({"a": math.inf}, "^a is not a finite number"),
        ({"a": 2**64}, "^a is an integer beyond 64 bits"),
        ({"a": -(2**63) - 1}, "^a is an integer beyond 64 bits"),
        ({"a": "\udfff"}, "^a holds half of a surrogate pair"),
        ({"a": {"\ud800": 1}}, "^a key of a holds half of a surrogate pair"),
        ({"a": (1, 2)}, "^a is a tuple"),
        ({1: 2, "a": b""}, "a is a bytes"),
        (nested(MAX_DEPTH + 1), "is nested too deep"),
        (nested(100_000), "is nested too deep"),
        ({"a": "x" * 1000}, "At most 1000 bytes"),
        ({"a": [0] * 1_000_000}, "At most 1000 bytes"),
        ({str(number): 0 for number in range(600)}, "At most 1000 bytes"),
    ],
)
def test_a_value_that_is_not_plain_json_is_refused_with_its_path(value, message):
    with pytest.raises(PydanticCustomError, match=message):
        check_plain_json(value, max_bytes=1000)


def test_the_maximum_nesting_depth_passes():
    assert check_plain_json(nested(MAX_DEPTH), max_bytes=1000)


def test_printable_text_is_cut_and_escaped_and_otherwise_unchanged():
    assert printable("naïve 价格") == "naïve 价格"
    assert printable("a\nb\x1b[31m\ud800") == r"a\nb\x1b[31m\ud800"
    assert printable("x" * 100, 10) == "x" * 10 + "…"
