"""Text of a box cannot hide, move or colour anything where it is shown."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.execution.text import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, é, 漢字, 𝄞", "plain, é, 漢字, 𝄞"),
        ("a\tb", "a\tb"),
        ("\x1b[31mred\x00", "\\x1b[31mred\\x00"),
        ("\u202egnp\u200b", "\\u202egnp\\u200b"),
        ("\ud800", "\\ud800"),
        ("a\u2028b\nc", "a\\u2028b\\nc"),
        ("a\u00a0b", "a\u00a0b"),
        ("abcdef", "abcde…"),
        ("", ""),
    ],
)
def test_what_is_harmless_stays_and_the_rest_shows_as_its_escape(text: str, shown: str) -> None:
    assert printable(text, 100 if text != "abcdef" else 5) == shown


def test_no_character_that_python_prints_as_it_is_is_harmful() -> None:
    """Of all there are: so the quick way of `printable` and the slow way give the same."""
    harmful = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    everything = map(chr, range(sys.maxunicode + 1))
    assert not [c for c in everything if c.isprintable() and unicodedata.category(c) in harmful]


@given(st.text(), st.integers(0, 20))
def test_nothing_harmful_comes_through(text: str, max_characters: int) -> None:
    shown = printable(text, max_characters)
    assert all(c == "\t" or c.isprintable() or c.isspace() for c in shown)
    assert not set(shown) & set("\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029")
