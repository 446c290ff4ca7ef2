"""The strategy process's JSON replies, its description and its errors, checked field by field.

User code can write to the reply pipe. So this module parses and rebuilds every reply, and the host receives only
replies within its limits.
"""

import json
from typing import Any

from hqg_algorithms import BarSize, ExecutionTiming

from src.engine.market import MAX_WARMUP_BARS
from src.execution.runner import dialects
from src.execution.runner.errors import RunFailed

MAX_ANSWER_BYTES = 1_000_000
MAX_TYPE_CHARACTERS = 100
MAX_MESSAGE_CHARACTERS = 2_000
MAX_FRAMES = 20
_MAX_FUNCTION_CHARACTERS = 100
_MAX_LINE = 10_000_000


def payload_length(head: bytes) -> int:
    """The length in a header of four bytes.

    Raises:
        RunFailed: it is longer than a reply may be.
    """
    length = int.from_bytes(head, "little")
    if length > MAX_ANSWER_BYTES:
        raise RunFailed("malformed")
    return length


def read_description(payload: bytes) -> dict[str, Any]:
    """Read the universe, the cadence and the warm-up from a description.

    Raises:
        RunFailed: it has any other content.
    """
    match _parsed(payload):
        case {
            "universe": list(universe),
            "bar_size": str(bar_size),
            "execution": str(execution),
            "warmup_bars": int(warmup_bars),
        } if (
            _is_universe(universe)
            and bar_size in set(BarSize)
            and execution in set(ExecutionTiming)
            and 0 <= warmup_bars <= MAX_WARMUP_BARS
        ):
            return {
                "universe": universe,
                "bar_size": bar_size,
                "execution": execution,
                "warmup_bars": int(warmup_bars),
            }
    raise RunFailed("malformed")


def read_error(payload: bytes) -> RunFailed:
    """The failure in an error report; a "malformed" failure if it is not a valid report."""
    match _parsed(payload):
        case {"type": str(name), "message": str(message), "frames": list(frames), "is_memory": bool(is_memory)} if len(
            frames
        ) <= MAX_FRAMES and all(map(_is_frame, frames)):
            return RunFailed(
                "memory" if is_memory else "exception",
                type=_type_name(name),
                message=message[:MAX_MESSAGE_CHARACTERS],
                frames=[(line, function[:_MAX_FUNCTION_CHARACTERS]) for line, function in frames],
            )
    return RunFailed("malformed")


def _parsed(payload: bytes) -> Any:
    try:
        return json.loads(payload)
    except (ValueError, RecursionError):
        return None


def _is_universe(universe: list[Any]) -> bool:
    try:
        return dialects.checked_universe(universe) == universe
    except dialects.BadStrategy:
        return False


def _is_frame(frame: Any) -> bool:
    match frame:
        case [int(line), str()]:
            return not isinstance(line, bool) and 0 <= line <= _MAX_LINE
    return False


def _type_name(name: str) -> str:
    """The name unchanged if it is an identifier, otherwise quoted as a string."""
    cut = name[:MAX_TYPE_CHARACTERS]
    return cut if cut.isidentifier() else ascii(cut)[:MAX_TYPE_CHARACTERS]
