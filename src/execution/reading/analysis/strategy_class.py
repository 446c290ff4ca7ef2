"""Finds the strategy: the only strategy class that no other derives from."""

import ast
from dataclasses import dataclass

from src.execution.reading import policy
from src.execution.reading.analysis.code_map import CodeMap
from src.execution.reading.analysis.rule_context import RuleContext
from src.execution.reading.analysis.scope import Scope
from src.execution.reading.analysis.violations import shown


@dataclass(frozen=True)
class StrategyClass:
    """The class that the box runs.

    Attributes:
        name: its name in the module.
        line: the line of its definition, 1-based.
        lineage: names of the source's classes in its method resolution order, itself first.
    """

    name: str
    line: int
    lineage: tuple[str, ...]


@dataclass(eq=False)
class _Class:
    node: ast.ClassDef
    scope: Scope
    bases: list["_Class"]
    is_strategy: bool = False
    is_derived_from: bool = False


def find_strategy(reading: RuleContext) -> StrategyClass | None:
    """The strategy, or None after reporting why there is none or more than one."""
    classes = _classes(reading.code)
    strategies = [found for found in classes if found.is_strategy]
    leaves = [found for found in strategies if not found.is_derived_from]
    if not leaves:
        _report_none(reading)
        return None
    if len(leaves) > 1:
        names = ", ".join(f"'{shown(leaf.node.name)}' (line {leaf.node.lineno})" for leaf in leaves[:5])
        message = f"{len(leaves)} strategy classes, but only one can run: {names}"
        reading.report.add(_head(leaves[1].node), "several-strategies", message)
        return None
    leaf = leaves[0]
    lineage = _lineage(leaf)
    if lineage is None:
        message = f"'{shown(leaf.node.name)}' has too many base classes, or their order is inconsistent"
        reading.report.add(_head(leaf.node), "ambiguous-strategy", message)
        return None
    if not _is_unmistakable(reading, lineage) or not _has_on_data(reading, leaf, lineage):
        return None
    return StrategyClass(leaf.node.name, leaf.node.lineno, tuple(own.node.name for own in lineage))


def needs_prelude(code: CodeMap) -> bool:
    """Whether the source uses the framework's names without importing them, as the older contract allows."""
    return any(
        isinstance(node, ast.Name)
        and node.id in policy.PRELUDE_NAMES
        and isinstance(node.ctx, ast.Load)
        and code.owner(node.id, scope) is None
        for node, scope in zip(code.nodes, code.scopes, strict=True)
    )


def _classes(code: CodeMap) -> list[_Class]:
    found: list[_Class] = []
    known: dict[tuple[int, str], list[_Class]] = {}
    for node, scope in zip(code.nodes, code.scopes, strict=True):
        if not isinstance(node, ast.ClassDef):
            continue
        entry = _Class(node, scope, [])
        for base in node.bases:
            plain = base.value if isinstance(base, ast.Subscript) else base
            if code.framework_name(plain, scope) == "Strategy":
                entry.is_strategy = True
            elif isinstance(plain, ast.Name) and (owner := code.owner(plain.id, scope)) is not None:
                # A base is defined above its subclasses, so it is already known.
                _derive(entry, known.get((id(owner), plain.id), []))
        found.append(entry)
        same_name = known.setdefault((id(scope), node.name), [])
        # One more than a lineage may have: a class with that many bases is ambiguous anyway.
        if len(same_name) <= policy.MAX_LINEAGE:
            same_name.append(entry)
    return found


def _derive(entry: _Class, bases: list[_Class]) -> None:
    for base in bases:
        base.is_derived_from = True
        entry.is_strategy = entry.is_strategy or base.is_strategy
        # A lineage beyond the bound is rejected in any case.
        if len(entry.bases) <= policy.MAX_LINEAGE and base not in entry.bases:
            entry.bases.append(base)


def _head(node: ast.ClassDef) -> ast.AST:
    """The class's first line: the whole class as a position would underline all of it."""
    end = node.col_offset + len(f"class {node.name}".encode("utf-8", "replace"))
    return ast.Pass(lineno=node.lineno, col_offset=node.col_offset, end_lineno=node.lineno, end_col_offset=end)


def _report_none(reading: RuleContext) -> None:
    message = "No strategy class: define a class that derives from Strategy and has an on_data method"
    reading.report.add(ast.Pass(lineno=1, col_offset=0), "no-strategy", message)


def _lineage(leaf: _Class) -> list[_Class] | None:
    """The method resolution order over the source's own classes; None if there is none or it is too long."""
    known: list[_Class] = [leaf]
    for own in known:
        known += [base for base in own.bases if base not in known]
        if len(known) > policy.MAX_LINEAGE:
            return None
    return _linearised(leaf)


def _linearised(own: _Class) -> list[_Class] | None:
    orders = [_linearised(base) for base in own.bases]
    known = [order for order in orders if order is not None]
    return _merge([[own], *known, list(own.bases)]) if len(known) == len(orders) else None


def _merge(sequences: list[list[_Class]]) -> list[_Class] | None:
    order: list[_Class] = []
    pending = [list(sequence) for sequence in sequences if sequence]
    while pending:
        for sequence in pending:
            head = sequence[0]
            if not any(head in other[1:] for other in pending):
                break
        else:
            return None
        order.append(head)
        pending = [rest for rest in ([c for c in sequence if c is not head] for sequence in pending) if rest]
    return order


def _is_unmistakable(reading: RuleContext, lineage: list[_Class]) -> bool:
    """Whether each of the strategy's classes is at the top level of the source and its name means nothing else."""
    for own in lineage:
        name, place = own.node.name, _head(own.node)
        if len(name) > policy.MAX_CLASS_NAME_CHARACTERS:
            message = f"The class name '{shown(name)}' is longer than {policy.MAX_CLASS_NAME_CHARACTERS} characters"
            reading.report.add(place, "class-name-too-long", message)
            return False
        if own.scope.kind != "module":
            message = f"The class '{shown(name)}' must be at the top level of the source, not inside another block"
            reading.report.add(place, "nested-strategy", message)
            return False
        bound = sum(binding.name == name and binding.scope is own.scope for binding in reading.code.bindings)
        if bound > 1:
            message = f"The name '{shown(name)}' must be defined once and not reassigned or deleted"
            reading.report.add(place, "ambiguous-strategy", message)
            return False
    return True


def _has_on_data(reading: RuleContext, leaf: _Class, lineage: list[_Class]) -> bool:
    for own in lineage:
        for statement in own.node.body:
            if isinstance(statement, ast.FunctionDef) and statement.name == "on_data":
                return _takes_two(reading, statement)
            if _assigns(statement, "on_data"):
                return True
    message = f"'{shown(leaf.node.name)}' needs an on_data method, which is called at each bar with data and portfolio"
    reading.report.add(_head(leaf.node), "no-on-data", message)
    return False


def _takes_two(reading: RuleContext, method: ast.FunctionDef) -> bool:
    arguments = method.args
    names = [*arguments.posonlyargs, *arguments.args]
    required = len(names) - len(arguments.defaults)
    needs_more = any(default is None for default in arguments.kw_defaults)
    fits = not needs_more and required <= 3 and (len(names) >= 3 or arguments.vararg is not None)
    if not fits and not method.decorator_list:
        message = "on_data must take self, data and portfolio"
        reading.report.add(arguments.args[0] if arguments.args else method, "on-data-signature", message)
        return False
    return True


def _assigns(statement: ast.stmt, name: str) -> bool:
    if isinstance(statement, ast.Assign):
        return any(isinstance(target, ast.Name) and target.id == name for target in statement.targets)
    return (
        isinstance(statement, ast.AnnAssign)
        and statement.value is not None
        and isinstance(statement.target, ast.Name)
        and statement.target.id == name
    )
