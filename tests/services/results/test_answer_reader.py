"""A stored answer is parsed as by `json`, at any split."""

import gzip
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.services.results import answer_reader
from src.services.results.answer_reader import PIECE_BYTES, AnswerDamaged, read_answer, unpacked

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.sampled_from(["},{", '},{"', "}]", '"}],"', "\\", '\\"},{']),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=30,
)
OBJECTS = st.dictionaries(st.sampled_from(["orders", "candles", "holding_weights", "metrics", "logs"]), PLAIN)
WRITERS = [
    lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":")),
    lambda value: json.dumps(value, indent=1),
]


def pieces_of(raw: bytes, size: int) -> list[bytes]:
    return [raw[start : start + size] for start in range(0, len(raw), size)]


@settings(max_examples=100)
@given(OBJECTS, st.integers(1, 40), st.sampled_from(WRITERS))
def test_any_object_in_any_pieces_is_read_as_json_reads_it(value: dict[str, Any], size: int, write: Any) -> None:
    raw = write(value).encode("utf-8", "surrogatepass")
    orders: list[Any] = []
    read = read_answer(iter(pieces_of(raw, size)), {"orders": orders.append})
    is_streamed = isinstance(value.get("orders"), list)
    assert read == {name: part for name, part in value.items() if name != "orders" or not is_streamed}
    assert orders == (value["orders"] if is_streamed else [])


def test_numbers_keep_every_digit_and_their_kind() -> None:
    rows = [{"a": 0.1 + 0.2, "b": 5e-324, "c": 1.0, "d": 1}] * 3
    orders: list[Any] = []
    read_answer(iter([json.dumps({"orders": rows}, separators=(",", ":")).encode()]), {"orders": orders.append})
    assert [list(map(repr, row.values())) for row in orders] == [["0.30000000000000004", "5e-324", "1.0", "1"]] * 3


def test_half_a_character_as_an_escape_is_read() -> None:
    assert read_answer(iter([b'{"logs":["\\ud800"]}']), {}) == {"logs": ["\ud800"]}


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b'{"a":1',
        b'{"a":1}x',
        b'{"a" 1}',
        b'{"a":1,}',
        b'{"a":[1,]}',
        b'{"a":"\xff"}',
        b'{"orders":[{"a":1},{"a":2}',
    ],
)
def test_what_is_not_an_object_is_refused(raw: bytes) -> None:
    with pytest.raises(AnswerDamaged):
        read_answer(iter([raw]), {"orders": lambda _: None})


@given(st.integers(0, 3 * PIECE_BYTES))
@settings(max_examples=20)
def test_unpacking_gives_the_bytes_in_bounded_pieces(length: int) -> None:
    raw = b"\x00" * length
    pieces = list(unpacked(gzip.compress(raw)))
    assert b"".join(pieces) == raw
    assert max(map(len, pieces)) <= PIECE_BYTES


def test_a_cut_or_changed_archive_is_refused() -> None:
    packed = gzip.compress(b"x" * 1000)
    for damaged in (packed[:-4], packed[:5] + b"\x00" + packed[6:-8] + b"\x00" * 8, b"no gzip", b""):
        with pytest.raises(AnswerDamaged):
            list(unpacked(damaged))


def test_a_million_objects_are_parsed_in_batches_not_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    one_by_one = []
    monkeypatch.setattr(answer_reader, "_DECODER", _Counting(one_by_one))
    raw = json.dumps(
        {"orders": [{"id": n} for n in range(200_000)], "after": [{"b": 1}] * 900, "c": 1}, separators=(",", ":")
    )
    orders: list[Any] = []
    read_answer(iter(pieces_of(raw.encode(), PIECE_BYTES)), {"orders": orders.append})
    assert len(orders) == 200_000
    # Names, and one object at each edge of a piece.
    assert len(one_by_one) < 50


class _Counting(json.JSONDecoder):
    def __init__(self, calls: list[int]) -> None:
        super().__init__()
        self._calls = calls

    def raw_decode(self, s: str, idx: int = 0) -> Any:
        self._calls.append(idx)
        return super().raw_decode(s, idx)
