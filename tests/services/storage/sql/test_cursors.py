"""Cursors: ours come back, others are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.services.storage.errors import CursorInvalid
from src.services.storage.sql.cursors import LARGEST, Cursor, cursor_from_text

NUMBERS = st.integers(0, LARGEST)


@given(NUMBERS, NUMBERS)
def test_a_cursor_survives_a_round_trip_as_text(submitted_at: int, number: int) -> None:
    cursor = Cursor(submitted_at, number)
    assert cursor_from_text(cursor.as_text()) == cursor


@given(NUMBERS, NUMBERS)
def test_a_cursor_needs_no_quoting_in_a_url(submitted_at: int, number: int) -> None:
    assert Cursor(submitted_at, number).as_text().replace("-", "").replace("_", "").isalnum()


@given(st.text(st.characters(exclude_categories=())))
def test_any_other_text_is_refused_and_nothing_else_happens(text: str) -> None:
    try:
        cursor_from_text(text)
    except CursorInvalid:
        return
    assert cursor_from_text(cursor_from_text(text).as_text()) == cursor_from_text(text)


def test_a_number_beyond_64_bits_is_refused() -> None:
    with pytest.raises(CursorInvalid):
        cursor_from_text(Cursor(LARGEST + 1, 1).as_text())
