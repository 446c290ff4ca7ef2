"""Calls that are safe only with certain arguments: getattr by a literal name, aggregations, templates, queries."""

import ast
import re
from collections import Counter

from src.execution.reading import policy
from src.execution.reading.analysis.attributes import name_problem
from src.execution.reading.analysis.construction import check_construction, check_keyword
from src.execution.reading.analysis.folding import fold
from src.execution.reading.analysis.ownership import is_known_foreign, trusts_self
from src.execution.reading.analysis.rule_context import RuleContext
from src.execution.reading.analysis.scope import Scope
from src.execution.reading.analysis.source_text import parse_expression
from src.execution.reading.analysis.strings import string_problem, template_attributes
from src.execution.reading.analysis.violations import shown
from src.execution.reading.analysis.walk import COMPREHENSIONS

_QUERY_SYNTAX = (
    *(ast.BoolOp, ast.boolop, ast.BinOp, ast.operator, ast.UnaryOp, ast.unaryop, ast.Compare, ast.cmpop),
    *(ast.Name, ast.Constant, ast.List, ast.Tuple, ast.Set, ast.expr_context),
)
_TREE_SEARCH_KEYWORDS = frozenset({"k", "workers", "return_distance", "distance_upper_bound"})
_MAX_PLOTTING_ARGUMENTS = 3
_TABLES = frozenset({"pivot_table", "crosstab"})
_FUNCTION_KEYWORDS = frozenset({"func", "aggfunc", "arg"})
_OPTION_KEYWORDS = frozenset(
    {"axis", "raw", "result_type", "engine", "engine_kwargs", "by_row", "numeric_only", "margins"}
)
_DISPLAYS = (ast.List, ast.Tuple, ast.Set, ast.Dict)
_COPYING_BUILTINS = frozenset({"dict", "list", "tuple", "set", "frozenset", "sorted", "len", "print", "str", "repr"})
_COST_OF_PARSING = 10
"""Parsing a character takes about ten times as long as comparing it."""


def check_call(reading: RuleContext, index: int) -> None:
    """Check a call, before the name or attribute that it calls."""
    node = reading.code.nodes[index]
    if not isinstance(node, ast.Call):
        return
    for keyword in node.keywords:
        check_keyword(reading, keyword)
    check_construction(reading, index, node)
    if isinstance(node.func, ast.Name):
        _check_named_call(reading, index, node, node.func)
    elif isinstance(node.func, ast.Attribute):
        _check_method_call(reading, index, node, node.func)


# --- builtins ---


def _check_named_call(reading: RuleContext, index: int, node: ast.Call, function: ast.Name) -> None:
    code, scope, name = reading.code, reading.code.scopes[index], function.id
    if code.is_local(name, scope):
        return
    paths = code.import_paths(name, scope)
    if any(path.partition(".")[0] == "pandas" for path in paths):
        member = sorted(paths)[0].rpartition(".")[2]
        if member in policy.DISPATCHING_METHODS:
            _check_dispatch(reading, node, member)
    plain = not node.keywords and not any(isinstance(argument, ast.Starred) for argument in node.args)
    if name in {"isinstance", "issubclass"} and len(node.args) == 2:
        kinds = node.args[1].elts if isinstance(node.args[1], ast.Tuple) else [node.args[1]]
        reading.settle(*(kind for kind in kinds if isinstance(kind, ast.Name) and kind.id == "type"))
    elif (name == "type" and plain and len(node.args) == 1) or (name == "super" and plain and len(node.args) in {0, 2}):
        reading.settle(function)
    elif name == "vars" and plain and len(node.args) == 1:
        if _is_only_read(reading, index) and trusts_self(reading, node.args[0], scope, strictly=False):
            reading.settle(function)
    elif name in {"getattr", "hasattr", "setattr"}:
        reading.settle(function)
        if problem := _attribute_call_problem(reading, index, node, name):
            reading.report.add(node, "builtin-not-allowed", problem)


def _is_only_read(reading: RuleContext, index: int) -> bool:
    """Whether vars(self) is only read here. Its items are the object's attributes, so they may not be set."""
    node, parent = reading.code.nodes[index], reading.code.parent(index)
    match parent:
        case ast.Attribute(attr=name):
            return name in {"items", "keys", "values", "get", "copy"}
        case ast.Call(func=ast.Name(id=name)):
            return parent.func is not node and name in _COPYING_BUILTINS
        case ast.Subscript(ctx=ast.Load()) | ast.For() | ast.Compare() | ast.FormattedValue():
            return True
        case ast.Dict(keys=keys, values=values):
            return any(key is None and value is node for key, value in zip(keys, values, strict=True))
    return isinstance(parent, COMPREHENSIONS)


def _attribute_call_problem(reading: RuleContext, index: int, node: ast.Call, name: str) -> str | None:
    """Why getattr(x, "close") is not allowed, or None. It equals x.close, so its name must be known here."""
    count = {"getattr": (2, 3), "hasattr": (2, 2), "setattr": (3, 3)}[name]
    if node.keywords or not count[0] <= len(node.args) <= count[1]:
        return f"'{name}' needs {count[0]} plain arguments"
    subject, scope = node.args[0], reading.code.scopes[index]
    if name == "setattr" and not trusts_self(reading, subject, scope, strictly=False):
        return "'setattr' is only allowed on self"
    names = _possible_texts(reading, node.args[1])
    if not names:
        return (
            f"'{name}' needs the attribute's name as a literal string, or as the variable of a loop over "
            f"at most {policy.MAX_CHOICES} literal strings"
        )
    problem, has_private, guarded = reading.remember("choice", names, lambda: _judged(reading, names))
    if has_private and is_known_foreign(reading, subject, scope):
        return f"'{name}' may not read private attributes of a library's object"
    if guarded and not all(trusts_self(reading, subject, scope, text, strictly=True) for text in guarded):
        return f"'{shown(guarded[0])}' may only be called directly"
    return problem


def _possible_texts(reading: RuleContext, node: ast.expr) -> tuple[str, ...]:
    """The strings that an expression can evaluate to: a literal, or a loop variable over literals."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return (node.value,)
    return reading.code.choices.get(node.id, ()) if isinstance(node, ast.Name) else ()


def _judged(reading: RuleContext, names: tuple[str, ...]) -> tuple[str | None, bool, tuple[str, ...]]:
    """The first problem with the names, whether any is private, and which may only be called directly."""
    problems = (name_problem(reading.code, text) for text in names)
    first = next((problem for problem in problems if problem), None)
    guarded = tuple(text for text in names if text in policy.CALLED_DIRECTLY)
    return first, any(text.startswith("_") for text in names), guarded


def _text_problem(reading: RuleContext, name: str) -> str | None:
    if name in policy.CALLED_DIRECTLY and name not in reading.code.own_names:
        return f"'{shown(name)}' may only be called directly"
    return name_problem(reading.code, name)


# --- methods ---


def _check_method_call(reading: RuleContext, index: int, node: ast.Call, function: ast.Attribute) -> None:
    name = function.attr
    if name in policy.QUERYING_METHODS:
        if _is_tree_search(node, name) or _is_harmless_query(reading, node):
            reading.settle(function)
    elif name in policy.DISPATCHING_METHODS:
        reading.settle(function)
        _check_dispatch(reading, node, name)
    elif name in policy.PLOTTING_METHODS:
        _check_plotting(reading, node, function)
    elif name == "to_string":
        if node.args or any(keyword.arg in {None, "buf"} for keyword in node.keywords):
            message = "'.to_string' may not be given an output to write to"
            reading.report.add(node, "attribute-not-allowed", message)
    elif name == "__setattr__":
        _check_frozen_set(reading, index, node, function)


def check_template(reading: RuleContext, index: int) -> None:
    """Check a literal's `.format`, called or not: its fields may only read what the source itself may read."""
    node = reading.code.nodes[index]
    if not isinstance(node, ast.Attribute) or node.attr != "format":
        return
    template = _template(reading, node.value, reading.code.scopes[index])
    if template is None:
        return
    reading.settle(node)
    if problem := reading.remember("template", template, lambda: _template_problem(reading, node, template)):
        reading.report.add(node, "string-not-allowed", problem)


def _template(reading: RuleContext, node: ast.expr, scope: Scope) -> str | None:
    """A literal, or a class's own constant: self.FORM, Report.FORM."""
    if not isinstance(node, ast.Attribute):
        return fold(node, reading.code)
    constants = reading.remember("class constants", None, lambda: _class_constants(reading))
    is_own = isinstance(node.value, ast.Name) and reading.families.named(node.value.id, scope) is not None
    if node.attr not in constants or not (is_own or trusts_self(reading, node.value, scope, strictly=False)):
        return None
    return constants[node.attr]


def _class_constants(reading: RuleContext) -> dict[str, str]:
    """Names that the source's classes bind once, to a literal string, and that no assignment sets on an object."""
    code = reading.code
    counts = Counter(binding.name for binding in code.bindings if binding.scope.kind == "class")
    texts = {node.value for node in code.nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    constants = {}
    for own in (node for node in code.nodes if isinstance(node, ast.ClassDef)):
        for statement in own.body:
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=value) if counts[name] == 1:
                    text = fold(value, code)
                    if text is not None and name not in code.stored_attributes and name not in texts:
                        constants[name] = text
    return constants


def _template_problem(reading: RuleContext, node: ast.AST, template: str) -> str | None:
    if string_problem(template):
        return None  # reported at the string itself
    reading.code.spend(_COST_OF_PARSING * len(template), node)
    problems = (_text_problem(reading, attribute) for attribute in template_attributes(template))
    return next((problem for problem in problems if problem), None)


def _is_tree_search(node: ast.Call, name: str) -> bool:
    """Whether the call is like KDTree(points).query(point, k=3). pandas' query rejects lists and these keywords."""
    has_keyword = any(keyword.arg in _TREE_SEARCH_KEYWORDS for keyword in node.keywords)
    return name == "query" and (has_keyword or (bool(node.args) and isinstance(node.args[0], (ast.List, ast.Tuple))))


def _is_harmless_query(reading: RuleContext, node: ast.Call) -> bool:
    """Whether the query has only names, numbers and comparisons, as df.query("close > open and volume > @least")."""
    if len(node.args) != 1 or any(keyword.arg != "inplace" for keyword in node.keywords):
        return False
    text = fold(node.args[0], reading.code)
    if text is None:
        return False
    return reading.remember("query", text, lambda: _is_plain_query(reading, node, text))


def _is_plain_query(reading: RuleContext, node: ast.AST, text: str) -> bool:
    reading.code.spend(_COST_OF_PARSING * len(text), node)
    # Backticks quote column names, @ marks the source's own variables, and eval() may name a new column.
    plain = re.sub(r"`[^`\n]*`", "column", text).replace("@", "")
    expression = parse_expression(re.sub(r"^\s*\w+\s*=(?!=)", "", plain))
    return expression is not None and all(isinstance(part, _QUERY_SYNTAX) for part in ast.walk(expression))


def _check_dispatch(reading: RuleContext, node: ast.Call, name: str) -> None:
    """Check agg("mean"): pandas looks the method up by name, so the name must be known and safe."""
    for argument in node.args:
        # Called through its class, a method's first argument is the object.
        _check_dispatched(reading, argument, is_function=name not in _TABLES)
    for keyword in node.keywords:
        if keyword.arg not in {"args", "kwargs"}:
            # In agg(mean=("close", "mean")) any other keyword names a new column.
            is_column = name not in _TABLES and keyword.arg not in _OPTION_KEYWORDS
            is_function = keyword.arg in _FUNCTION_KEYWORDS or is_column
            _check_dispatched(reading, keyword.value, is_function=is_function)


def _check_dispatched(reading: RuleContext, function: ast.expr, *, is_function: bool, depth: int = 0) -> None:
    match function:
        case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts) if depth < 3:
            for part in parts:
                _check_dispatched(reading, part, is_function=is_function, depth=depth + 1)
        case ast.Dict(values=parts) if depth < 3:
            for part in parts:
                _check_dispatched(reading, part, is_function=is_function, depth=depth + 1)
        case ast.IfExp(body=body, orelse=orelse):
            _check_dispatched(reading, body, is_function=is_function, depth=depth + 1)
            _check_dispatched(reading, orelse, is_function=is_function, depth=depth + 1)
        case ast.Name(id=name) if depth < 3 and isinstance(reading.code.once.get(name), _DISPLAYS):
            display = reading.code.once[name]
            reading.remember(
                f"dispatched {is_function}",
                id(display),
                lambda: _check_dispatched(reading, display, is_function=is_function, depth=depth + 1),
            )
        case ast.Name(id=name) if texts := reading.code.choices.get(name):
            if reading.remember("dispatch", texts, lambda: any(_may_not_be_dispatched(reading, t) for t in texts)):
                message = f"'{shown(name)}' names a method that may not be called by name"
                reading.report.add(function, "string-not-allowed", message)
        case _:
            text = fold(function, reading.code)
            if text is not None and string_problem(text):
                return  # reported at the string itself
            if text is not None and _may_not_be_dispatched(reading, text):
                message = f"'{shown(text)}' may not be called by name"
                reading.report.add(function, "string-not-allowed", message)
            elif text is None and is_function and _may_compute_text(reading, function):
                message = "The name of an aggregation must be a literal string"
                reading.report.add(function, "string-not-allowed", message)


def _may_not_be_dispatched(reading: RuleContext, text: str) -> bool:
    is_denied = text in policy.DENIED_DISPATCHED
    return is_denied or (text.isidentifier() and name_problem(reading.code, text) is not None)


def _may_compute_text(reading: RuleContext, node: ast.expr) -> bool:
    """Whether an expression, or any value assigned to its name, may be a string made at run time."""
    if not isinstance(node, ast.Name):
        return _computes_text(node)
    if node.id not in reading.text_names:
        values = reading.code.values.get(node.id, ())
        reading.text_names[node.id] = any(_computes_text(value) for value in values)
    return reading.text_names[node.id]


def _computes_text(node: ast.expr) -> bool:
    """Whether an expression obviously makes a string at run time."""
    match node:
        case ast.JoinedStr():
            return True
        case ast.BinOp(left=left, right=right):
            return any(_is_text(side) for side in (left, right))
        case ast.Call(func=ast.Attribute(value=value)) | ast.Subscript(value=value):
            return _is_text(value)
        case ast.Call(func=ast.Name(id="str" | "chr" | "format" | "repr")):
            return True
    return False


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _check_plotting(reading: RuleContext, node: ast.Call, function: ast.Attribute) -> None:
    is_open = any(isinstance(argument, ast.Starred) for argument in node.args) or any(
        keyword.arg in {None, "backend"} for keyword in node.keywords
    )
    if is_open or len(node.args) > _MAX_PLOTTING_ARGUMENTS:
        message = f"'.{function.attr}' may not be given a backend: pandas would import it by name"
        reading.report.add(node, "attribute-not-allowed", message)


def _check_frozen_set(reading: RuleContext, index: int, node: ast.Call, function: ast.Attribute) -> None:
    """Allow object.__setattr__(self, "name", value), which is how a frozen dataclass sets its own fields."""
    is_object = isinstance(function.value, ast.Name) and function.value.id == "object"
    if (
        is_object
        and len(node.args) == 3
        and not node.keywords
        and isinstance(node.args[1], ast.Constant)
        and isinstance(node.args[1].value, str)
        and name_problem(reading.code, node.args[1].value) is None
        and trusts_self(reading, node.args[0], reading.code.scopes[index], strictly=False)
    ):
        reading.settle(function)
