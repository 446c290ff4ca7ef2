"""Checks user code without running it: finds each violation with its position, and the strategy class."""

import ast
from dataclasses import dataclass

from src.execution.reading.analysis.code_map import CodeMap
from src.execution.reading.analysis.complexity import check_complexity
from src.execution.reading.analysis.rule_context import RuleContext
from src.execution.reading.analysis.rules import apply_rules
from src.execution.reading.analysis.scope import TooComplex
from src.execution.reading.analysis.source_text import compile_violation, parse, text_violation
from src.execution.reading.analysis.strategy_class import StrategyClass, find_strategy, needs_prelude
from src.execution.reading.analysis.violations import Report, SourceText, Violation

__all__ = ["Analysis", "StrategyClass", "Violation", "analyse", "examine"]


@dataclass(frozen=True)
class Analysis:
    """The result of checking a source.

    Attributes:
        violations: in source order, bounded in number; empty if the source may run.
        strategy: the strategy class, or None unless there is exactly one.
        needs_prelude: whether the source uses the interface's names without importing them.
    """

    violations: tuple[Violation, ...]
    strategy: StrategyClass | None = None
    needs_prelude: bool = False


def analyse(source: str) -> Analysis:
    """Check a strategy's source against the policy. Never raises, for any source.

    Sizes are bounded before the parser, the walk and the compiler, so any text is answered within a second.
    """
    return examine(source)[0]


def examine(source: str) -> tuple[Analysis, CodeMap | None]:
    """Analyse, and also return the walked source for further queries; None if no strategy was found."""
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
    reading = RuleContext(code, Report(text))
    apply_rules(reading)
    strategy = find_strategy(reading)
    analysis = Analysis(reading.report.violations(), strategy, needs_prelude(code))
    return analysis, code if strategy is not None else None


def _at_start(text: SourceText, bound: TooComplex) -> Violation:
    """A violation at the node's first character: the whole node may be half the source."""
    start = (bound.node.lineno, bound.node.col_offset)  # type: ignore[attr-defined]
    return text.violation_over(start, start, "too-complex", bound.reason)
