"""Signals beyond those of `hqg_algorithms`: weights that may be negative, and protective exits.

Every box has this module, and the client's distribution too, so that a strategy imports at home as it does there.
"""

import math
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from numbers import Real
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hqg_algorithms import Signal, TargetWeights
else:
    try:
        from hqg_algorithms import Signal, TargetWeights
    except ImportError:  # the client needs nothing but Python

        class Signal:
            """Stands in for hqg_algorithms.Signal where that is not installed."""

        TargetWeights = Signal

Level = float | Mapping[str, float] | None
"""A fraction for every symbol, a fraction by symbol, or none."""


@dataclass(frozen=True)
class Weights(Signal):  # type: ignore[misc]
    """Target weights as fractions of equity; below zero is short. Symbols left out are closed.

    Unlike TargetWeights, it leaves to the request which weights are allowed: `allow_short` and `max_gross`.

    Raises:
        ValueError: `weights` is not a mapping of symbols to finite numbers.
    """

    weights: Mapping[str, float]

    def __post_init__(self) -> None:
        if not isinstance(self.weights, Mapping):
            raise ValueError(f"Weights needs a mapping such as {{'SPY': -0.5}}, not {type(self.weights).__name__}")
        checked = {symbol: _number(f"weight of {symbol}", weight) for symbol, weight in self.weights.items()}
        object.__setattr__(self, "weights", MappingProxyType(checked))


@dataclass(frozen=True)
class Protected(Signal):  # type: ignore[misc]
    """Target weights whose positions are closed when their price reaches a level.

    A level is a fraction: a number for every symbol, or a mapping by symbol. The engine checks the low and the high of
    every bar after the fill. Levels stay in place while on_data returns Hold; the next signal replaces all of them.

    Args:
        signal: TargetWeights, Weights or a dict of weights.
        stop_loss: loss at which a position is closed, as a fraction of its average cost; above 0 and below 1.
        take_profit: gain at which it is closed, as a fraction of its average cost; above 0.
        trailing_stop: fall from the best price since the position was opened, as a fraction of that price; above 0 and
            below 1. A short position's best price is its lowest.

    Raises:
        ValueError: another signal, or a level that is not a finite number in its range.
    """

    signal: "TargetWeights | Weights | Mapping[str, float]"
    _: KW_ONLY
    stop_loss: Level = None
    take_profit: Level = None
    trailing_stop: Level = None

    def __post_init__(self) -> None:
        if isinstance(self.signal, dict):
            object.__setattr__(self, "signal", Weights(self.signal))
        elif not isinstance(self.signal, Weights | TargetWeights) or isinstance(self.signal, Protected):
            raise ValueError(
                f"Protected wraps TargetWeights(...), Weights(...) or a dict of weights, not {_named(self.signal)}"
            )
        for name, most in (("stop_loss", 1.0), ("take_profit", math.inf), ("trailing_stop", 1.0)):
            object.__setattr__(self, name, _checked_level(name, getattr(self, name), most))


def _checked_level(name: str, level: Any, below: float) -> Level:
    if level is None:
        return None
    if isinstance(level, Mapping):
        checked = {symbol: _fraction(f"{name} of {symbol}", value, below) for symbol, value in level.items()}
        return MappingProxyType(checked)
    return _fraction(name, level, below)


def _fraction(name: str, value: Any, below: float) -> float:
    number = _number(name, value)
    if not 0.0 < number < below:
        limit = f"above 0 and below {below:g}" if below < math.inf else "above 0"
        raise ValueError(f"{name} is {number:.9g}; it must be a fraction {limit}, such as 0.05 for 5 %")
    return number


def _number(name: str, value: Any) -> float:
    """NumPy's numbers are Real; bools and strings that look like numbers are mistakes."""
    if not isinstance(value, Real) or isinstance(value, bool):
        raise ValueError(f"{name} is {_named(value)}; it must be a number")
    try:
        number = float(value)
    except OverflowError:  # an integer too large for a double
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"{name} is {number}; it must be finite")
    return number


def _named(value: Any) -> str:
    return f"the class {value.__name__}" if isinstance(value, type) else f"{value!r:.80} ({type(value).__name__})"
