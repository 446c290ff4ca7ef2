"""Calls that create classes or objects from names: the names must be literal in the source."""

import ast
import re

from src.execution.reading import policy
from src.execution.reading.analysis.folding import fold
from src.execution.reading.analysis.ownership import is_class, trusts_self
from src.execution.reading.analysis.rule_context import RuleContext, is_dunder
from src.execution.reading.analysis.scope import Scope
from src.execution.reading.analysis.strings import string_problem
from src.execution.reading.analysis.violations import shown

_NAMESPACE = "types.SimpleNamespace"
"""Keyword arguments become its attributes, and NumPy reads __array_interface__ from any object."""

_HULLS = {
    **{f"scipy.spatial.{name}": 3 for name in ("Delaunay", "Voronoi", "HalfspaceIntersection")},
    "scipy.spatial.ConvexHull": 2,
}
"""Path → position of the options argument."""


def check_keyword(reading: RuleContext, keyword: ast.keyword) -> None:
    """Check a keyword argument."""
    if keyword.arg is not None and is_dunder(keyword.arg):
        message = f"An argument may not be named '{shown(keyword.arg)}'"
        reading.report.add(keyword, "name-not-allowed", message)
    elif keyword.arg == "qhull_options":
        _check_hull_options(reading, keyword.value)
    elif keyword.arg == "memory" and fold(keyword.value, reading.code) is not None:
        message = "'memory' may not name a folder: a backtest has no files"
        reading.report.add(keyword, "string-not-allowed", message)
    elif (
        keyword.arg is None
        and isinstance(keyword.value, (ast.Dict, ast.DictComp))
        and not _has_literal_keys(reading, keyword.value)
    ):
        message = "Argument names must be literal: write name=value"
        reading.report.add(keyword, "string-not-allowed", message)


def check_construction(reading: RuleContext, index: int, call: ast.Call) -> None:
    """Check the call of a class whose arguments decide what it creates."""
    scope = reading.code.scopes[index]
    if _makes_a_class(reading, call, scope):
        message = "'type' may not be called to create a class; use a class statement"
        reading.report.add(call, "builtin-not-allowed", message)
    for path in reading.code.paths(call.func, scope) if isinstance(call.func, (ast.Name, ast.Attribute)) else ():
        if path == _NAMESPACE:
            _check_namespace(reading, call)
        if path in _HULLS and len(call.args) > _HULLS[path]:
            _check_hull_options(reading, call.args[_HULLS[path]])


def _makes_a_class(reading: RuleContext, call: ast.Call, scope: Scope) -> bool:
    """Whether the call is like type(type(x))(…) or type(A)(…): the class of a class creates classes."""
    function: ast.expr = call.func
    if isinstance(function, ast.Name):
        name = function.id
        function = reading.remember("type call", name, lambda: _type_call_of(reading, name)) or function
    if not isinstance(function, ast.Call) or not _is_type_call(function) or not function.args:
        return False
    subject = function.args[0]
    if _is_type_call(subject) or _is_class(reading, subject, scope):
        return True
    is_triple = len(call.args) == 3 and not call.keywords
    is_open = any(isinstance(argument, ast.Starred) for argument in call.args) and len(call.args) == 1
    return (is_triple or is_open) and not trusts_self(reading, subject, scope, strictly=False)


def _type_call_of(reading: RuleContext, name: str) -> ast.expr | None:
    return next((value for value in reading.code.values.get(name, ()) if _is_type_call(value)), None)


def _is_type_call(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "type"


def _is_class(reading: RuleContext, node: ast.expr, scope: Scope) -> bool:
    if not isinstance(node, ast.Name):
        return False
    owner = reading.code.owner(node.id, scope)
    is_own = is_class(reading, node, scope)
    return is_own or (owner is None and node.id in _BUILTIN_CLASSES) or bool(reading.code.import_paths(node.id, scope))


_BUILTIN_CLASSES = frozenset(
    {"object", "int", "float", "str", "bytes", "bool", "list", "tuple", "dict", "set", "frozenset", "complex", "type"}
)


def _check_namespace(reading: RuleContext, call: ast.Call) -> None:
    for keyword in call.keywords:
        if keyword.arg is None and not _has_known_keys(reading, keyword.value):
            message = "A namespace's names must be literal: write name=value, or keep the values in a dict"
            reading.report.add(keyword, "string-not-allowed", message)


def _has_known_keys(reading: RuleContext, node: ast.expr) -> bool:
    """Whether the node is a literal dict, or a name only ever assigned literal dicts and never given new items."""
    name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else None
    if name is None:
        return _has_literal_keys(reading, node)
    if isinstance(node, ast.Attribute) and reading.code.paths(node, reading.code.module) == {"config"}:
        return True
    return name not in reading.code.filled and reading.remember("keys", name, lambda: _is_given_dicts(reading, name))


def _is_given_dicts(reading: RuleContext, name: str) -> bool:
    values = [*reading.code.values.get(name, ()), *reading.code.attribute_values.get(name, ())]
    return bool(values) and all(_has_literal_keys(reading, value) for value in values)


def _has_literal_keys(reading: RuleContext, node: ast.expr) -> bool:
    if not isinstance(node, ast.Dict):
        return False
    for key, value in zip(node.keys, node.values, strict=True):
        text = fold(key, reading.code) if key is not None else None
        if key is None and not _has_literal_keys(reading, value):
            return False
        if key is not None and (text is None or is_dunder(text) or string_problem(text)):
            return False
    return True


def _check_hull_options(reading: RuleContext, options: ast.expr) -> None:
    text = fold(options, reading.code)
    is_default = isinstance(options, ast.Constant) and options.value is None
    if not is_default and (text is None or not re.fullmatch(policy.QHULL_OPTIONS, text)):
        message = "A hull's options must be a literal string of Q options, such as 'QJ' or 'Qt Qbb'"
        reading.report.add(options, "string-not-allowed", message)
