"""Where a class or a function was defined: the text of its file or notebook cell, and the names around it."""

import ast
import inspect
import linecache
import sys
import types
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from hqg_backtester.client.errors import CodeUnavailable

WHAT_TO_DO = "Pass the strategy's source as text, or the path of its file."


@dataclass(frozen=True)
class Place:
    """A file or a notebook cell.

    Attributes:
        text: all of it.
        namespace: the global names that code in it sees.
    """

    text: str
    namespace: dict[str, Any]

    @cached_property
    def tree(self) -> ast.Module:
        """The text, parsed; empty when it is no Python any more."""
        try:
            return ast.parse(self.text)
        except (SyntaxError, ValueError):
            return ast.Module([], [])

    @property
    def has_late_annotations(self) -> bool:
        """Whether annotations in it are never evaluated."""
        imports = (node for node in self.tree.body if isinstance(node, ast.ImportFrom) and node.module == "__future__")
        return any(alias.name == "annotations" for node in imports for alias in node.names)

    def definition_of(self, value: Any) -> ast.stmt:
        """The statement that defines a class or a function: of several with its name, the one around its code.

        Raises:
            CodeUnavailable: there is none.
        """
        line = code.co_firstlineno if (code := _code_of(value)) else None
        kinds = ast.ClassDef if isinstance(value, type) else (ast.FunctionDef, ast.AsyncFunctionDef)
        named = [node for node in self.tree.body if isinstance(node, kinds) and node.name == value.__name__]
        around = [node for node in named if line is None or first_line(node) <= line <= (node.end_lineno or line)]
        if not around:
            raise CodeUnavailable(
                f"The source of {value.__name__} is not where Python says it is: was the file changed after it was "
                f"imported, or is it nested in another statement? {WHAT_TO_DO}"
            )
        return around[-1]

    def segment(self, statement: ast.stmt) -> str:
        """The text of a statement, its decorators included."""
        # Like the parser, only these count as line ends; str.splitlines knows more of them.
        lines = self.text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        return "\n".join(lines[first_line(statement) - 1 : statement.end_lineno])


def place_of(value: Any, otherwise: Place | None = None) -> Place:
    """Where this class or function was defined.

    Args:
        otherwise: the place to look in when Python does not know.

    Raises:
        CodeUnavailable: Python has not kept the text.
    """
    namespace = vars(sys.modules[value.__module__]) if value.__module__ in sys.modules else {}
    code = _code_of(value)
    text = "".join(linecache.getlines(code.co_filename)) if code is not None else ""
    # Of a class without code of its own only its name tells which one it is.
    if code is None and namespace.get(value.__name__) is value:
        text = _module_text(value)
    if text:
        return Place(text, namespace)
    if otherwise is not None:
        return otherwise
    raise CodeUnavailable(
        f"Python has not kept the source of {value.__name__} (it was typed at a prompt, or made by exec). {WHAT_TO_DO}"
    )


def first_line(statement: ast.stmt) -> int:
    """The line on which a statement begins, its decorators included; counts from one."""
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(decorator.lineno for decorator in decorators)])


def _code_of(value: Any) -> types.CodeType | None:
    """Code that says where a class or function was defined: of a class in a notebook, Python itself does not know."""
    members = [value] if isinstance(value, types.FunctionType) else _own_functions(value)
    codes = (getattr(inspect.unwrap(member), "__code__", None) for member in members)
    # What a decorator like dataclass has made has code too, but no text of it.
    return next((code for code in codes if code is not None and linecache.getlines(code.co_filename)), None)


def _own_functions(kind: type) -> list[Any]:
    members = [getattr(member, "fget", None) or getattr(member, "__func__", member) for member in vars(kind).values()]
    functions = [member for member in members if isinstance(member, types.FunctionType)]
    return [function for function in functions if function.__qualname__ == f"{kind.__qualname__}.{function.__name__}"]


def _module_text(value: Any) -> str:
    try:
        file = inspect.getsourcefile(value)
    except (TypeError, OSError):
        return ""
    return "".join(linecache.getlines(file)) if file else ""
