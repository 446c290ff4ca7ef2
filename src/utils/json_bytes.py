"""Writes plain values as JSON bytes, once and fast."""

import json
from typing import Any

import orjson


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
