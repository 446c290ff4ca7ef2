"""Reads warmup_bars: how many earlier bars a strategy asks to see."""

import ast

from src.engine.market import MAX_WARMUP_BARS
from src.execution.reading.analysis.violations import Report
from src.execution.reading.strategy_source.declared import Declared


def read_warm_up(report: Report, declaration: Declared) -> int | None:
    """The number of bars; 0 if the strategy has none, None if only running the code can tell or it is invalid."""
    if declaration.is_missing:
        return 0
    expression = declaration.expression
    if not isinstance(expression, ast.Constant):
        return None
    bars = expression.value
    if type(bars) is int and 0 <= bars <= MAX_WARMUP_BARS:
        return bars
    report.add(expression, "invalid-warm-up", f"warmup_bars must be a whole number from 0 to {MAX_WARMUP_BARS}")
    return None
