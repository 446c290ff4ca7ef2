"""Adapts the stored answer of a run to another request for the same run: its name and its warnings."""

import re
from collections.abc import Sequence

from isal import isal_zlib

from src.services.results.packing import GZIP_WINDOW, unpacked_json
from src.services.storage.records import StoredResult
from src.utils.json_bytes import json_bytes, parsed_json

_HEAD_BYTES = 4_096
"""More than hash and name take together, compressed or not."""

_UP_TO_NAME = re.compile(rb'\{"run_hash":"[^"\\]*","job_id":"[^"\\]*","parameters":\{"name":')
_NAME = re.compile(rb'null|"(?:[^"\\]|\\.)*"')
_FROM_WARNINGS = b',"warnings":['
"""Quotes inside strings are escaped, so this can only be a member of an object."""


def name_in(stored: StoredResult) -> str | None:
    """The name in the stored answer, which stays when its run is renamed."""
    start = isal_zlib.decompressobj(GZIP_WINDOW).decompress(stored.gzip_bytes[:_HEAD_BYTES], _HEAD_BYTES)
    head = _UP_TO_NAME.match(start)
    name = _NAME.match(start, head.end()) if head else None
    found = parsed_json(name.group()) if name else parsed_json(unpacked_json(stored))["parameters"]["name"]
    return None if found is None else str(found)


def with_name_and_warnings(
    body: bytes, name: str | None, warnings: Sequence[str], stored_warnings: Sequence[str]
) -> bytes:
    """The answer with the name and warnings of another request for the same run.

    Args:
        body: JSON as src.services.results.result writes it.
        stored_warnings: those of the request that produced the answer, which come first in its warnings.
    """
    spliced = _spliced(body, name, warnings, len(stored_warnings))
    if spliced is not None:
        return spliced
    answer = parsed_json(body)
    answer["parameters"]["name"] = name
    answer["warnings"] = [*warnings, *answer["warnings"][len(stored_warnings) :]]
    return json_bytes(answer)


def _spliced(body: bytes, name: str | None, warnings: Sequence[str], n_stored: int) -> bytes | None:
    """The same without parsing the rest; None if name and warnings are elsewhere in the answer."""
    head = _UP_TO_NAME.match(body)
    stored_name = _NAME.match(body, head.end()) if head else None
    start = body.rfind(_FROM_WARNINGS)
    if stored_name is None or start < stored_name.end():
        return None
    try:
        # It parses as an object up to the end only if that is the end of the outermost object.
        tail = parsed_json(b"{" + body[start + 1 :])
    except ValueError:
        return None
    tail["warnings"] = [*warnings, *tail["warnings"][n_stored:]]
    rest = memoryview(body)
    middle = rest[stored_name.end() : start]
    return b"".join((rest[: stored_name.start()], json_bytes(name), middle, b",", json_bytes(tail)[1:]))
