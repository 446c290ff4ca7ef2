"""What names a run: one hash over everything that decides its result."""

import hashlib
import json
from typing import Any

ENGINE_VERSION = "1"
"""Raised by one whenever the same input may give another result than before."""


def code_hash(source: str) -> str:
    """SHA-256 of the source as UTF-8, hexadecimal."""
    return hashlib.sha256(source.encode("utf-8")).hexdigest()


def run_hash(ingredients: dict[str, Any]) -> str:
    """SHA-256 of the ingredients as canonical JSON, hexadecimal.

    Args:
        ingredients: JSON values only. 1 and 1.0 are the same number, the order of keys does not matter.
    """
    text = json.dumps(_canonical(ingredients), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _canonical(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _canonical(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_canonical(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
