"""Makes text from a box safe to log, store and show."""

import unicodedata


def printable(text: str, max_characters: int) -> str:
    """Escape control, bidirectional and surrogate characters, and cut the text at max_characters.

    A tab stays. Removed characters appear as escapes, so the text hides nothing.
    """
    cut = text[:max_characters]
    # Text that Python prints unescaped is harmless. That is nearly every line, and the test is a hundred times faster.
    clean = cut if cut.isprintable() else "".join(c if c == "\t" or _is_harmless(c) else _escape(c) for c in cut)
    return clean if len(text) <= max_characters else clean + "…"


def _is_harmless(character: str) -> bool:
    # Control, format (bidirectional, zero width), surrogate, private, unassigned, line and paragraph.
    return unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def _escape(character: str) -> str:
    return character.encode("unicode_escape", "backslashreplace").decode("ascii")
