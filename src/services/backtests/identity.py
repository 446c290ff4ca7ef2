"""The identity of a run: a hash of everything that decides its result."""

import hashlib
from collections.abc import Mapping
from typing import Any

from src.utils.canonical_json import canonical_json

ENGINE_VERSION = "2"
"""Incremented when the same input may give a different result than before."""


def code_hash(source: str) -> str:
    """SHA-256 of the source as UTF-8, hexadecimal."""
    return hashlib.sha256(source.encode("utf-8")).hexdigest()


def data_hash(prices: str, delistings: Mapping[int, int], warm_up: str | None = None) -> str:
    """SHA-256 of a run's data, hexadecimal: the hash of its prices if nothing is delisted and there is no warm-up.

    Args:
        prices: the hash of the price table.
        delistings: from src.services.backtests.delistings.find_delistings.
        warm_up: the hash of the earlier days that the strategy sees, None for none.
    """
    parts = {"delistings": sorted(delistings.items()), "warm_up": warm_up}
    present = {name: part for name, part in parts.items() if part}
    if not present:
        return prices
    return hashlib.sha256(canonical_json({"prices": prices, **present})).hexdigest()


def run_hash(ingredients: Mapping[str, Any]) -> str:
    """SHA-256 of the ingredients as canonical JSON, hexadecimal.

    Args:
        ingredients: JSON values only. 1 and 1.0 are the same number, the order of keys does not matter.
    """
    return hashlib.sha256(canonical_json(ingredients)).hexdigest()
