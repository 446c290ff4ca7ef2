"""JSON with one spelling for each value, so that equal values have equal hashes."""

import json
from collections.abc import Mapping
from typing import Any

_LEAST_INTEGER, _GREATEST_INTEGER = -(2**63), 2**64 - 1
"""Whole numbers outside these can only come from floats: no request holds such an integer."""


def canonical_json(value: Any) -> bytes:
    """The canonical spelling of a JSON value, in ASCII."""
    return json.dumps(canonical(value), separators=(",", ":"), allow_nan=False).encode("ascii")


def canonical(value: Any) -> Any:
    """The same JSON value with its keys sorted and whole numbers as integers.

    Inputs with equal hashes must run equally, so strategies also receive their parameters in this form.
    """
    if isinstance(value, Mapping):
        return {name: canonical(value[name]) for name in sorted(value)}
    if isinstance(value, list | tuple):
        return [canonical(item) for item in value]
    if isinstance(value, float) and value.is_integer() and _LEAST_INTEGER <= value <= _GREATEST_INTEGER:
        return int(value)
    return value
