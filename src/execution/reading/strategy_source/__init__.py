"""Reads a strategy's universe, cadence and dialect from its source, without running it.

Only literals are read. Values that the code computes or changes stay open (None) until the box reports them. A value
read here must agree with the box's, so none is read that other code could still change.
"""

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from hqg_algorithms import Cadence

from src.execution.reading import policy
from src.execution.reading.analysis import Analysis, Violation
from src.execution.reading.analysis.code_map import CodeMap
from src.execution.reading.analysis.source_text import parse
from src.execution.reading.analysis.violations import Report, SourceText
from src.execution.reading.strategy_source.cadence import read_cadence
from src.execution.reading.strategy_source.declared import Declared, declared
from src.execution.reading.strategy_source.parameters import DeclaredParameters, read_parameters
from src.execution.reading.strategy_source.universe import UNIVERSE_RULES, read_universe
from src.execution.reading.strategy_source.warm_up import read_warm_up

__all__ = ["UNIVERSE_RULES", "DeclaredParameters", "StrategyDescription", "describe"]

_SIGNAL_NAMES = frozenset({"TargetWeights", "Hold", "Liquidate"})
_OLD_CADENCE_KEYWORDS = frozenset({"call_phase", "exec_lag_bars"})


@dataclass(frozen=True)
class StrategyDescription:
    """The strategy as its source describes it.

    Attributes:
        class_name: the class that the box runs.
        dialect: 1 class attributes, 2 methods and signals, 3 methods and dicts, 4 no import from the interface.
        universe: tickers, upper-case and unique, in source order; None if only running the code can determine it.
        cadence: how often it is called and when orders fill; None if only running the code can determine it.
        needs_prelude: whether the source uses the interface's names without importing them.
        parameters: the parameters that it declares; None if it declares none or only running the code can tell.
        warmup_bars: earlier bars that it asks to see; None if only running the code can determine it.
    """

    class_name: str
    dialect: int
    universe: tuple[str, ...] | None
    cadence: Cadence | None
    needs_prelude: bool
    parameters: DeclaredParameters | None = None
    warmup_bars: int | None = 0


def describe(
    source: str, analysis: Analysis, code: CodeMap | None = None
) -> tuple[StrategyDescription | None, tuple[Violation, ...]]:
    """Describe the strategy that an analysis found.

    Args:
        source: the analysed text.
        analysis: its result; it may have violations if it found the strategy.
        code: the walked source, if available; otherwise it is walked again.

    Returns:
        The description, or None if the analysis found no strategy; and the violations of universe and cadence. An
        invalid universe or cadence is None in the description.
    """
    text = SourceText(source)
    if code is None and analysis.strategy is not None:
        tree = parse(text)
        code = CodeMap(tree) if isinstance(tree, ast.Module) else None
    if analysis.strategy is None or code is None:
        return None, ()
    report = Report(text)
    lineage = _classes(code, analysis.strategy.lineage)
    universe, cadence = declared(code, lineage, "universe"), declared(code, lineage, "cadence")
    place = ast.Pass(lineno=lineage[0].lineno, col_offset=lineage[0].col_offset)
    description = StrategyDescription(
        class_name=analysis.strategy.name,
        dialect=_dialect(code, universe),
        universe=read_universe(report, place, universe),
        cadence=read_cadence(report, code, cadence),
        needs_prelude=analysis.needs_prelude,
        parameters=read_parameters(report, declared(code, lineage, "declared_parameters")),
        warmup_bars=read_warm_up(report, declared(code, lineage, "warmup_bars")),
    )
    return description, report.violations()


def _classes(code: CodeMap, names: Sequence[str]) -> list[ast.ClassDef]:
    found = {
        node.name: node
        for node, scope in zip(code.nodes, code.scopes, strict=True)
        if isinstance(node, ast.ClassDef) and scope is code.module
    }
    return [found[name] for name in names]


def _dialect(code: CodeMap, universe: Declared) -> int:
    if not any(path.split(".")[0] == policy.FRAMEWORK for paths in _imports(code) for path in paths):
        return 4
    if not universe.is_method:
        return 1
    words = {node.arg for node in code.nodes if isinstance(node, ast.keyword)}
    names = {
        code.framework_name(node, scope)
        for node, scope in zip(code.nodes, code.scopes, strict=True)
        if isinstance(node, ast.Name) or (isinstance(node, ast.Attribute) and node.attr in policy.FRAMEWORK_NAMES)
    }
    is_old = bool(words & _OLD_CADENCE_KEYWORDS) or "CallPhase" in names or not names & _SIGNAL_NAMES
    return 3 if is_old else 2


def _imports(code: CodeMap) -> list[set[str]]:
    return [scope.imports[name] for scope in code.all_scopes for name in scope.imports]
