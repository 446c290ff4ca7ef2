"""Reads request headers: Content-Type, and the preferences of RFC 7240."""

import re
from collections.abc import Iterator, Sequence
from email.message import Message

from starlette.requests import Request

MAX_CHARACTERS = 1_000
"""Limit on the length of all lines of Prefer together; the rest is ignored."""

_PREFERENCE = re.compile(r'(?:[^",]|"(?:[^"\\]|\\.)*")+')
_NAME_AND_VALUE = re.compile(r'\s*([!#$%&\'*+\-.^_`|~0-9A-Za-z]+)\s*(?:=\s*("(?:[^"\\]|\\.)*"|[^\s;"]*))?\s*(?:;.*)?')


def media_type(request: Request) -> str:
    """The media type in Content-Type, in lower case and without parameters; "" if the header has none."""
    header = Message()
    header["content-type"] = request.headers.get("content-type") or "none/none"
    return header.get_content_type() if header.get_content_maintype() != "none" else ""


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
