"""Writes answers as JSON bytes, once and fast."""

import json
from collections.abc import Mapping
from typing import Any

import orjson
from fastapi import Response


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


def json_answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A response with that value as its body."""
    return Response(json_bytes(value), status, headers, media_type="application/json")
