"""The rules by the syntax they check, and the loop that applies them."""

import ast
from collections.abc import Callable

from src.execution.reading import policy
from src.execution.reading.analysis.attributes import check_attribute, name_problem
from src.execution.reading.analysis.calls import check_call, check_template
from src.execution.reading.analysis.imports import check_import, check_import_from
from src.execution.reading.analysis.names import check_bindings, check_name
from src.execution.reading.analysis.ownership import check_trust
from src.execution.reading.analysis.rule_context import RuleContext
from src.execution.reading.analysis.strings import check_composed, check_constant
from src.execution.reading.analysis.violations import shown
from src.execution.reading.analysis.walk import COMPREHENSIONS

Rule = Callable[[RuleContext, int], None]


def apply_rules(reading: RuleContext) -> None:
    """Check every node of the source; parents come before their children."""
    for index, node in enumerate(reading.code.nodes):
        kind = type(node)
        for rule in _RULES.get(kind, ()):
            rule(reading, index)
        if kind.__name__ not in policy.ALLOWED_SYNTAX:
            _report_syntax(reading, index, policy.SYNTAX_NAMES.get(kind.__name__, kind.__name__))
    check_bindings(reading)
    check_trust(reading)


def _report_syntax(reading: RuleContext, index: int, name: str) -> None:
    message = f"'{name}' is not allowed in a strategy"
    reading.report.add(reading.code.placed(index), "syntax-not-allowed", message)


def _check_comprehension(reading: RuleContext, index: int) -> None:
    node = reading.code.nodes[index]
    if isinstance(node, COMPREHENSIONS) and any(generator.is_async for generator in node.generators):
        _report_syntax(reading, index, policy.SYNTAX_NAMES["AsyncFor"])


def _check_class(reading: RuleContext, index: int) -> None:
    """Check a class's bases and metaclass, which decide what it is. Bases must be names, metaclasses ABCMeta."""
    node = reading.code.nodes[index]
    if not isinstance(node, ast.ClassDef):
        return
    for base in node.bases:
        if not _is_plain_base(base):
            message = "A base class must be given by name"
            reading.report.add(base, "computed-base", message)
    for keyword in node.keywords:
        metaclasses = reading.code.paths(keyword.value, reading.code.scopes[index])
        is_plain = keyword.arg != "metaclass" or (bool(metaclasses) and metaclasses <= policy.METACLASSES)
        if keyword.arg is None or not is_plain:
            message = f"The class keyword '{keyword.arg or '**'}' is not allowed here"
            reading.report.add(keyword, "computed-base", message)


def _is_plain_base(base: ast.expr) -> bool:
    match base:
        case ast.Name() | ast.Attribute():
            return True
        case ast.Subscript(value=value):  # Generic[T]
            return _is_plain_base(value)
        case ast.Call(func=function):  # namedtuple("Point", "x y")
            return _last_name(function) in {"namedtuple", "NamedTuple"}
    return False


def _last_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _check_class_pattern(reading: RuleContext, index: int) -> None:
    """Check a class pattern: case Trade(price=p) reads the attribute "price" without a dot."""
    node = reading.code.nodes[index]
    if not isinstance(node, ast.MatchClass):
        return
    family = None
    if isinstance(node.cls, ast.Name):
        family = reading.families.named(node.cls.id, reading.code.scopes[index])
    if node.patterns and family is not None and reading.families.is_protocol(family):
        message = "A protocol's pattern reads its fields from any object: write them as name=value"
        reading.report.add(node, "attribute-not-allowed", message)
    for name in node.kwd_attrs:
        is_guarded = name in policy.CALLED_DIRECTLY | policy.OWN_ONLY_ATTRIBUTES or name.startswith("_")
        is_foreign = is_guarded and (family is None or reading.families.is_protocol(family))
        if is_foreign or name_problem(reading.code, name):
            message = f"The attribute '{shown(name)}' is not allowed"
            reading.report.add(node, "attribute-not-allowed", message)


_RULES: dict[type[ast.AST], tuple[Rule, ...]] = {
    ast.Import: (check_import,),
    ast.ImportFrom: (check_import_from,),
    ast.Name: (check_name,),
    ast.Attribute: (check_template, check_attribute),
    ast.Call: (check_call, check_composed),
    ast.Subscript: (check_composed,),
    ast.Constant: (check_constant,),
    ast.BinOp: (check_composed,),
    ast.JoinedStr: (check_composed,),
    ast.ClassDef: (_check_class,),
    ast.MatchClass: (_check_class_pattern,),
    **dict.fromkeys(COMPREHENSIONS, (_check_comprehension,)),
}
