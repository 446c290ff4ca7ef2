"""Writes plain values as JSON bytes and reads them again, fast."""

import json
from collections.abc import Iterator
from typing import Any

import orjson

PIECE_ITEMS = 1_000


def json_bytes(value: Any) -> bytes:
    """UTF-8 JSON of plain Python values.

    Text that holds half of a surrogate pair (a strategy may raise an exception with it) is written with
    JSON escapes; a NaN becomes null.

    Raises:
        TypeError, ValueError: a value that JSON does not know, which only our own fault can put there.
    """
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        return json.dumps(value, allow_nan=False, separators=(",", ":")).encode("ascii")


def json_pieces(value: Any) -> Iterator[bytes]:
    """The same in pieces, a long list in several: while one is written, no other thread can run.

    Long lists are found in objects and in the objects in those.
    """
    if isinstance(value, list) and len(value) > PIECE_ITEMS:
        for first in range(0, len(value), PIECE_ITEMS):
            yield (b"," if first else b"[") + json_bytes(value[first : first + PIECE_ITEMS])[1:-1]
        yield b"]"
    elif isinstance(value, dict) and any(isinstance(member, dict | list) for member in value.values()):
        for number, (name, member) in enumerate(value.items()):
            yield (b"," if number else b"{") + json_bytes(name) + b":"
            yield from json_pieces(member)
        yield b"}"
    else:
        yield json_bytes(value)


def parsed_json(body: bytes) -> dict[str, Any]:
    """The object that json_bytes has written.

    Raises:
        ValueError: it is no JSON.
    """
    try:
        value: dict[str, Any] = orjson.loads(body)
    except orjson.JSONDecodeError:
        # The fast one refuses escapes of half a surrogate pair, see json_bytes.
        value = json.loads(body)
    return value
