"""Finished answers as they are stored: compressed once, hashed, and compared with each other."""

import hashlib
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from src.errors import StrategyFailed
from src.services.results.packing import Packing, TooLong, unpacked_json
from src.services.storage.records import StoredResult
from src.utils.json_bytes import json_bytes, json_pieces, parsed_json

MAX_DIFFERENCES = 100
"""Maximum number of paths listed when two answers differ."""

VOLATILE = {"parameters": frozenset({"name"}), "provenance": frozenset({"timings_ms", "sandbox", "data"})}
"""Parts that differ between equal runs: names, timings, sandbox, and when the prices were fetched."""


def stored_result(answer: dict[str, Any], max_bytes: int = sys.maxsize) -> tuple[StoredResult, bytes | None]:
    """The answer's stored form, and its JSON before compression unless that is long.

    Consumes the answer, so that its parts need not be in memory together.

    Args:
        max_bytes: maximum size of the JSON.

    Raises:
        StrategyFailed: it is larger.
    """
    try:
        return _stored(answer, Packing(max_bytes))
    except TooLong as error:
        what = f"limit of {max_bytes / 1e6:,.1f} MB for the answer of a run exceeded"
        raise StrategyFailed([f"{what}: trade less often or fewer symbols, or choose a shorter window"]) from error


def _stored(answer: dict[str, Any], packing: Packing) -> tuple[StoredResult, bytes | None]:
    digests = {}
    for number, name in enumerate(list(answer)):
        packing.write((b"," if number else b"{") + json_bytes(name) + b":")
        value, digest = answer.pop(name), hashlib.sha256()
        for piece in json_pieces(value):
            packing.write(piece)
            digest.update(piece)
        lasting = _lasting(name, value)
        digests[name] = digest.digest() if lasting is value else hashlib.sha256(json_bytes(lasting)).digest()
    packing.write(b"}")
    digests.pop("warnings")
    digest = hashlib.sha256(b"".join(name.encode() + digests[name] for name in sorted(digests)))
    return packing.stored(digest.hexdigest()), packing.json


def differences(stored: StoredResult, other: StoredResult) -> tuple[str, ...]:
    """Paths of the values in which two answers differ, like "metrics.sharpe_ratio"; empty if they are equal."""
    if stored.digest == other.digest:
        return ()
    these, those = (_lasting_parts(parsed_json(unpacked_json(result))) for result in (stored, other))
    found = _differing(these, those, "")
    paths = [path for path, _ in zip(found, range(MAX_DIFFERENCES), strict=False)]
    return (*paths, "…") if next(found, None) is not None else tuple(paths)


def _lasting_parts(answer: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _lasting(name, value) for name, value in answer.items() if name != "warnings"}


def _lasting(name: str, value: Any) -> Any:
    """A part of the answer without values that may differ between equal runs."""
    volatile = VOLATILE.get(name)
    return value if volatile is None else {key: of for key, of in value.items() if key not in volatile}


def _differing(this: Any, other: Any, path: str) -> Iterator[str]:
    if isinstance(this, dict) and isinstance(other, dict):
        for name in sorted({*this, *other}):
            if (name in this) != (name in other):
                yield f"{path}.{name}".lstrip(".")
            else:
                yield from _differing(this[name], other[name], f"{path}.{name}".lstrip("."))
    elif isinstance(this, list) and isinstance(other, list):
        if len(this) != len(other):
            yield f"{path}.length"
        for index, (one, two) in enumerate(zip(this, other, strict=False)):
            yield from _differing(one, two, f"{path}[{index}]")
    elif this != other or isinstance(this, bool) != isinstance(other, bool):
        yield path
