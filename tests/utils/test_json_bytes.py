import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.utils import json_bytes as module
from src.utils.json_bytes import (
    PIECE_ITEMS,
    array_pieces,
    grouped,
    json_bytes,
    json_pieces,
    object_pieces,
    parsed_json,
)

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_written_json_reads_as_the_same_value(value):
    assert json.loads(json_bytes(value)) == json.loads(b"".join(json_pieces(value))) == value
    assert parsed_json(json_bytes({"it": value})) == {"it": value}


def test_a_long_list_comes_in_pieces_that_are_the_whole_list():
    for length in (PIECE_ITEMS, PIECE_ITEMS + 1, 3 * PIECE_ITEMS, 3 * PIECE_ITEMS + 1):
        value = [{"number": number} for number in range(length)]
        pieces = list(json_pieces({"job": {"orders": value, "id": 1}, "none": {}}))
        assert b"".join(pieces) == json_bytes({"job": {"orders": value, "id": 1}, "none": {}})
        assert max(piece.count(b"number") for piece in pieces) == PIECE_ITEMS


def test_a_value_that_is_not_json_is_refused():
    with pytest.raises(TypeError):
        json_bytes({"it": object()})


def test_a_lone_surrogate_in_one_piece_of_a_list_survives(monkeypatch):
    monkeypatch.setattr(module, "PIECE_ITEMS", 2)
    value = ["a", "half \ud800 a pair", "é", "\u2603", "b"]
    assert parsed_json(b'{"it":' + b"".join(json_pieces(value)) + b"}") == {"it": value}


@given(st.lists(st.lists(VALUES, min_size=1, max_size=3), max_size=3), st.lists(st.tuples(st.text(), VALUES)))
def test_json_joined_from_pieces_equals_the_whole(lists, members):
    written = ((name, [json_bytes(value)]) for name, value in members)
    pieces = object_pieces([("it", array_pieces(lists)), ("object", object_pieces(written))])
    whole = {"it": [element for elements in lists for element in elements], "object": dict(members)}
    assert json.loads(b"".join(pieces)) == whole


@given(st.lists(st.binary(max_size=5)), st.integers(1, 20))
def test_grouping_changes_only_the_lengths(pieces, at_least):
    groups = list(grouped(pieces, at_least))
    assert b"".join(groups) == b"".join(pieces)
    assert all(len(group) >= at_least for group in groups[:-1])
