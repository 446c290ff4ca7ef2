"""Imports: the module must be allowed, and so must each name taken from it."""

import ast

from src.execution.reading import policy
from src.execution.reading.analysis.members import member_problem
from src.execution.reading.analysis.rule_context import RuleContext
from src.execution.reading.analysis.violations import shown


def check_import(reading: RuleContext, index: int) -> None:
    """Check `import a.b as c`: the whole dotted name must be listed."""
    node = reading.code.nodes[index]
    if isinstance(node, ast.Import):
        for alias in node.names:
            if alias.name not in policy.ALLOWED_MODULES:
                _report_module(reading, alias, alias.name)


def check_import_from(reading: RuleContext, index: int) -> None:
    """Check `from a.b import c`: the module must be listed, and its member allowed."""
    node = reading.code.nodes[index]
    if not isinstance(node, ast.ImportFrom):
        return
    if node.level or node.module is None:
        _report(reading, node, "Relative imports are not allowed: a strategy is one file")
        return
    for alias in node.names:
        if node.module not in policy.ALLOWED_MODULES:
            _report_module(reading, alias, node.module)
        elif alias.name == "*":
            if node.module not in policy.STAR_IMPORTS:
                message = f"'from {node.module} import *' is not allowed: import each name explicitly"
                reading.report.add(alias, "star-import", message)
        elif member_problem(node.module, alias.name):
            message = f"Import of '{shown(alias.name)}' from '{node.module}' is not allowed"
            _report(reading, alias, message)


def _report_module(reading: RuleContext, alias: ast.alias, module: str) -> None:
    instead = policy.INSTEAD.get(module.partition(".")[0])
    _report(reading, alias, f"Import of '{shown(module)}' is not allowed" + (f": {instead}" if instead else ""))


def _report(reading: RuleContext, node: ast.AST, message: str) -> None:
    reading.report.add(node, "import-not-allowed", message)
