"""Finds the strategy's line that created an invalid signal, so that the error can name it."""

import sys
from collections.abc import Callable, Sequence
from types import CodeType, MappingProxyType
from typing import Any

from hqg_algorithms import TargetWeights

from src.execution.runner.signals import LATEST, MAX_TOTAL_WEIGHT

SOURCE_NAME = "strategy.py"
"""The file name of user code in tracebacks."""

_ORIGIN = "_created_at"
_plain_init: Callable[..., None] = TargetWeights.__init__


def check_at_creation(symbols: Sequence[str]) -> None:
    """Make every TargetWeights check itself against the universe when it is created. The last call counts.

    The weights of a valid one are kept in universe order, which `signal_reader` takes if it is the next to be read.
    Any other is left to the library's own checks and records the line of user code that created it.

    Args:
        symbols: the universe; empty as long as it is unknown.
    """
    indices = {symbol: index for index, symbol in enumerate(symbols)}
    nothing = [0.0] * len(indices)
    LATEST[:] = None, ()

    def create(self: TargetWeights, weights: Any) -> None:
        if type(self) is TargetWeights and type(weights) is dict:
            targets, total = nothing.copy(), 0.0
            for symbol, weight in weights.items():
                if symbol not in indices or type(weight) is not float or not weight >= 0.0:
                    break
                targets[indices[symbol]] = weight
                total += weight
            else:
                if total <= MAX_TOTAL_WEIGHT:
                    # Through __dict__, which is quicker than object.__setattr__.
                    self.__dict__["weights"] = LATEST[0] = MappingProxyType(weights.copy())
                    LATEST[1] = targets
                    return
        _plain_init(self, weights)
        frame = sys._getframe(1)
        while frame is not None and frame.f_code.co_filename != SOURCE_NAME:
            frame = frame.f_back  # type: ignore[assignment]
        if frame is not None:
            self.__dict__[_ORIGIN] = (frame.f_lineno, frame.f_code.co_name)

    TargetWeights.__init__ = create


def origin_of(signal: Any, on_data: Callable[..., Any]) -> tuple[int, str] | None:
    """Line and function that made a signal; where it does not say, the first line of the on_data that returned it.

    None where neither is known.
    """
    inner = getattr(signal, "signal", signal)  # of hqg_backtester.Protected
    match getattr(inner, _ORIGIN, None) if isinstance(inner, TargetWeights) else None:
        case (int(line), str(function)):
            return line, function
    code = getattr(on_data, "__code__", None)
    if isinstance(code, CodeType) and code.co_filename == SOURCE_NAME:
        return code.co_firstlineno, code.co_name
    return None
