"""Families of the author's classes that inherit from each other, and whether a library's class is a base."""

import ast

from src.execution.reading import policy
from src.execution.reading.analysis.code_map import CodeMap
from src.execution.reading.analysis.scope import Scope

_TEXT = frozenset({"str", "bytes"})

Family = object


class Families:
    """The author's classes grouped by inheritance, and whether a group has a foreign base."""

    def __init__(self, code: CodeMap) -> None:
        self._code = code
        self._links: dict[object, object] = {}
        self._foreign: dict[Family, list[ast.ClassDef]] = {}
        foreign, protocols = [], []
        for node, scope in zip(code.nodes, code.scopes, strict=True):
            if isinstance(node, ast.ClassDef):
                self._join(id(node), (scope, node.name))
                if any(self._is_foreign(id(node), base, scope) for base in node.bases):
                    foreign.append(node)
                if any(self._is_typing_protocol(base, scope) for base in node.bases):
                    protocols.append(node)
        self._protocols = {self.of(node) for node in protocols}
        for node in foreign:
            self._foreign.setdefault(self.of(node), []).append(node)

    def of(self, node: ast.ClassDef) -> Family:
        """The family of a class in the source."""
        return self._root(id(node))

    def named(self, name: str, scope: Scope) -> Family | None:
        """The family of the class that a name refers to; None if it refers to no class in the source."""
        owner = self._code.owner(name, scope)
        return self._root((owner, name)) if (owner, name) in self._links else None

    def owns(self, node: ast.ClassDef, name: str) -> bool:
        """Whether the attribute of that name, if any, is the source's own on every instance of the class."""
        foreign = self._foreign.get(self.of(node), [])
        if not foreign:
            return name in self._code.own_names
        is_method = any(isinstance(part, ast.FunctionDef) and part.name == name for part in node.body)
        return is_method and all(own is node for own in foreign)

    def is_foreign(self, node: ast.ClassDef) -> bool:
        """Whether a class of its family has a base that is not known to be harmless."""
        return bool(self._foreign.get(self.of(node)))

    def is_protocol(self, family: Family) -> bool:
        """Whether an object may pass as an instance of the family's classes by its attributes alone."""
        return family in self._protocols

    def _is_foreign(self, key: object, base: ast.expr, scope: Scope) -> bool:
        plain = base.value if isinstance(base, ast.Subscript) else base
        if isinstance(plain, ast.Call):
            return False  # a named tuple, the only call that may be a base
        if paths := self._code.paths(plain, scope):
            return any(path.partition(".")[0] in policy.THIRD_PARTY for path in paths)
        if not isinstance(plain, ast.Name):
            return True
        owner = self._code.owner(plain.id, scope)
        if owner is None:
            return plain.id in _TEXT
        self._join(key, (owner, plain.id))
        found = self._code.definitions.get((owner, plain.id), ())
        return not found or not isinstance(found[-1], ast.ClassDef)

    def _is_typing_protocol(self, base: ast.expr, scope: Scope) -> bool:
        plain = base.value if isinstance(base, ast.Subscript) else base
        return "typing.Protocol" in self._code.paths(plain, scope)

    def _join(self, one: object, other: object) -> None:
        self._links[self._root(one)] = self._root(other)

    def _root(self, key: object) -> object:
        path = []
        while self._links.setdefault(key, key) != key:
            path.append(key)
            key = self._links[key]
        for passed in path:
            self._links[passed] = key
        return key
