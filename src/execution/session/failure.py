"""Turns a box's error report into the sentence that a person reads: what failed, where in their code, on which day."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from src.engine.ledger import MAX_LEVEL_CHANGES
from src.execution.text import printable

KINDS = (
    *("exception", "signal", "malformed", "time", "memory", "output", "orders", "levels", "threads"),
    *("killed", "crashed", "exited", "silent"),
)
"""Kinds that a box may report. Only the host sets "vanished" and "protocol"."""

MAX_FRAMES = 20
MAX_MESSAGE_CHARACTERS = 2_000


@dataclass(frozen=True)
class Failure:
    """Why a run failed.

    Attributes:
        kind: one of KINDS, "vanished" or "protocol".
        type: the exception type's name, for "exception" and "memory".
        message: its message, printable.
        frames: (line, function) in the user's source, innermost last; lines are 1-based.
        day: timeline index of the bar, None before the first bar.
        code: exit status, for "exited".
    """

    kind: str
    type: str = ""
    message: str = ""
    frames: tuple[tuple[int, str], ...] = ()
    day: int | None = None
    code: int = 0

    def of_kind(self, kind: str) -> "Failure":
        """The same failure with a more accurate kind."""
        return replace(self, kind=kind)


def failure_from_wire(value: Any, n_days: int) -> Failure:
    """Check a box's error report.

    Args:
        value: FINISHED.error; hostile.
        n_days: length of the timeline, 0 before prices were sent.

    Raises:
        ValueError: it does not have the expected shape.
    """
    if not isinstance(value, dict) or value.get("kind") not in KINDS:
        raise ValueError("unknown kind")
    day = value.get("day")
    if day is not None and not (type(day) is int and 0 <= day < n_days):
        raise ValueError("a day outside the timeline")
    code = value.get("code", 0)
    return Failure(
        kind=value["kind"],
        type=_text(value, "type", 100).replace("\n", "\\n"),
        message=_text(value, "message", MAX_MESSAGE_CHARACTERS),
        frames=_frames(value.get("frames", [])),
        day=day,
        code=code if type(code) is int else 0,
    )


def _text(value: dict[str, Any], name: str, max_characters: int) -> str:
    text = value.get(name, "")
    if not isinstance(text, str):
        raise ValueError(f"{name} is not text")
    # Line breaks stay: messages of several lines are common and harmless.
    return "\n".join(printable(line, max_characters) for line in text[:max_characters].split("\n"))


def _frames(frames: Any) -> tuple[tuple[int, str], ...]:
    if not isinstance(frames, list) or len(frames) > MAX_FRAMES:
        raise ValueError("frames are not a list, or too long")
    checked = []
    for frame in frames:
        match frame:
            case [int(line), str(function)] if 0 <= line <= 10_000_000:
                checked.append((line, printable(function, 100)))
            case _:
                raise ValueError("a malformed frame")
    return tuple(checked)


def failure_errors(
    failure: Failure, *, dates: Sequence[str], wall_seconds: float, memory_bytes: int, max_orders: int
) -> list[str]:
    """The sentences for a response's execution_errors.

    Args:
        dates: ISO dates of the timeline, for naming the day.
    """
    when = dates[failure.day] if failure.day is not None and failure.day < len(dates) else ""
    where = f" at {when}" if when else "" if dates else " while the strategy was loading"
    match failure.kind:
        case "exception" if failure.type == "BadSignal":
            return [failure.message + (_place(failure, when) if failure.frames else f" (on_data, {when})")]
        case "exception":
            return [f"{failure.type}: {failure.message}".removesuffix(": ") + _place(failure, when)]
        case "signal":
            return [f"on_data did not return a valid signal: {failure.message}{where}"]
        case "time":
            return [f"time limit of {wall_seconds:g} s exceeded{where}"]
        case "memory":
            return [f"memory limit of {memory_bytes // (1024 * 1024)} MB exceeded{where}" + _line(failure)]
        case "output":
            return [f"output limit of 16 MB exceeded{where}: print less"]
        case "orders" | "levels":
            changes = f"{MAX_LEVEL_CHANGES:,} changes of protective levels", "change them less often"
            orders = f"{max_orders:,} orders", "trade less often or fewer symbols"
            what, instead = orders if failure.kind == "orders" else changes
            return [f"limit of {what} exceeded{where}: {instead}"]
        case "threads":
            return [f"limit of 64 threads exceeded{where}"]
        case "malformed":
            return [f"the strategy's process sent an unreadable reply{where}"]
        case "exited":
            return [f"the strategy ended its own process with exit code {failure.code}{where}"]
        case "protocol":
            return [f"the box's reply was rejected: {failure.message}"]
        case "vanished":
            return ["the box ended before it replied"]
    return [f"the strategy's process crashed{where}"]


def _place(failure: Failure, when: str) -> str:
    if not failure.frames:
        return f" ({when})" if when else ""
    line, function = failure.frames[-1]
    parts = [f"line {line}", function, when]
    return f" ({', '.join(part for part in parts if part and part != '<module>')})"


def _line(failure: Failure) -> str:
    return f" (line {failure.frames[-1][0]}, {failure.frames[-1][1]})" if failure.frames else ""


def failure_traceback(failure: Failure, source: str) -> str:
    """A traceback of the user's own frames, with lines from the host's copy of the source."""
    if not failure.frames:
        return ""
    lines = source.splitlines()
    parts = ["Traceback (most recent call last):"]
    for line, function in failure.frames:
        parts.append(f'  File "strategy.py", line {line}, in {function}')
        if 0 < line <= len(lines):
            parts.append(f"    {lines[line - 1].strip()[:500]}")
    parts.append(f"{failure.type}: {failure.message}")
    return "\n".join(parts)
