"""JSON responses from plain values."""

from collections.abc import Mapping
from typing import Any

from fastapi import Response

from src.utils.json_bytes import json_bytes


def json_response(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A response with the value as its JSON body."""
    return Response(json_bytes(value), status, headers, media_type="application/json")
