import json

from hypothesis import given
from hypothesis import strategies as st

from src.utils import json_bytes as module
from src.utils.json_bytes import PIECE_ITEMS, json_bytes, json_pieces, parsed_json

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
def test_what_is_written_reads_as_the_same_value(value):
    assert json.loads(json_bytes(value)) == json.loads(b"".join(json_pieces(value))) == value
    assert parsed_json(json_bytes({"it": value})) == {"it": value}


def test_a_long_list_comes_in_pieces_that_are_the_whole_list():
    for length in (PIECE_ITEMS, PIECE_ITEMS + 1, 3 * PIECE_ITEMS, 3 * PIECE_ITEMS + 1):
        value = [{"number": number} for number in range(length)]
        pieces = list(json_pieces({"job": {"orders": value, "id": 1}, "none": {}}))
        assert b"".join(pieces) == json_bytes({"job": {"orders": value, "id": 1}, "none": {}})
        assert max(piece.count(b"number") for piece in pieces) == PIECE_ITEMS


def test_half_a_surrogate_pair_in_one_piece_of_a_list_comes_back(monkeypatch):
    monkeypatch.setattr(module, "PIECE_ITEMS", 2)
    value = ["a", "half \ud800 a pair", "é", "\u2603", "b"]
    assert parsed_json(b'{"it":' + b"".join(json_pieces(value)) + b"}") == {"it": value}
