"""The identity of a run: a hash of everything that decides its result."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

ENGINE_VERSION = "2"
"""Incremented when the same input may give a different result than before."""

_LEAST_INTEGER, _GREATEST_INTEGER = -(2**63), 2**64 - 1
"""Whole numbers outside these can only come from floats: no request holds such an integer."""


def code_hash(source: str) -> str:
    """SHA-256 of the source as UTF-8, hexadecimal."""
    return hashlib.sha256(source.encode("utf-8")).hexdigest()


def data_hash(prices: str, delistings: Mapping[int, int]) -> str:
    """SHA-256 of a run's data, hexadecimal: the hash of its prices if nothing is delisted.

    Args:
        prices: the hash of the price table.
        delistings: from src.services.backtests.delistings.find_delistings.
    """
    if not delistings:
        return prices
    return hashlib.sha256(canonical_json({"prices": prices, "delistings": sorted(delistings.items())})).hexdigest()


def run_hash(ingredients: Mapping[str, Any]) -> str:
    """SHA-256 of the ingredients as canonical JSON, hexadecimal.

    Args:
        ingredients: JSON values only. 1 and 1.0 are the same number, the order of keys does not matter.
    """
    return hashlib.sha256(canonical_json(ingredients)).hexdigest()


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
