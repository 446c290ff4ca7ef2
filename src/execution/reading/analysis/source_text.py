"""From text to a syntax tree, or to a violation: encoding, sizes, then Python's own parser and compiler."""

import ast
import re
import threading
import unicodedata
import warnings

from src.execution.reading import policy
from src.execution.reading.analysis.violations import SourceText, Violation, shown

_COOKIE = re.compile(r"[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_BLANK_OR_COMMENT = re.compile(r"[ \t\f]*(#.*)?", re.DOTALL)
_UTF8_NAMES = frozenset({"utf-8", "utf8", "utf-8-sig"})
_BIDIRECTIONAL = re.compile(f"[{policy.BIDIRECTIONAL_CONTROLS}]")

_COMBINABLE = re.compile(rf"[^\x00-\x7f]{{{policy.MAX_COMBINING_MARKS + 1},}}")

_warning_filters = threading.Lock()
"""Compiling may warn, and keeping a user's warning out of our log changes global state."""


def text_violation(text: SourceText) -> Violation | None:
    """The violation that can be found before parsing, or None."""
    source = text.source
    if len(source) > policy.MAX_SOURCE_BYTES:
        return _too_large(text)
    try:
        encoded = source.encode("utf-8")
    except UnicodeEncodeError as error:
        message = f"Character U+{ord(source[error.start]):04X} is half of a surrogate pair"
        return text.violation_at(error.start, "invalid-character", message)
    if len(encoded) > policy.MAX_SOURCE_BYTES:
        return _too_large(text)
    if (offset := source.find("\0")) >= 0:
        return text.violation_at(offset, "null-byte", "The source contains a null byte")
    if found := _BIDIRECTIONAL.search(source):
        message = f"Character U+{ord(found.group()):04X} reverses the text around it, so the code hides what it runs"
        return text.violation_at(found.start(), "bidirectional-character", message)
    if (overloaded := _overloaded_character(source)) is not None:
        message = f"More than {policy.MAX_COMBINING_MARKS} combining marks on one character"
        return text.violation_at(overloaded, "too-complex", message)
    if source.count("{") > policy.MAX_OPENING_BRACES:
        message = f"The source has more than {policy.MAX_OPENING_BRACES:,} opening braces"
        return text.violation("too-complex", message, 1)
    return _foreign_encoding(text)


def _overloaded_character(source: str) -> int | None:
    """Offset of a character with too many combining marks; None if there is none."""
    for run in _COMBINABLE.finditer(source):
        marks = 0
        for offset, character in enumerate(run.group(), run.start()):
            marks = marks + 1 if unicodedata.combining(character) else 0
            if marks > policy.MAX_COMBINING_MARKS:
                return offset - marks
    return None


def _too_large(text: SourceText) -> Violation:
    message = f"The source is larger than {policy.MAX_SOURCE_BYTES:,} bytes"
    return text.violation("source-too-large", message, 1)


def _foreign_encoding(text: SourceText) -> Violation | None:
    # PEP 263: the first line counts, and the second if the first is blank or a comment.
    for number, line in enumerate(text.lines[:2], start=1):
        found = _COOKIE.match(line)
        if found and found.group(1).lower().replace("_", "-") not in _UTF8_NAMES:
            message = f"Source encoding '{shown(found.group(1))}' is not allowed: the source is UTF-8"
            return text.violation("source-encoding", message, number, 1, len(line))
        if not _BLANK_OR_COMMENT.fullmatch(line):
            return None
    return None


def parse(text: SourceText) -> ast.Module | Violation:
    """The syntax tree as Python itself builds it, or the violation that prevents it."""
    result = _compile(text, ast.PyCF_ONLY_AST)
    assert isinstance(result, (ast.Module, Violation))  # noqa: S101 - PyCF_ONLY_AST returns a tree
    return result


def compile_violation(text: SourceText) -> Violation | None:
    """The error that the compiler finds after the parser ("'return' outside function"), or None."""
    result = _compile(text, 0)
    return result if isinstance(result, Violation) else None


def parse_expression(source: str) -> ast.expr | None:
    """The expression in a string; None if it is not a single expression."""
    try:
        tree = _quietly_compile(source.strip(), "eval", ast.PyCF_ONLY_AST)
    except (SyntaxError, ValueError, OverflowError, RecursionError, MemoryError):
        return None
    return tree.body if isinstance(tree, ast.Expression) else None


def _quietly_compile(source: str, mode: str, flags: int) -> object:
    with _warning_filters, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return compile(source, "strategy.py", mode, flags=flags, dont_inherit=True)


def _compile(text: SourceText, flags: int) -> object:
    try:
        return _quietly_compile(text.source, "exec", flags)
    except SyntaxError as error:
        return _syntax_violation(text, error)
    except (RecursionError, MemoryError):
        return text.violation("too-complex", "The source is nested too deeply", 1)
    except (ValueError, OverflowError) as error:
        return text.violation("syntax-error", f"Syntax error: {error}", 1)


def _syntax_violation(text: SourceText, error: SyntaxError) -> Violation:
    line, column = error.lineno or 1, error.offset or 1
    is_one_line = error.end_lineno == error.lineno and (error.end_offset or 0) > column
    length = (error.end_offset or 0) - column if is_one_line else 1
    return text.violation("syntax-error", f"Syntax error: {error.msg}", line, column, length)
