"""Finds the import statement for a name."""

import ast
import sys
import types
from typing import Any


def imports_in(tree: ast.Module) -> dict[str, str]:
    """For each name the module imports at its top level, a statement that imports only that name."""
    found: dict[str, str] = {}
    for node in tree.body:
        if isinstance(node, ast.Import):
            found |= {alias.asname or alias.name.split(".")[0]: f"import {_aliased(alias)}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.names[0].name != "*":
            start = f"from {node.module} import"
            found |= {alias.asname or alias.name: f"{start} {_aliased(alias)}" for alias in node.names}
    return found


def import_of(name: str, value: Any, here: str | None) -> str | None:
    """A statement that imports this value under this name; None if no other module provides it.

    Args:
        here: the name of the module that uses it.
    """
    if isinstance(value, types.ModuleType):
        return f"import {value.__name__}" + ("" if name == value.__name__ else f" as {name}")
    origin, original = getattr(value, "__module__", None), getattr(value, "__name__", None)
    if not isinstance(origin, str) or not isinstance(original, str) or origin in (here, "builtins"):
        return None
    if getattr(sys.modules.get(origin), original, None) is not value:
        return None
    return f"from {_home(origin, original, value)} import {original}" + ("" if name == original else f" as {name}")


def _aliased(alias: ast.alias) -> str:
    return f"{alias.name} as {alias.asname}" if alias.asname else alias.name


def _home(origin: str, original: str, value: Any) -> str:
    """The outermost package that provides the same object: hqg_algorithms rather than one of its submodules."""
    parts = origin.split(".")
    homes = (".".join(parts[:length]) for length in range(1, len(parts)))
    return next((home for home in homes if getattr(sys.modules.get(home), original, None) is value), origin)
