"""The words in which names are looked up: scopes, bindings, and the one way in which a walk gives up."""

import ast
from dataclasses import dataclass, field
from typing import Literal


@dataclass(eq=False, slots=True)
class Scope:
    """A region in which names are looked up.

    Attributes:
        kind: what opened it; a lambda is a function.
        parent: the scope around it, None for the module.
        bound: names that it binds.
        outside: names declared "global" or "nonlocal" in it.
        imports: imported name → dotted paths that it may stand for.
        aliases: name → dotted paths, for names assigned from something imported.
        first_parameter: of a method, usually "self" or "cls"; None elsewhere, and where it is given another value.
        node: the function or class that opened it; None for the module and comprehensions.
        is_of_class: whether the first parameter is the class itself, not an instance.
        owners: name → scope that it is looked up in, for names that were asked for after the walk.
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
        is_import: whether an import statement does.
        value: the assigned expression where the binding is as simple as `name = value`.
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
        node: where; it has a place.
    """

    def __init__(self, reason: str, node: ast.AST) -> None:
        super().__init__(reason)
        self.reason = reason
        self.node = node
