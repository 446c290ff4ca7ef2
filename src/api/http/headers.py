"""Reads request headers: Content-Type, Accept-Encoding, If-None-Match, and the preferences of RFC 7240."""

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


def accepts_gzip(header: str | None) -> bool:
    """Whether a client that sent this Accept-Encoding prefers gzip at least as much as no encoding.

    A client without the header gets no encoding, which every client can read.
    """
    if header is None:
        return False
    weights = dict(_weights(header))
    wanted = next((weights[name] for name in ("gzip", "x-gzip", "*") if name in weights), 0.0)
    return wanted > 0 and wanted >= weights.get("identity", 0.0)


def _weights(header: str) -> Iterator[tuple[str, float]]:
    for part in header.split(","):
        coding, *parameters = (word.strip().lower() for word in part.split(";"))
        weight = next((word[2:].strip() for word in parameters if word.startswith("q=")), "1")
        yield coding, _weight(weight)


def _weight(text: str) -> float:
    # RFC 9110 allows 0 to 1 with three decimals; anything else counts as 0.
    try:
        weight = float(text)
    except ValueError:
        return 0.0
    return weight if 0.0 <= weight <= 1.0 else 0.0


def names_etag(headers: list[str], etag: str) -> bool:
    """Whether If-None-Match names that entity tag; weak tags match too, as RFC 9110 requires for this header."""
    named = {tag.strip().removeprefix("W/") for header in headers for tag in header.split(",")}
    return "*" in named or etag in named
