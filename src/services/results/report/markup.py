"""Makes HTML out of values that strangers wrote: what is not Markup is escaped, always."""

import unicodedata
from collections.abc import Iterable
from html import escape

JOINERS = "\u200c\u200d"
"""Invisible, but words of some languages and some emoji are made with them."""


class Markup(str):
    """Text that is HTML already, because this module made it."""

    __slots__ = ()


Content = str | Markup | Iterable["Content"]


def element(tag: str, *content: Content, **attributes: str | None) -> Markup:
    """One element.

    Args:
        tag: written by us, never by a stranger.
        content: text, which is escaped; Markup, which is not; or several of them.
        attributes: class_ is class, and an underscore inside a name is a hyphen; None leaves the attribute out.
    """
    written = [
        f' {name.rstrip("_").replace("_", "-")}="{shown(value)}"'
        for name, value in attributes.items()
        if value is not None
    ]
    return Markup(f"<{tag}{''.join(written)}>{joined(content)}</{tag}>")


def joined(content: Iterable[Content]) -> Markup:
    """Several pieces, one after the other."""
    return Markup("".join([_html(piece) for piece in content]))


def _html(piece: Content) -> str:
    if isinstance(piece, Markup):
        return piece
    return shown(piece) if isinstance(piece, str) else joined(piece)


def shown(text: str) -> str:
    """Text as HTML shows it, character for character; lines may end as on Windows.

    What cannot be seen (control characters, marks that turn the direction of writing, halves of characters) is
    spelled out, so that a name cannot pretend to be another one.
    """
    if text.isprintable():  # nearly everything, and a report has ten thousand texts
        return escape(text, quote=True)
    lines = text.replace("\r\n", "\n").split("\n")
    return escape("\n".join(line if line.isprintable() else _spelled_line(line) for line in lines), quote=True)


def _spelled_line(line: str) -> str:
    return "".join(letter if _is_visible(letter) else _spelled(letter) for letter in line)


def _is_visible(letter: str) -> bool:
    return letter.isprintable() or letter == "\t" or letter in JOINERS


def _spelled(letter: str) -> str:
    # A wide or unbreakable space counts as not printable too, and may stand as a space.
    return " " if unicodedata.category(letter) == "Zs" else repr(letter)[1:-1]
