"""Strings that some library would turn into attribute access or into code."""

import ast
import re
from collections.abc import Iterator
from string import Formatter

from src.execution.reading import policy
from src.execution.reading.analysis.folding import fold
from src.execution.reading.analysis.rule_context import RuleContext
from src.execution.reading.analysis.violations import shown

_CODE_IN_A_STRING = re.compile(r"\.\s*__\w+__|__(?:import|builtins|globals|subclasses|class|mro|bases|code|reduce)__")
_FIELD_PART = re.compile(r"\.([^.\[]*)|\[[^\]]*(?:\]|$)")


def string_problem(text: str) -> str | None:
    """Why a strategy may not contain the string, or None if it may."""
    if text in policy.SPECIAL_NAMES:
        return f"The string '{shown(text)}' names an attribute that is not allowed"
    if text in policy.DENIED_STRINGS:
        return f"The string '{shown(text)}' names a method that is not allowed"
    if "__" in text and _CODE_IN_A_STRING.search(text):
        return "This string contains access to attributes that are not allowed"
    return None


def check_constant(reading: RuleContext, index: int) -> None:
    """Check a literal that is used as a value."""
    node = reading.code.nodes[index]
    if not isinstance(node, ast.Constant) or id(node) in reading.code.statement_strings:
        return
    if isinstance(node.value, str) and (problem := string_problem(node.value)):
        reading.report.add(node, "string-not-allowed", problem)


def check_composed(reading: RuleContext, index: int) -> None:
    """Check a string built from literals as if it were written out."""
    node, parent = reading.code.nodes[index], reading.code.parent(index)
    if isinstance(parent, ast.BinOp) and isinstance(node, ast.BinOp):
        return  # checked with the whole sum
    text = fold(node, reading.code)
    if text is not None and (problem := string_problem(text)):
        reading.report.add(node, "string-not-allowed", problem)


def template_attributes(template: str) -> Iterator[str]:
    """The attributes that str.format reads for this template: "{0.close:.2f}" reads "close".

    A template that str.format rejects reads none.
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
