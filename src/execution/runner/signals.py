"""The values that on_data may return in every dialect, converted to weights of the universe."""

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from numbers import Real
from typing import Any

from hqg_algorithms import Hold, Liquidate, Signal, TargetWeights

from src.engine.simulator import ProtectedWeights

TOLERANCE = 1e-7
"""Of a sum of weights, the same as that of hqg_algorithms.TargetWeights."""

MAX_TOTAL_WEIGHT = 1.0 + TOLERANCE

LATEST: list[Any] = [None, ()]
"""The mapping of the latest TargetWeights that were valid when created, and its weights in universe order."""

LEVELS = ("stop_loss", "take_profit", "trailing_stop")

_MAX_REPR = 80


class BadSignal(ValueError):
    """on_data returned an invalid signal. The message names the value and the allowed ones.

    Attributes:
        origin: line and function of the strategy that created the signal; None if unknown.
    """

    origin: tuple[int, str] | None = None


def signal_reader(
    symbols: Sequence[str], allow_short: bool = False, max_gross: float = 1.0
) -> Callable[[Any], Sequence[float] | None]:
    """The function that converts what on_data returned to target weights in universe order.

    It takes TargetWeights, Hold, Liquidate, hqg_backtester's Weights and Protected, or a dict of weights ({}
    liquidates) or None (holds) as in older dialects. Symbols left out get zero. Hold gives None; Liquidate is a weight
    of zero for every symbol; Protected gives ProtectedWeights. For any other value, a symbol outside the universe, a
    weight that is not a finite number or is negative without `allow_short`, or weights whose sizes sum to more than
    `max_gross`, it raises BadSignal.

    Args:
        symbols: the universe.
    """
    indices = {symbol: index for index, symbol in enumerate(symbols)}
    nothing = [0.0] * len(indices)
    most = max_gross + TOLERANCE
    least = -most if allow_short else 0.0
    limit = f"max_gross of {max_gross:g}" if allow_short or max_gross != 1 else "1.0"

    def read(value: Any) -> Sequence[float] | None:
        if isinstance(value, TargetWeights):
            weights = value.weights
            if weights is LATEST[0]:
                return LATEST[1]  # type: ignore[no-any-return]
        elif value is None or isinstance(value, Hold):
            return None
        else:
            # A signal of hqg_backtester can only exist once the strategy has imported its module, which takes time.
            ours = sys.modules.get("hqg_backtester.signals")
            if ours is not None and isinstance(value, ours.Protected):
                return ProtectedWeights(read(value.signal) or (), _levels(value, symbols))
            weights = value.weights if ours is not None and isinstance(value, ours.Weights) else _weights_of(value)
        targets = nothing.copy()
        total = 0.0
        for symbol, weight in weights.items():
            if symbol not in indices:
                raise BadSignal(unknown_symbol(symbol, symbols))
            number = weight if type(weight) is float else _to_float(symbol, weight)
            if not least <= number <= most:  # false for NaN
                raise BadSignal(_out_of_range(symbol, number, allow_short, limit))
            targets[indices[symbol]] = number
            total += number
        if allow_short:
            total = sum(map(abs, targets))
        if total > most:
            which = "absolute weights" if allow_short else "weights"
            raise BadSignal(f"{which} sum to {total:.9g}, which exceeds {limit}")
        return targets

    return read


def _levels(protected: Any, symbols: Sequence[str]) -> list[tuple[float, float, float]]:
    """Each symbol's stop loss, take profit and trailing stop, 0.0 for none."""
    columns = []
    for name in LEVELS:
        level = getattr(protected, name)
        by_symbol = level if isinstance(level, Mapping) else dict.fromkeys(symbols, level or 0.0)
        for symbol in by_symbol:
            if symbol not in symbols:
                raise BadSignal(f"{name}: {unknown_symbol(symbol, symbols)}")
        columns.append([by_symbol.get(symbol, 0.0) for symbol in symbols])
    return list(zip(*columns, strict=True))


def _weights_of(value: Any) -> dict[Any, Any]:
    if isinstance(value, Liquidate):
        return {}
    if isinstance(value, dict):
        return value
    if isinstance(value, type) and issubclass(value, Signal):
        raise BadSignal(f"on_data returned the class {value.__name__} itself; write {value.__name__}(...)")
    raise BadSignal(
        f"on_data returned {shown(value)}; it must return TargetWeights(...), Hold() or Liquidate(), "
        "or a dict of weights or None"
    )


def _to_float(symbol: str, weight: Any) -> float:
    """NumPy's numbers are Real; bools and strings that look like numbers are mistakes."""
    if isinstance(weight, Real) and not isinstance(weight, bool):
        with suppress(OverflowError):  # an integer too large for a double
            return float(weight)
    raise BadSignal(f"weight of {symbol} is {shown(weight)}; it must be a number")


def _out_of_range(symbol: str, weight: float, allow_short: bool, limit: str) -> str:
    if weight < 0:
        problem = f"whose size exceeds {limit}" if allow_short else "which is negative"
        return f"weight of {symbol} is {weight:.9g}, {problem}"
    if weight > 1:
        return f"weight of {symbol} is {weight:.9g}, which exceeds {limit}"
    return f"weight of {symbol} is NaN"


def unknown_symbol(symbol: Any, symbols: Sequence[str]) -> str:
    """The sentence about a symbol outside the universe, with the nearest one in it."""
    listed = ", ".join(symbols[:10]) + (", …" if len(symbols) > 10 else "")
    message = f"{shown(symbol)} is not in the universe ({listed})"
    if isinstance(symbol, str) and symbol.strip().upper() in symbols:
        message += f"; did you mean {symbol.strip().upper()!r}?"
    return message


def shown(value: Any) -> str:
    """A short repr, with the type if the repr does not show it; never raises."""
    try:
        text = repr(value)
    except Exception as error:  # noqa: BLE001 - __repr__ is user code
        return f"a {type(value).__name__} (its repr raised {type(error).__name__})"
    text = text if len(text) <= _MAX_REPR else text[:_MAX_REPR] + "…"
    return text if isinstance(value, str | int | float) else f"{text} ({type(value).__name__})"
