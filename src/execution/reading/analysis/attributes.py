"""Attributes: chains from a module, private and special names, and stores into objects that are not the author's."""

import ast

from src.execution.reading import policy
from src.execution.reading.analysis.code_map import CodeMap
from src.execution.reading.analysis.members import check_guarded, member_problem
from src.execution.reading.analysis.names import is_compared_with_none, is_module
from src.execution.reading.analysis.ownership import is_class, is_known_foreign, is_strategys_own, trusts_self
from src.execution.reading.analysis.rule_context import RuleContext, is_dunder, is_reserved
from src.execution.reading.analysis.scope import Scope
from src.execution.reading.analysis.violations import shown

_OPTIONS = tuple(path for path in policy.ALLOWED_MODULES if path.startswith("pandas.options."))


def check_attribute(reading: RuleContext, index: int) -> None:
    """Check a chain of attributes once, at its last attribute."""
    node, scope = reading.code.nodes[index], reading.code.scopes[index]
    if not isinstance(node, ast.Attribute) or isinstance(reading.code.parent(index), ast.Attribute):
        return
    chain = [node]
    while isinstance(chain[-1].value, ast.Attribute):
        chain.append(chain[-1].value)
    chain.reverse()
    root = chain[0].value
    modules = [path for path in _root_paths(reading, root, scope) if is_module(path)]
    if modules:
        reading.settle(root)
    for module in modules:
        _check_from_module(reading, index, chain, module)
    if not modules:
        _check_objects(reading, scope, chain)
    if not isinstance(node.ctx, ast.Load):
        _check_store(reading, node, root, scope)


def _root_paths(reading: RuleContext, root: ast.expr, scope: Scope) -> list[str]:
    return sorted(reading.code.import_paths(root.id, scope)) if isinstance(root, ast.Name) else []


def _check_from_module(reading: RuleContext, index: int, chain: list[ast.Attribute], module: str) -> None:
    path = module
    for position, member in enumerate(chain):
        if problem := member_problem(path, member.attr):
            reading.report.add_member(member, "member-not-allowed", problem)
            return
        path = f"{path}.{member.attr}"
        if not is_module(path):
            # A guarded member inside a longer chain is never in its allowed form.
            inner = index if position == len(chain) - 1 else _index_of_child(reading, index, len(chain) - 1 - position)
            check_guarded(reading, inner, path)
            _check_objects(reading, reading.code.scopes[index], chain[position + 1 :])
            return
    if not is_compared_with_none(reading.code.parent(index)) and isinstance(chain[-1].ctx, ast.Load):
        message = f"The module '{path}' must be followed by a dot and a name; import it under a short name"
        reading.report.add(chain[-1], "module-as-value", message)


def _index_of_child(reading: RuleContext, index: int, steps: int) -> int:
    # Parents come before children and each link of a chain has one child, so the child's index is the next.
    return index + steps


def _check_objects(reading: RuleContext, scope: Scope, chain: list[ast.Attribute]) -> None:
    for position, member in enumerate(chain):
        following = chain[position + 1].attr if position + 1 < len(chain) else None
        if not reading.is_settled(member) and (problem := object_problem(reading, member, scope, following)):
            reading.report.add_member(member, "attribute-not-allowed", problem)


def object_problem(reading: RuleContext, node: ast.Attribute, scope: Scope, following: str | None) -> str | None:
    """Why an object's attribute may not be read or written, or None if it may.

    Args:
        reading: the source being checked.
        node: the attribute.
        scope: the scope that it is evaluated in.
        following: the next attribute in the chain, if any.
    """
    name = node.attr
    if is_dunder(name):
        # self.__class__ is type(self) and error.__class__.__name__ is text; other uses are how escapes begin.
        is_harmless_class = name == "__class__" and (
            following in {"__name__", "__qualname__"} or _is_instance(reading, node.value, scope)
        )
        is_readable = name in policy.READABLE_DUNDERS or is_harmless_class
        return None if is_readable and isinstance(node.ctx, ast.Load) else _not_allowed(name)
    if name == policy.PLOT and isinstance(node.ctx, ast.Load) and is_strategys_own(reading, node.value, scope):
        return None
    if name in policy.CALLED_DIRECTLY:
        return None if trusts_self(reading, node.value, scope, name, strictly=True) else _by_name_problem(name)
    is_own = name in reading.code.own_names
    is_of_class = is_class(reading, node.value, scope) or bool(reading.code.paths(node.value, scope))
    if is_own and name == "register" and is_of_class:
        return "A class may not 'register' others: isinstance and patterns would accept their instances as its own"
    is_guarded = is_own and (name.startswith("_") or name in policy.OWN_ONLY_ATTRIBUTES)
    if is_guarded and is_known_foreign(reading, node.value, scope):
        return f"The attribute '{shown(name)}' of a library's object is not allowed"
    return name_problem(reading.code, name)


def _is_instance(reading: RuleContext, node: ast.expr, scope: Scope) -> bool:
    """Whether the node is a method's self and not the class: calling the class of a class creates classes."""
    return not is_class(reading, node, scope) and trusts_self(reading, node, scope, strictly=False)


def name_problem(code: CodeMap, name: str) -> str | None:
    """Why an attribute of that name is denied on any object, or None; for names known only as text."""
    if is_dunder(name):
        return None if name in policy.READABLE_DUNDERS else _not_allowed(name)
    if name.startswith("_"):
        return _private_problem(code, name)
    if reason := policy.DENIED_ATTRIBUTES.get(name):
        return f"{_not_allowed(name)}: {reason}"
    if name in policy.DENIED_IO_METHODS:
        return f"{_not_allowed(name)}: a backtest has no files"
    if name in code.own_names or name in policy.SAFE_TO_METHODS:
        return None
    if name.startswith(("to_", "read_")):
        return f"{_not_allowed(name)}: it may read or write files"
    if name in policy.OWN_ONLY_ATTRIBUTES:
        return _not_allowed(name)
    return None


def _not_allowed(name: str) -> str:
    return f"The attribute '{shown(name)}' is not allowed"


def _private_problem(code: CodeMap, name: str) -> str | None:
    if name in policy.PUBLIC_UNDERSCORE_ATTRIBUTES:
        return None
    if name in policy.DENIED_PRIVATE_ATTRIBUTES or is_reserved(name):
        return _not_allowed(name)
    if name in code.own_names:
        return None
    return f"The private attribute '{shown(name)}' is not defined in this source"


def _by_name_problem(name: str) -> str:
    if name == "format":
        return "'.format' is only allowed on a literal string with plain fields; use an f-string instead"
    if name in policy.QUERYING_METHODS:
        return f"'.{name}' is only allowed with a literal string of names, numbers and comparisons"
    return f"'.{name}' may only be called directly, with a function or an aggregation's name"


def _check_store(reading: RuleContext, node: ast.Attribute, root: ast.expr, scope: Scope) -> None:
    code = reading.code
    for path in code.paths(node, scope):
        if not path.startswith(_OPTIONS):
            message = f"'{shown(node.attr)}' belongs to imported code and may not be changed"
            reading.report.add_member(node, "imported-object-changed", message)
            return
    is_type_call = isinstance(root, ast.Call) and isinstance(root.func, ast.Name) and root.func.id == "type"
    if is_type_call and not code.is_self(root.args[0] if root.args else root, scope):  # type: ignore[attr-defined]
        message = f"'{shown(node.attr)}' may belong to another author's class and may not be changed"
        reading.report.add_member(node, "imported-object-changed", message)
