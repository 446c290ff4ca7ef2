"""Text from a box cannot hide, move or colour anything on display."""

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
def test_harmless_characters_stay_and_the_rest_are_escaped(text: str, shown: str) -> None:
    assert printable(text, 100 if text != "abcdef" else 5) == shown


def test_every_character_that_python_prints_unescaped_is_harmless() -> None:
    """Checked for every character, so the fast and the slow path of `printable` agree."""
    harmful = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    everything = map(chr, range(sys.maxunicode + 1))
    assert not [c for c in everything if c.isprintable() and unicodedata.category(c) in harmful]


@given(st.text(), st.integers(0, 20))
def test_no_harmful_character_remains(text: str, max_characters: int) -> None:
    shown = printable(text, max_characters)
    assert all(c == "\t" or c.isprintable() or c.isspace() for c in shown)
    assert not set(shown) & set("\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029")
