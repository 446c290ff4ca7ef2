"""A client's preferences for an answer: the header Prefer of RFC 7240."""

import re
from collections.abc import Iterator, Sequence

MAX_CHARACTERS = 1_000
"""Limit on the length of all its lines together; the rest is ignored."""

_PREFERENCE = re.compile(r'(?:[^",]|"(?:[^"\\]|\\.)*")+')
_NAME_AND_VALUE = re.compile(r'\s*([!#$%&\'*+\-.^_`|~0-9A-Za-z]+)\s*(?:=\s*("(?:[^"\\]|\\.)*"|[^\s;"]*))?\s*(?:;.*)?')


def prefers(headers: Sequence[str], name: str) -> bool:
    """Whether the client states that preference, which takes no value.

    Args:
        headers: the lines of the header Prefer.
        name: in lower case.
    """
    return any(stated == name and value in ("", '""') for stated, value in _preferences(", ".join(headers)))


def _preferences(text: str) -> Iterator[tuple[str, str]]:
    """Names in lower case with their values; a preference's parameters are dropped."""
    for preference in _PREFERENCE.findall(text[:MAX_CHARACTERS]):
        found = _NAME_AND_VALUE.fullmatch(preference)
        if found is not None:
            yield found[1].lower(), found[2] or ""
