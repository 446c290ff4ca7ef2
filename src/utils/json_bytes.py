"""Fast JSON: plain values to bytes and back."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

import orjson

PIECE_ITEMS = 1_000


def json_bytes(value: Any) -> bytes:
    """UTF-8 JSON of plain Python values.

    Text with a lone surrogate (a strategy may raise an exception with it) is written with JSON escapes; a NaN becomes
    null.

    Raises:
        TypeError, ValueError: a value that is not JSON, which means a bug of ours.
    """
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        return json.dumps(value, allow_nan=False, separators=(",", ":")).encode("ascii")


def json_pieces(value: Any) -> Iterator[bytes]:
    """The same JSON in pieces; a long list gives several, because no other thread runs while one is written.

    Long lists are found in objects and in objects nested in them.
    """
    if isinstance(value, list) and len(value) > PIECE_ITEMS:
        yield from array_pieces(value[first : first + PIECE_ITEMS] for first in range(0, len(value), PIECE_ITEMS))
    elif isinstance(value, dict) and any(isinstance(member, dict | list) for member in value.values()):
        yield from object_pieces((name, json_pieces(member)) for name, member in value.items())
    else:
        yield json_bytes(value)


def object_pieces(members: Iterable[tuple[str, Iterable[bytes]]]) -> Iterator[bytes]:
    """A JSON object of values that are already JSON, or are written as they are consumed."""
    before = b"{"
    for name, pieces in members:
        yield before + json_bytes(name) + b":"
        yield from pieces
        before = b","
    yield b"}" if before == b"," else b"{}"


def array_pieces(lists: Iterable[list[Any]]) -> Iterator[bytes]:
    """A JSON array of the elements of all the lists, none of which is empty."""
    before = b"["
    for elements in lists:
        yield before + json_bytes(elements)[1:-1]
        before = b","
    yield b"]" if before == b"," else b"[]"


def grouped(pieces: Iterable[bytes], at_least_bytes: int) -> Iterator[bytes]:
    """The same bytes in pieces of at least that length, except for the last."""
    waiting, length = [], 0
    for piece in pieces:
        waiting.append(piece)
        length += len(piece)
        if length >= at_least_bytes:
            yield b"".join(waiting)
            waiting, length = [], 0
    if waiting:
        yield b"".join(waiting)


def parsed_json(body: bytes) -> dict[str, Any]:
    """The object that json_bytes wrote.

    Raises:
        ValueError: it is not JSON.
    """
    try:
        value: dict[str, Any] = orjson.loads(body)
    except orjson.JSONDecodeError:
        # orjson refuses escapes of a lone surrogate, see json_bytes.
        value = json.loads(body)
    return value
