"""Unifies the dialects of strategies: hqg_algorithms 1.0.x and 0.1.x, and the older contract.

Only `src/execution/runner/strategy_process.py` installs this, before it loads user code.
"""

import re
from collections.abc import Callable
from enum import Enum
from types import FunctionType
from typing import Any

import hqg_algorithms
from hqg_algorithms import (
    Bar,
    BarSize,
    Cadence,
    ExecutionTiming,
    Hold,
    Liquidate,
    PortfolioView,
    Signal,
    Slice,
    Strategy,
    TargetWeights,
)

from src.engine.market import MAX_WARMUP_BARS

MAX_SYMBOLS = 200
MAX_TICKER_CHARACTERS = 12
_TICKER = re.compile(r"\^?[A-Z0-9][A-Z0-9.\-=]{0,19}")


class BadStrategy(ValueError):
    """A strategy's universe or cadence is invalid; the message says why."""


class CallPhase(str, Enum):  # noqa: UP042 - a StrEnum would print otherwise than in 0.1.x
    """When on_data is called within a bar, in the terms of hqg_algorithms 0.1.x."""

    ON_BAR_CLOSE = "on_bar_close"
    ON_BAR_OPEN = "on_bar_open"


DIALECT_4_NAMES: dict[str, Any] = {
    "Bar": Bar,
    "BarSize": BarSize,
    "Cadence": Cadence,
    "CallPhase": CallPhase,
    "ExecutionTiming": ExecutionTiming,
    "Hold": Hold,
    "Liquidate": Liquidate,
    "PortfolioView": PortfolioView,
    "Signal": Signal,
    "Slice": Slice,
    "Strategy": Strategy,
    "TargetWeights": TargetWeights,
}
"""The names that code of the older contract may use without importing them."""


def install(plot: Callable[[str, float | None], None] | None = None) -> None:
    """Let this process load every dialect. Changes hqg_algorithms in place; a second call changes nothing.

    Args:
        plot: what self.plot does.
    """
    if plot is not None:
        Strategy.plot = staticmethod(plot)
    # 1.0.x rejects subclasses whose universe is a method, and base classes without one.
    if "__init_subclass__" in vars(Strategy):
        del Strategy.__init_subclass__
    Cadence.__init__ = _init_cadence
    Cadence.call_phase = CallPhase.ON_BAR_CLOSE
    Cadence.exec_lag_bars = property(lambda cadence: int(cadence.execution is ExecutionTiming.CLOSE_TO_NEXT_OPEN))
    hqg_algorithms.CallPhase = hqg_algorithms.types.CallPhase = CallPhase
    if "CallPhase" not in hqg_algorithms.__all__:
        hqg_algorithms.__all__.append("CallPhase")


def describe(strategy: Any, universe: list[str] | None = None) -> tuple[list[str], Cadence]:
    """A strategy's universe and cadence, whether they are attributes or methods.

    Args:
        strategy: an instance, or a class (instantiated only if it uses methods).
        universe: tickers to use in place of the strategy's own; None uses its own.

    Returns:
        Tickers, stripped, upper-case and unique in order of first appearance; and the cadence, which is daily
        and close to close if the strategy has none.

    Raises:
        BadStrategy: one of them is missing, has another type or breaks a limit.
        Exception: any exception that the strategy's own methods raise.
    """
    if isinstance(strategy, type) and any(
        isinstance(getattr(strategy, name, None), FunctionType) for name in ("universe", "cadence")
    ):
        strategy = strategy()
    tickers = _ask(strategy, "universe") if universe is None else universe
    return checked_universe(tickers), _checked_cadence(_ask(strategy, "cadence"))


def warm_up_of(strategy: Any) -> int:
    """The warmup_bars of a strategy's class, an attribute or a method, in calls of on_data; 0 if it has none.

    An attribute of the instance is its own business.

    Raises:
        BadStrategy: it is no whole number from 0 to MAX_WARMUP_BARS.
    """
    bars = getattr(type(strategy), "warmup_bars", 0)
    if isinstance(bars, FunctionType):
        bars = strategy.warmup_bars()
    if isinstance(bars, bool) or not isinstance(bars, int) or not 0 <= bars <= MAX_WARMUP_BARS:
        raise BadStrategy(f"warmup_bars must be a whole number from 0 to {MAX_WARMUP_BARS}")
    return bars


def parameters_of(strategy: type, given: dict[str, Any]) -> dict[str, Any] | None:
    """The request's parameters over the defaults that a strategy class declares; None if it declares none.

    Raises:
        BadStrategy: declared_parameters is no dict of names, or the request has one that is not in it.
    """
    declared = getattr(strategy, "declared_parameters", None)
    if declared is None:
        return None
    if not isinstance(declared, dict) or not all(isinstance(name, str) for name in declared):
        raise BadStrategy('declared_parameters must be a dict of names and default values, as in {"fast": 10}')
    for name in given:
        if name not in declared:
            known = ", ".join(declared) or "none"
            raise BadStrategy(f"the strategy has no parameter {name!r}: it declares {known}")
    return {**declared, **given}


def _ask(strategy: Any, name: str) -> Any:
    value = getattr(strategy, name, None)
    return value() if callable(value) else value


def checked_universe(value: Any) -> list[str]:
    if value is None:
        raise BadStrategy('the strategy has no universe; define one, e.g. universe = ["SPY", "BND"]')
    if not isinstance(value, list | tuple):
        raise BadStrategy(f"universe must be a list of tickers, not {type(value).__name__}")
    tickers = list(dict.fromkeys(_checked_ticker(item) for item in value))
    if not tickers:
        raise BadStrategy("universe is empty; name at least one ticker")
    if len(tickers) > MAX_SYMBOLS:
        raise BadStrategy(f"universe has {len(tickers)} tickers; at most {MAX_SYMBOLS} are allowed")
    return tickers


def _checked_ticker(value: Any) -> str:
    if not isinstance(value, str):
        raise BadStrategy(f"universe must hold tickers as text, not {type(value).__name__}")
    ticker = value.strip().upper()
    if len(ticker) > MAX_TICKER_CHARACTERS:
        raise BadStrategy(f"ticker {ticker[:40]!r} has more than {MAX_TICKER_CHARACTERS} characters")
    if not _TICKER.fullmatch(ticker):
        raise BadStrategy(f"{ticker!r} is not a ticker (letters, digits, '.', '-' and '=', e.g. SPY, BRK-B, ^GSPC)")
    return ticker


def _checked_cadence(value: Any) -> Cadence:
    if value is None:
        return Cadence()
    if not isinstance(value, Cadence):
        raise BadStrategy(f"cadence must be a Cadence(...), not {type(value).__name__}")
    return Cadence(bar_size=_bar_size(value.bar_size), execution=_execution(value.execution))


def _init_cadence(
    self: Cadence,
    bar_size: Any = BarSize.DAILY,
    execution: Any = None,
    exec_lag_bars: int | None = None,
    *,
    call_phase: Any = None,
) -> None:
    """Cadence.__init__ of 1.0.x (bar_size, execution) and of 0.1.x (bar_size, call_phase, exec_lag_bars)."""
    if execution in tuple(CallPhase):  # the second positional argument of 0.1.x
        execution, call_phase = None, execution
    if execution is None:
        execution = _execution_of(call_phase, exec_lag_bars)
    elif call_phase is not None or exec_lag_bars is not None:
        raise BadStrategy("give Cadence either execution, or call_phase and exec_lag_bars, not both")
    object.__setattr__(self, "bar_size", _bar_size(bar_size))
    object.__setattr__(self, "execution", _execution(execution))


def _execution_of(call_phase: Any, exec_lag_bars: Any) -> ExecutionTiming:
    phase = CallPhase.ON_BAR_CLOSE if call_phase is None else call_phase
    lag = 0 if exec_lag_bars is None else exec_lag_bars
    if phase == CallPhase.ON_BAR_CLOSE and lag == 0:
        return ExecutionTiming.CLOSE_TO_CLOSE
    if phase == CallPhase.ON_BAR_CLOSE and lag == 1:
        return ExecutionTiming.CLOSE_TO_NEXT_OPEN
    raise BadStrategy(
        f"call_phase {getattr(phase, 'name', phase)!s} with exec_lag_bars {lag!r} is not supported; use "
        "ON_BAR_CLOSE with exec_lag_bars 0 (fills at the same close) or 1 (fills at the next open)"
    )


def _bar_size(value: Any) -> BarSize:
    try:
        return BarSize(value if isinstance(value, str) else _bar_size_of_length(value))
    except ValueError:
        names = ", ".join(f"BarSize.{size.name}" for size in BarSize)
        raise BadStrategy(f"bar_size is {value!r}; it must be one of {names}") from None


def _bar_size_of_length(value: Any) -> Any:
    from datetime import timedelta  # noqa: PLC0415 - a box that needs no dates starts without them

    return {timedelta(days=1): BarSize.DAILY, timedelta(days=7): BarSize.WEEKLY}.get(value, value)


def _execution(value: Any) -> ExecutionTiming:
    try:
        return ExecutionTiming(value)
    except ValueError:
        names = " or ".join(f"ExecutionTiming.{timing.name}" for timing in ExecutionTiming)
        raise BadStrategy(f"execution is {value!r}; it must be {names}") from None
