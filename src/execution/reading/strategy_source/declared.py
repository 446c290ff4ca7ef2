"""Finds how a class defines a name: as an attribute, or as a method that only returns a value."""

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from src.execution.reading.analysis.code_map import CodeMap

_MUTATORS = frozenset(
    {
        *("append", "extend", "insert", "remove", "pop", "clear", "sort", "reverse", "update", "add"),
        *("__setitem__", "__delitem__", "__iadd__", "__imul__"),
    }
)
_PLAIN_DECORATORS = frozenset({"property", "staticmethod", "classmethod", "override"})


@dataclass(frozen=True)
class Declared:
    """How a lineage of classes defines a name.

    Attributes:
        is_missing: no class in the lineage defines it.
        is_method: a method does.
        expression: the value as written; None if only running the code can determine it.
    """

    is_missing: bool = False
    is_method: bool = False
    expression: ast.expr | None = None


def declared(code: CodeMap, lineage: Sequence[ast.ClassDef], name: str) -> Declared:
    """The definition in the first class that binds the name, without its value if other code could change it."""
    for own in lineage:
        found = _declared_in(code, own, name)
        if found is not None:
            return Declared(is_method=found.is_method) if is_touched(code, name) else found
    return Declared() if is_touched(code, name) else Declared(is_missing=True)


def _declared_in(code: CodeMap, own: ast.ClassDef, name: str) -> Declared | None:
    index = {id(node): position for position, node in enumerate(code.nodes)}
    scope = code.scopes[index[id(own.body[0])]]
    nodes = [binding.node for binding in code.bindings if binding.scope is scope and binding.name == name]
    parents = [code.parent(index[id(node)]) if id(node) in index else None for node in nodes]
    # `universe: list[str]` declares a type and binds nothing.
    bound = [
        (node, parent)
        for node, parent in zip(nodes, parents, strict=True)
        if not (isinstance(parent, ast.AnnAssign) and parent.value is None)
    ]
    if not bound:
        return None
    is_read = any(
        isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load) and where is scope
        for node, where in zip(code.nodes, code.scopes, strict=True)
    )
    if len(bound) > 1 or is_read:
        return Declared(is_method=any(isinstance(node, ast.FunctionDef) for node, _ in bound))
    return _plain(own, *bound[0])


def _plain(own: ast.ClassDef, node: ast.AST, parent: ast.AST | None) -> Declared:
    if isinstance(node, ast.FunctionDef):
        return Declared(is_method=True, expression=_returned(node) if node in own.body else None)
    if isinstance(parent, ast.Assign) and parent in own.body and parent.targets == [node]:
        return Declared(expression=parent.value)
    if isinstance(parent, ast.AnnAssign) and parent in own.body:
        return Declared(expression=parent.value)
    return Declared()


def _returned(method: ast.FunctionDef) -> ast.expr | None:
    """The value that the method returns, if that is its only statement apart from a docstring."""
    names = [item.id if isinstance(item, ast.Name) else "" for item in method.decorator_list]
    body = method.body
    if isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        body = body[1:]
    if len(body) != 1 or not isinstance(body[0], ast.Return) or not _PLAIN_DECORATORS.issuperset(names):
        return None
    return body[0].value or ast.Constant(None, lineno=body[0].lineno, col_offset=body[0].col_offset)


def is_touched(code: CodeMap, name: str) -> bool:
    """Whether any code sets, changes or aliases an attribute of that name on any object."""
    return any(
        (isinstance(node, ast.Attribute) and node.attr == name and _is_changed(code, position, node))
        or (isinstance(node, ast.Constant) and node.value == name and _is_set_by_name(code, position))
        for position, node in enumerate(code.nodes)
    )


def _is_changed(code: CodeMap, position: int, node: ast.Attribute) -> bool:
    if not isinstance(node.ctx, ast.Load):
        return True
    match code.parent(position):
        case ast.Attribute(attr=attribute):
            return attribute in _MUTATORS
        case ast.Subscript(ctx=ast.Store() | ast.Del()):
            return True
        case ast.Assign(value=value) | ast.AnnAssign(value=value) | ast.NamedExpr(value=value):
            return value is node  # a second name for the same list
    return False


def _is_set_by_name(code: CodeMap, position: int) -> bool:
    match code.parent(position):
        case ast.Call(func=ast.Name(id="setattr")) | ast.Call(func=ast.Attribute(attr="__setattr__")):
            return True
    return False
