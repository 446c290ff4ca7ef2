"""Compares two results of one run, as its JSON shows them."""

from collections.abc import Iterator, Mapping
from typing import Any

from src.services.results.answer_json import answer_pieces
from src.services.results.result import Result
from src.utils.json_bytes import parsed_json

MAX_DIFFERENCES = 100
"""Maximum number of paths listed when two results differ."""

VOLATILE = {"parameters": frozenset({"name"}), "provenance": frozenset({"timings_ms", "sandbox", "data"})}
"""Parts that differ between equal runs: names, timings, sandbox, and when the prices were fetched."""


def differences(result: Result, other: Result) -> tuple[str, ...]:
    """Paths of the values in which two results differ, like "metrics.sharpe_ratio"; empty if they are equal."""
    these, those = (_lasting_parts(parsed_json(b"".join(answer_pieces(each)))) for each in (result, other))
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
