"""Reads the cadence: a literal Cadence(…) with the arguments of hqg_algorithms 1.0.x or 0.1.x."""

import ast
from enum import Enum
from typing import TypeVar

from hqg_algorithms import BarSize, Cadence, ExecutionTiming

from src.execution.reading.analysis.code_map import CodeMap
from src.execution.reading.analysis.scope import Scope
from src.execution.reading.analysis.violations import Report, shown
from src.execution.reading.strategy_source.declared import Declared

E = TypeVar("E", bound=Enum)

_FORM = "Cadence(bar_size=BarSize.DAILY, execution=ExecutionTiming.CLOSE_TO_NEXT_OPEN)"
_KEYWORDS = ("bar_size", "execution", "call_phase", "exec_lag_bars")
_TIMINGS = {0: ExecutionTiming.CLOSE_TO_CLOSE, 1: ExecutionTiming.CLOSE_TO_NEXT_OPEN}
"""By exec_lag_bars, when called at the bar's close; daily bars can simulate no other timing of 0.1.x."""


class _Computed(Exception):
    """Only running the code can determine the cadence."""


class _Wrong(Exception):
    """The cadence is invalid and has been reported."""


def read_cadence(report: Report, code: CodeMap, cadence: Declared) -> Cadence | None:
    """The cadence; Cadence() if the strategy has none, None if the code computes it or it is invalid."""
    if cadence.is_missing:
        return Cadence()
    expression = cadence.expression
    if expression is None:
        return None
    scope = next(scope for node, scope in zip(code.nodes, code.scopes, strict=True) if node is expression)
    reader = _Reader(report, code, scope)
    if isinstance(expression, ast.Call) and code.framework_name(expression.func, scope) == "Cadence":
        try:
            return reader.read(expression)
        except (_Computed, _Wrong):
            return None
    is_literal = isinstance(expression, (ast.Constant, ast.Dict, ast.Set, ast.List, ast.Tuple))
    if is_literal or reader.member_of(expression):
        report.add(expression, "invalid-cadence", f"The cadence must be written as {_FORM}")
    return None


class _Reader:
    def __init__(self, report: Report, code: CodeMap, scope: Scope) -> None:
        self._report, self._code, self._scope = report, code, scope

    def read(self, call: ast.Call) -> Cadence:
        """The cadence that a call creates."""
        arguments = self._arguments(call)
        is_old = "call_phase" in arguments or "exec_lag_bars" in arguments
        if is_old and "execution" in arguments:
            raise self._wrong(
                call, "invalid-cadence", "Give either execution or call_phase with exec_lag_bars, not both"
            )
        bar_size = self._choice(arguments.get("bar_size"), BarSize, BarSize.DAILY)
        if is_old:
            return Cadence(bar_size=bar_size, execution=self._old_timing(arguments))
        execution = arguments.get("execution")
        return Cadence(
            bar_size=bar_size, execution=self._choice(execution, ExecutionTiming, ExecutionTiming.CLOSE_TO_CLOSE)
        )

    def member_of(self, node: ast.expr) -> tuple[str, str] | None:
        """("BarSize", "DAILY") if the node is such a member of one of the framework's enums, else None."""
        if not isinstance(node, ast.Attribute):
            return None
        enum = self._code.framework_name(node.value, self._scope)
        return (enum, node.attr) if enum in {"BarSize", "ExecutionTiming", "CallPhase"} else None

    def _arguments(self, call: ast.Call) -> dict[str, ast.expr]:
        arguments: dict[str, ast.expr] = {}
        for keyword in call.keywords:
            if keyword.arg is None:
                raise _Computed
            if keyword.arg not in _KEYWORDS:
                message = f"Cadence has no argument '{shown(keyword.arg)}': it takes bar_size and execution"
                raise self._wrong(keyword, "invalid-cadence", message)
            is_none = isinstance(keyword.value, ast.Constant) and keyword.value.value is None
            if not is_none or keyword.arg == "bar_size":
                arguments[keyword.arg] = keyword.value
        names = self._positional_names(call)
        if len(call.args) > len(names):
            raise self._wrong(call, "invalid-cadence", f"Cadence has too many arguments: write {_FORM}")
        for name, value in zip(names, call.args, strict=False):
            if name in arguments:
                raise self._wrong(value, "invalid-cadence", f"Cadence is given {name} twice")
            arguments[name] = value
        return arguments

    def _positional_names(self, call: ast.Call) -> tuple[str, ...]:
        """1.0.x takes bar_size and execution; 0.1.x bar_size, call_phase and exec_lag_bars. The second decides."""
        if any(isinstance(value, ast.Starred) for value in call.args):
            raise _Computed
        if len(call.args) < 2:
            return ("bar_size",)
        second = call.args[1]
        member = self.member_of(second)
        if member is None and not isinstance(second, ast.Constant):
            raise _Computed
        is_new = member is not None and member[0] == "ExecutionTiming"
        return ("bar_size", "execution") if is_new else ("bar_size", "call_phase", "exec_lag_bars")

    def _choice(self, node: ast.expr | None, enum: type[E], default: E) -> E:
        if node is None:
            return default
        member = self.member_of(node)
        if member is None and not isinstance(node, ast.Constant):
            raise _Computed
        if member is not None and member[0] == enum.__name__ and member[1] in enum.__members__:
            return enum[member[1]]
        if isinstance(node, ast.Constant) and node.value in [choice.value for choice in enum]:
            return enum(node.value)
        choices = ", ".join(f"{enum.__name__}.{choice}" for choice in enum.__members__)
        raise self._wrong(node, "invalid-cadence", f"This must be one of {choices}")

    def _old_timing(self, arguments: dict[str, ast.expr]) -> ExecutionTiming:
        self._check_phase(arguments.get("call_phase"))
        lag = arguments.get("exec_lag_bars")
        if lag is None:
            return _TIMINGS[0]
        if not isinstance(lag, (ast.Constant, ast.UnaryOp)):
            raise _Computed
        value = lag.value if isinstance(lag, ast.Constant) else None
        if type(value) is not int or value not in _TIMINGS:
            message = "exec_lag_bars must be 0 (fill at the same close) or 1 (fill at the next open)"
            raise self._wrong(lag, "cadence-not-supported", message)
        return _TIMINGS[value]

    def _check_phase(self, node: ast.expr | None) -> None:
        if node is None:
            return
        member = self.member_of(node)
        if member is None and not isinstance(node, ast.Constant):
            raise _Computed
        if isinstance(node, ast.Constant) and node.value == "on_bar_close":
            return
        if member != ("CallPhase", "ON_BAR_CLOSE"):
            message = "call_phase must be CallPhase.ON_BAR_CLOSE: on daily bars a strategy is called after the close"
            raise self._wrong(node, "cadence-not-supported", message)

    def _wrong(self, node: ast.AST, rule: str, message: str) -> _Wrong:
        self._report.add(node, rule, message)
        return _Wrong()
