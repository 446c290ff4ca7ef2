"""Finds the strategy's line that created a signal, so that an error about its content can name it."""

import sys
from collections.abc import Callable
from types import CodeType
from typing import Any

from hqg_algorithms import TargetWeights

SOURCE_NAME = "strategy.py"
"""The file name of user code in tracebacks."""

_ATTRIBUTE = "_made_at"


def note_lines() -> None:
    """Make every TargetWeights record where user code created it. A second call changes nothing."""
    check = TargetWeights.__post_init__
    if check.__module__ == __name__:
        return

    def check_and_note(signal: TargetWeights) -> None:
        check(signal)
        frame = sys._getframe(1)
        # The inner frames are the generated __init__ and those of subclasses.
        while frame is not None and frame.f_code.co_filename != SOURCE_NAME:
            frame = frame.f_back  # type: ignore[assignment]
        if frame is not None:
            object.__setattr__(signal, _ATTRIBUTE, (frame.f_lineno, frame.f_code.co_name))

    TargetWeights.__post_init__ = check_and_note


def place_of(signal: Any, on_data: Callable[..., Any]) -> tuple[int, str] | None:
    """Line and function that made a signal; where it does not say, the first line of the on_data that returned it.

    None where neither is known.
    """
    place = getattr(signal, _ATTRIBUTE, None) if isinstance(signal, TargetWeights) else None
    match place:
        case (int(line), str(function)):
            return line, function
    code = getattr(on_data, "__code__", None)
    if isinstance(code, CodeType) and code.co_filename == SOURCE_NAME:
        return code.co_firstlineno, code.co_name
    return None
