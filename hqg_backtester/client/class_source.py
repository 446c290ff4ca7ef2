"""The source of a class in a file or a notebook cell, with the definitions it uses.

Sending the whole file would not work: it may be the script that uses this client, and a notebook has no file.
So the names that the class uses are looked up in its own namespace, and each is written out:
modules and names from other modules as imports, plain values as they are now, the rest as source.
"""

import ast
import symtable
import types
from dataclasses import dataclass, field
from typing import Any

from hqg_backtester.client.definition import WHAT_TO_DO, Place, place_of
from hqg_backtester.client.errors import CodeUnavailable
from hqg_backtester.client.imports import import_of, imports_in


def class_source(kind: type) -> str:
    """Self-contained source text of this class.

    Raises:
        CodeUnavailable: Python does not know the source, or the class uses a value that cannot be written out.
    """
    if "<locals>" in kind.__qualname__:
        raise CodeUnavailable(
            f"{kind.__name__} is defined inside a function, so its source is not self-contained. "
            f"Move it to the top level of its file or cell. {WHAT_TO_DO}"
        )
    place = place_of(kind)
    gathered = _Gathered(kind.__name__, place.namespace)
    gathered.add(kind.__name__, place.definition_of(kind), place)
    return gathered.text()


@dataclass
class _Gathered:
    """The pieces collected so far.

    Attributes:
        class_name: the class being written out, for messages.
        namespace: the global names of the class's module, or of the notebook.
    """

    class_name: str
    namespace: dict[str, Any]
    _imports: dict[str, str] = field(default_factory=dict)
    _definitions: dict[str, str] = field(default_factory=dict)
    _seen: set[str] = field(default_factory=set)

    def add(self, name: str, statement: ast.stmt, place: Place) -> None:
        """Add a statement that binds this name, after everything it uses."""
        self._seen.add(name)
        if place.has_late_annotations:
            self._imports["annotations"] = "from __future__ import annotations"
        segment = place.segment(statement)
        for used in _global_names(segment):
            self._need(used, place)
        self._definitions[name] = segment

    def text(self) -> str:
        """All pieces: imports first, then every definition after those it uses."""
        # Imports from __future__ must come first.
        imports = sorted(set(self._imports.values()), key=lambda line: ("__future__" not in line, line))
        return "\n\n\n".join(part for part in ("\n".join(imports), *self._definitions.values()) if part) + "\n"

    def _need(self, name: str, place: Place) -> None:
        # A name that is not in the namespace is a builtin, or missing, in which case the run reports it.
        if name in self._seen or name not in self.namespace:
            return
        self._seen.add(name)
        value = self.namespace[name]
        imported = imports_in(place.tree).get(name) or import_of(name, value, self.namespace.get("__name__"))
        if imported is not None:
            self._imports[name] = imported
        elif isinstance(value, type | types.FunctionType) and value.__name__ == name:
            around = place_of(value, otherwise=place)
            self.add(name, around.definition_of(value), around)
        elif _is_plain(value):
            # Its current value: a notebook may have changed it.
            self._definitions[name] = f"{name} = {value!r}"
        else:
            self._add_assignment(name, place)

    def _add_assignment(self, name: str, place: Place) -> None:
        for statement in reversed(place.tree.body):
            if name in _assigned_names(statement):
                self.add(name, statement, place)
                return
        raise CodeUnavailable(
            f"{self.class_name} uses {name}, a {type(self.namespace[name]).__name__} that cannot be written as source. "
            f"Define it inside the class or next to it. {WHAT_TO_DO}"
        )


def _assigned_names(statement: ast.stmt) -> set[str]:
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    if isinstance(statement, ast.AnnAssign) and statement.value is not None:
        targets = [statement.target]
    return {target.id for target in targets if isinstance(target, ast.Name)}


def _global_names(segment: str) -> list[str]:
    """The names a statement reads but does not bind itself, in a fixed order."""
    whole = symtable.symtable(segment, "<strategy>", "exec")
    tables, names = [whole], set()
    while tables:
        table = tables.pop()
        tables += table.get_children()
        read = (symbol for symbol in table.get_symbols() if symbol.is_referenced())
        names |= {symbol.get_name() for symbol in read if table is whole or symbol.is_global()}
    return sorted(names)


def _is_plain(value: Any) -> bool:
    """Whether its repr is source that evaluates to the same value."""
    try:
        return bool(ast.literal_eval(repr(value)) == value)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return False
