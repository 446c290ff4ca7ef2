"""Text from a box, made safe to log, to store and to show."""

import unicodedata


def printable(text: str, max_characters: int) -> str:
    """The text without control, bidirectional and surrogate characters, cut at max_characters.

    A tab stays; what is taken out shows as its escape, so that nothing is hidden.
    """
    cut = text[:max_characters]
    # What Python prints as it is, is harmless: nearly every line, and told a hundred times faster.
    clean = cut if cut.isprintable() else "".join(c if c == "\t" or _is_harmless(c) else _escape(c) for c in cut)
    return clean if len(text) <= max_characters else clean + "…"


def _is_harmless(character: str) -> bool:
    # Control, format (bidirectional, zero width), surrogate, private, unassigned, line and paragraph.
    return unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def _escape(character: str) -> str:
    return character.encode("unicode_escape", "backslashreplace").decode("ascii")
