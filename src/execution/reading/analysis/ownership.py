"""Whether `self` is an instance of the author's own class, and so may be trusted where other objects are not.

A method may call its own `query` or `format`, names that are guarded elsewhere. That is safe only while the method
is called on instances: in a subclass of a library's class, or with another object passed as `self`, the author's
harmless name would become the library's.
"""

import ast

from src.execution.reading import policy
from src.execution.reading.analysis.code_map import CodeMap
from src.execution.reading.analysis.rule_context import RuleContext
from src.execution.reading.analysis.scope import Scope
from src.execution.reading.analysis.violations import shown

_PLAIN_DECORATORS = frozenset(
    {
        *("property", "cached_property", "setter", "getter", "deleter", "staticmethod", "classmethod"),
        *("abstractmethod", "override", "final", "overload", "cache", "lru_cache", "wraps", "contextmanager"),
        *("dataclass", "total_ordering", "runtime_checkable", "unique"),
    }
)
_HOLDERS = (ast.ClassDef, ast.ExceptHandler, ast.MatchClass, ast.Compare)


def class_of_self(code: CodeMap, node: ast.AST, scope: Scope) -> tuple[ast.ClassDef, str] | None:
    """The class and name of the method whose self the node is; None if it is not self."""
    if not isinstance(node, ast.Name) or not code.is_self(node, scope):
        return None
    owner = code.owner(node.id, scope)
    body = owner.parent if owner is not None else None
    if owner is None or body is None or not isinstance(body.node, ast.ClassDef):
        return None
    return body.node, owner.node.name if isinstance(owner.node, ast.FunctionDef) else ""


def is_known_foreign(reading: RuleContext, node: ast.expr, scope: Scope) -> bool:
    """Whether an expression, or any value assigned to its name, comes straight from a library."""
    match node:
        case ast.Name(id=name):
            values = reading.code.values.get(name, ())
        case ast.Attribute(attr=name):
            values = reading.code.attribute_values.get(name, ())
        case _:
            return _comes_from_a_library(reading, node, scope)
    found = reading.remember(
        f"is foreign as {type(node).__name__}",
        name,
        lambda: any(_comes_from_a_library(reading, value, reading.code.module) for value in values),
    )
    return found or _comes_from_a_library(reading, node, scope)


def _comes_from_a_library(reading: RuleContext, node: ast.expr, scope: Scope) -> bool:
    for _ in range(policy.MAX_LINEAGE):
        if isinstance(node, ast.Call):
            node = node.func
        elif isinstance(node, ast.Subscript) or (
            isinstance(node, ast.Attribute) and not reading.code.paths(node, scope)
        ):
            node = node.value
        else:
            break
    return any(path.partition(".")[0] in policy.THIRD_PARTY for path in reading.code.paths(node, scope))


def trusts_self(reading: RuleContext, node: ast.AST, scope: Scope, name: str | None = None, *, strictly: bool) -> bool:
    """Whether the node is a trusted self. If so, its method may from then on only be called on instances.

    Args:
        reading: the source being checked.
        node: the expression that may be self.
        scope: the scope that it is evaluated in.
        name: an attribute that must be the class's own, if any.
        strictly: whether passing the class around is also forbidden.
    """
    found = class_of_self(reading.code, node, scope)
    if found is None or (name is not None and not reading.families.owns(found[0], name)):
        return False
    family = reading.families.of(found[0])
    reading.trusting_methods.setdefault(found[1], set()).add(family)
    if strictly:
        reading.trusting_families.setdefault(family, found[1])
    return True


def is_strategys_own(reading: RuleContext, node: ast.AST, scope: Scope) -> bool:
    """Whether the node is a trusted self without a library's class among its bases, but for hqg_algorithms."""
    found = class_of_self(reading.code, node, scope)
    if found is None or reading.families.is_foreign(found[0]):
        return False
    return trusts_self(reading, node, scope, strictly=True)


def check_trust(reading: RuleContext) -> None:
    """Check that methods trusting their self are called only on instances, as far as the source shows."""
    if not reading.trusting_methods:
        return
    for index, node in enumerate(reading.code.nodes):
        if isinstance(node, ast.Attribute) and node.attr in reading.trusting_methods:
            _check_unbound(reading, index, node)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            _check_raw(reading, index, node)
            _check_passed_around(reading, index, node)
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)) and _is_trusting(reading, index, node):
            _check_decorators(reading, node)


def _is_trusting(reading: RuleContext, index: int, node: ast.FunctionDef | ast.ClassDef) -> bool:
    if isinstance(node, ast.ClassDef):
        return reading.families.of(node) in reading.trusting_families
    body = reading.code.scopes[index].node
    families = reading.trusting_methods.get(node.name, ())
    return isinstance(body, ast.ClassDef) and reading.families.of(body) in families


def _check_unbound(reading: RuleContext, index: int, node: ast.Attribute) -> None:
    code, scope = reading.code, reading.code.scopes[index]
    if not is_class(reading, node.value, scope):
        return
    call = code.parent(index)
    if isinstance(call, ast.Call) and call.func is node and call.args:
        own = class_of_self(code, call.args[0], scope)
        if own is not None and reading.families.of(own[0]) in reading.trusting_methods[node.attr]:
            return
    message = f"'{shown(node.attr)}' relies on its self: call it on an instance, not on the class"
    reading.report.add_member(node, "attribute-not-allowed", message)


def is_class(reading: RuleContext, node: ast.expr, scope: Scope) -> bool:
    """Whether the node visibly refers to a class of the source or to an object's class."""
    if isinstance(node, ast.Name):
        owner = reading.code.owner(node.id, scope)
        if owner is not None and owner.first_parameter == node.id:
            return owner.is_of_class
        is_alias = reading.remember("is a class", node.id, lambda: _is_ever_a_class(reading, node.id))
        return is_alias or reading.families.named(node.id, scope) is not None
    return _is_asked_for_its_class(node)


def _is_ever_a_class(reading: RuleContext, name: str) -> bool:
    """Whether any plain assignment to a variable of that name assigns a class."""
    return any(
        _is_asked_for_its_class(value)
        or (isinstance(value, ast.Name) and reading.families.named(value.id, reading.code.module) is not None)
        for value in reading.code.values.get(name, ())
    )


def _is_asked_for_its_class(node: ast.expr) -> bool:
    match node:
        case ast.Call(func=ast.Name(id="type")) | ast.Attribute(attr="__class__"):
            return True
    return False


def _check_raw(reading: RuleContext, index: int, node: ast.Name) -> None:
    """Check a method's name in its class's body, where the method is a plain function."""
    scope = reading.code.scopes[index]
    if scope.kind != "class" or node.id not in reading.trusting_methods or node.id not in scope.bound:
        return
    if not isinstance(reading.code.parent(index), ast.Attribute):
        message = f"'{shown(node.id)}' relies on its self and may not be used as a value here"
        reading.report.add(node, "attribute-not-allowed", message)


def _check_passed_around(reading: RuleContext, index: int, node: ast.Name) -> None:
    family = reading.families.named(node.id, reading.code.scopes[index])
    method = reading.trusting_families.get(family) if family is not None else None
    if method is None or id(node) in reading.code.annotation_names:
        return
    parent = reading.code.parent(index)
    is_called = isinstance(parent, ast.Call) and parent.func is node
    is_asked = isinstance(parent, ast.keyword) and parent.arg == "default_factory"
    if is_called or is_asked or isinstance(parent, (*_HOLDERS, ast.Attribute, ast.Subscript)):
        return
    if _is_kind(reading, index):
        return
    message = f"'{shown(node.id)}' may not be passed around: its method '{shown(method)}' relies on its self"
    reading.report.add(node, "attribute-not-allowed", message)


def _is_kind(reading: RuleContext, index: int) -> bool:
    """isinstance(x, A), isinstance(x, (A, B)), super(A, self)."""
    code = reading.code
    above = code.parents[index]
    if isinstance(code.nodes[above], ast.Tuple):
        above = code.parents[above]
    call = code.nodes[above]
    return (
        isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id in {"isinstance", "issubclass", "super"}
    )


def _check_decorators(reading: RuleContext, node: ast.FunctionDef | ast.ClassDef) -> None:
    for decorator in node.decorator_list:
        plain = decorator.func if isinstance(decorator, ast.Call) else decorator
        name = plain.attr if isinstance(plain, ast.Attribute) else getattr(plain, "id", "")
        if name not in _PLAIN_DECORATORS:
            message = f"'{shown(node.name)}' relies on its self and may not have this decorator"
            reading.report.add(decorator, "attribute-not-allowed", message)
