"""Annotations: which of their parts are types, and the expressions in quoted ones."""

import ast
from collections.abc import Iterator

from src.execution.reading.analysis.source_text import parse_expression

_MAX_QUOTED_CHARACTERS = 1_000


def annotation_nodes(annotation: ast.expr) -> Iterator[ast.AST]:
    """The annotation's nodes, without the data inside Literal[…] and after the type in Annotated[type, …]."""
    stack: list[ast.AST] = [annotation]
    while stack:
        node = stack.pop()
        yield node
        if isinstance(node, ast.Subscript):
            name = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
            if name == "Literal":
                continue
            if name == "Annotated" and isinstance(node.slice, ast.Tuple):
                stack.extend(node.slice.elts[:1])
                continue
        stack.extend(ast.iter_child_nodes(node))


def quoted_expression(constant: ast.Constant) -> ast.expr | None:
    """The expression in a quoted annotation, positioned at the quotes; None for prose and non-strings."""
    text = constant.value
    if not isinstance(text, str) or len(text) > _MAX_QUOTED_CHARACTERS:
        return None
    quoted = parse_expression(text)
    if quoted is not None:
        for node in ast.walk(quoted):
            ast.copy_location(node, constant)
    return quoted
