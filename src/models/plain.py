"""Checks on untrusted values, so that later steps can rely on their numbers, text and nested JSON."""

import json
import math
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

MAX_DEPTH = 32
"""Maximum nesting depth of lists and objects."""

MIN_INTEGER = -(2**63)
MAX_INTEGER = 2**64 - 1
"""Some JSON parsers cannot represent integers outside these bounds."""


def is_well_formed(text: str) -> bool:
    """Whether text can be written as UTF-8: JSON escapes can smuggle in half of a surrogate pair."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def printable(text: str, max_length: int = 80) -> str:
    """Untrusted text, truncated and escaped so that it is safe in an answer or a log line."""
    shown = text if len(text) <= max_length else text[:max_length] + "…"
    shown = shown.encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in shown)


def _well_formed(text: str) -> str:
    if not is_well_formed(text):
        raise PydanticCustomError(
            "lone_surrogate",
            "The text holds half of a surrogate pair (\\ud800 to \\udfff), which is not a character",
        )
    return text


def _neither_text_nor_truth(value: Any) -> Any:
    if isinstance(value, bool | str | bytes):
        raise PydanticCustomError("int_type", "Input should be a valid integer")
    return value


Text = Annotated[str, Field(strict=True), AfterValidator(_well_formed)]
"""A string that is valid UTF-8."""

Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
"""A finite JSON number: no text, no true or false, no NaN, no Infinity."""

WholeNumber = Annotated[int, BeforeValidator(_neither_text_nor_truth)]
"""A JSON number without a fraction; 1.0 is one, as in JSON Schema."""


def check_plain_json(value: dict[str, Any], *, max_bytes: int) -> dict[str, Any]:
    """Return the same object if all of it is JSON of bounded size.

    Args:
        value: an object parsed by `json.loads`.
        max_bytes: maximum size as compact UTF-8 JSON.

    Raises:
        PydanticCustomError: too large, nested deeper than MAX_DEPTH, a number that is not finite or an
            integer beyond 64 bits, text with half a surrogate pair, or a value that JSON does not have;
            the message gives the path.
    """
    for count, (path, depth, item) in enumerate(_values(value)):
        # Each value takes at least two bytes as JSON, so the walk can stop long before a hostile body ends.
        if 2 * max(count, len(item) if isinstance(item, dict | list) else 0) > max_bytes:
            raise _too_large(max_bytes)
        problem = "is nested too deep" if depth > MAX_DEPTH else _problem(item)
        if problem:
            raise PydanticCustomError("not_plain_json", f"{path} {problem}")
    if len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8")) > max_bytes:
        raise _too_large(max_bytes)
    return value


def _values(root: dict[str, Any]) -> Iterator[tuple[str, int, Any]]:
    """Every value below root with its path and depth, without recursion: the nesting is untrusted."""
    waiting: list[tuple[str, int, Any]] = [("", 0, root)]
    while waiting:
        path, depth, value = waiting.pop()
        yield path or "the object", depth, value
        if depth > MAX_DEPTH:
            continue
        if isinstance(value, dict):
            for key, child in value.items():
                yield f"a key of {path or 'the object'}", depth, key
                waiting.append((f"{path}.{printable(str(key), 40)}".lstrip("."), depth + 1, child))
        elif isinstance(value, list):
            waiting.extend((f"{path}[{index}]", depth + 1, child) for index, child in enumerate(value))


def _problem(value: Any) -> str | None:
    if isinstance(value, str):
        return None if is_well_formed(value) else "holds half of a surrogate pair"
    if isinstance(value, float):
        return None if math.isfinite(value) else "is not a finite number"
    if isinstance(value, int) and not MIN_INTEGER <= value <= MAX_INTEGER:
        return "is an integer beyond 64 bits; send it as text"
    if value is None or isinstance(value, bool | int | list | dict):
        return None
    return f"is a {type(value).__name__}, which is not a JSON type"


def _too_large(max_bytes: int) -> PydanticCustomError:
    return PydanticCustomError("too_large", "At most {max_bytes} bytes as JSON", {"max_bytes": max_bytes})
