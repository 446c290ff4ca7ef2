"""Reads user code without running it: every broken rule with its place, and which class is the strategy."""

import ast
from dataclasses import dataclass

from src.execution.analysis.code_map import CodeMap
from src.execution.analysis.complexity import check_complexity
from src.execution.analysis.reading import Reading
from src.execution.analysis.rules import apply_rules
from src.execution.analysis.scope import TooComplex
from src.execution.analysis.source_text import compile_violation, parse, text_violation
from src.execution.analysis.strategy_class import StrategyClass, find_strategy, needs_prelude
from src.execution.analysis.violations import Report, SourceText, Violation

__all__ = ["Analysis", "StrategyClass", "Violation", "analyse", "examine"]


@dataclass(frozen=True)
class Analysis:
    """What reading the source told.

    Attributes:
        violations: broken rules in the source's order, bounded; empty when the source may run.
        strategy: the one strategy class, None where there is not exactly one.
        needs_prelude: whether the interface's names are used without being imported.
    """

    violations: tuple[Violation, ...]
    strategy: StrategyClass | None = None
    needs_prelude: bool = False


def analyse(source: str) -> Analysis:
    """Read a strategy's source against the policy; never raises, whatever the source.

    Every text gets an answer within a second: sizes are bounded before the parser, the walk and the compiler.
    """
    return examine(source)[0]


def examine(source: str) -> tuple[Analysis, CodeMap | None]:
    """As analyse, and the walked source for further questions; None where no strategy was found."""
    text = SourceText(source)
    wrong = text_violation(text)
    if wrong is not None:
        return Analysis((wrong,)), None
    tree = parse(text)
    if isinstance(tree, Violation):
        return Analysis((tree,)), None
    try:
        return _examine_tree(text, tree)
    except TooComplex as bound:
        return Analysis((_at_start(text, bound),)), None
    except (RecursionError, MemoryError):
        return Analysis((text.violation("too-complex", "The source is nested too deeply", 1),)), None


def _examine_tree(text: SourceText, tree: ast.Module) -> tuple[Analysis, CodeMap | None]:
    code = CodeMap(tree)
    check_complexity(code)
    refused = compile_violation(text)
    if refused is not None:
        return Analysis((refused,)), None
    reading = Reading(code, Report(text))
    apply_rules(reading)
    strategy = find_strategy(reading)
    analysis = Analysis(reading.report.violations(), strategy, needs_prelude(code))
    return analysis, code if strategy is not None else None


def _at_start(text: SourceText, bound: TooComplex) -> Violation:
    """Where the bound was met; the whole node may be half the source."""
    start = (bound.node.lineno, bound.node.col_offset)  # type: ignore[attr-defined]
    return text.violation_over(start, start, "too-complex", bound.reason)
