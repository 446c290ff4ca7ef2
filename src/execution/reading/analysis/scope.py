"""Types of the name lookup: scopes, bindings, and the exception that ends a walk."""

import ast
from dataclasses import dataclass, field
from typing import Literal


@dataclass(eq=False, slots=True)
class Scope:
    """A region in which names are looked up.

    Attributes:
        kind: what opened it; a lambda is a function.
        parent: the enclosing scope, None for the module.
        bound: names that it binds.
        outside: names declared "global" or "nonlocal" in it.
        imports: imported name → dotted paths that it may refer to.
        aliases: name → dotted paths, for names assigned from an import.
        first_parameter: a method's, usually "self" or "cls"; None elsewhere, or if it is assigned another value.
        node: the function or class that opened it; None for the module and comprehensions.
        is_of_class: whether the first parameter is the class itself, not an instance.
        owners: name → scope that it is looked up in, for names queried since the walk.
    """

    kind: Literal["module", "class", "function", "comprehension"]
    parent: "Scope | None"
    bound: set[str] = field(default_factory=set)
    outside: dict[str, str] = field(default_factory=dict)
    imports: dict[str, set[str]] = field(default_factory=dict)
    aliases: dict[str, set[str]] = field(default_factory=dict)
    first_parameter: str | None = None
    node: ast.AST | None = None
    is_of_class: bool = False
    owners: dict[str, "Scope | None"] = field(default_factory=dict)


@dataclass(slots=True)
class Binding:
    """One place that gives a name a value.

    Attributes:
        name: the name.
        scope: where it is bound; the module's for a name declared global.
        node: what binds it.
        is_import: whether an import statement binds it.
        value: the assigned expression, for a plain `name = value`.
    """

    name: str
    scope: Scope
    node: ast.AST
    is_import: bool = False
    value: ast.expr | None = None


class TooComplex(Exception):
    """The source exceeds one of the policy's bounds.

    Args:
        reason: one sentence.
        node: the node that exceeds it; it must have a position.
    """

    def __init__(self, reason: str, node: ast.AST) -> None:
        super().__init__(reason)
        self.reason = reason
        self.node = node
