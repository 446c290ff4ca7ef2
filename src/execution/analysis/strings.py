"""Strings that some library would turn into attribute access or into code."""

import ast
import re
from collections.abc import Iterator
from string import Formatter

from src.execution import policy
from src.execution.analysis.code_map import CodeMap
from src.execution.analysis.reading import Reading
from src.execution.analysis.violations import shown

_MAX_FOLDED_CHARACTERS = 2_000
_CODE_IN_A_STRING = re.compile(r"\.\s*__\w+__|__(?:import|builtins|globals|subclasses|class|mro|bases|code|reduce)__")
_FIELD_PART = re.compile(r"\.([^.\[]*)|\[[^\]]*\]")


def string_problem(text: str) -> str | None:
    """Why the string may not stand in a strategy, if so."""
    if text in policy.SPECIAL_NAMES:
        return f"The string '{shown(text)}' names an attribute that is not allowed"
    if text in policy.DENIED_STRINGS:
        return f"The string '{shown(text)}' names a method that is not allowed"
    if "__" in text and _CODE_IN_A_STRING.search(text):
        return "This string spells access to attributes that are not allowed"
    return None


def check_constant(reading: Reading, index: int) -> None:
    """A literal, wherever it stands as a value."""
    node = reading.code.nodes[index]
    if not isinstance(node, ast.Constant) or id(node) in reading.code.statement_strings:
        return
    if isinstance(node.value, str) and (problem := string_problem(node.value)):
        reading.report.add(node, "string-not-allowed", problem)


def check_composed(reading: Reading, index: int) -> None:
    """A string put together from literals counts as if it were written out."""
    node, parent = reading.code.nodes[index], reading.code.parent(index)
    if isinstance(parent, ast.BinOp) and isinstance(node, ast.BinOp):
        return  # judged with the whole sum
    text = fold(node, reading.code)
    if text is not None and (problem := string_problem(text)):
        reading.report.add(node, "string-not-allowed", problem)


def fold(node: ast.AST, code: CodeMap, depth: int = 0) -> str | None:
    """The string that an expression of literals makes; None where it is no such expression."""
    if depth > policy.MAX_DEPTH:
        return None
    match node:
        case ast.Constant(value=value):
            return str(value)[:_MAX_FOLDED_CHARACTERS] if isinstance(value, str) else None
        case ast.Name():
            return code.constants.get(node.id)
        case ast.BinOp(op=ast.Add()):
            return _joined("", [node.left, node.right], code, depth)
        case ast.JoinedStr():
            return _joined("", node.values, code, depth)
        case ast.FormattedValue(conversion=-1, format_spec=None):
            return fold(node.value, code, depth + 1)
        case ast.Call(func=ast.Attribute(attr="join") as join, args=[ast.List() | ast.Tuple() as parts], keywords=[]):
            glue = fold(join.value, code, depth + 1)
            return None if glue is None else _joined(glue, parts.elts, code, depth)
        case ast.Subscript(slice=ast.Slice(lower=None, upper=None, step=step)):
            whole = fold(node.value, code, depth + 1)
            is_reversed = isinstance(step, ast.UnaryOp) and isinstance(step.op, ast.USub)
            return whole[::-1] if whole is not None and is_reversed else whole
    return None


def _joined(glue: str, parts: list[ast.expr], code: CodeMap, depth: int) -> str | None:
    texts = []
    for part in parts:
        text = fold(part, code, depth + 1)
        if text is None:
            return None
        texts.append(text)
    return glue.join(texts)[:_MAX_FOLDED_CHARACTERS]


def template_attributes(template: str) -> Iterator[str]:
    """The attributes that str.format would read for this template: "{0.close:.2f}" reads "close".

    A template that str.format would refuse reads none.
    """
    pending = [template]
    while pending:
        try:
            fields = list(Formatter().parse(pending.pop()))
        except ValueError:
            continue
        for _, name, specification, _ in fields:
            if name is not None:
                yield from (found for found in _FIELD_PART.findall(name) if found)
            if specification and "{" in specification:
                pending.append(specification)
