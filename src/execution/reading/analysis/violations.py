"""What the analysis reports: one violation per broken rule, bounded in number and length."""

import ast
import re
from dataclasses import dataclass

from src.execution.reading import policy
from src.execution.text import printable

_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_SHOWN_CHARACTERS = 60
_MESSAGE_CHARACTERS = 300


@dataclass(frozen=True)
class Violation:
    """A rule broken at one position in the source.

    Attributes:
        rule: stable identifier, kebab-case.
        message: one sentence for the author, without the line number.
        line: 1-based.
        column: 1-based, in characters.
        end_line: 1-based.
        end_column: 1-based, the character after the last one.
    """

    rule: str
    message: str
    line: int
    column: int
    end_line: int
    end_column: int


def shown(text: str) -> str:
    """Part of the user's source made printable and short, for a message."""
    return printable(text, _SHOWN_CHARACTERS)


class SourceText:
    """The source as lines, to convert the parser's positions (UTF-8 bytes) into the editor's (characters)."""

    def __init__(self, source: str) -> None:
        self.source = source
        # Python breaks lines only at these; str.splitlines would also break at form feeds.
        self.lines = _LINE_BREAK.split(source)

    def violation(self, rule: str, message: str, line: int, column: int = 1, length: int = 1) -> Violation:
        """A violation over `length` characters of one line; a position outside the source moves to its edge."""
        line = min(max(1, line), len(self.lines))
        beyond = len(self.lines[line - 1]) + 1
        column = min(max(1, column), beyond)
        end_column = max(column, min(column + length, beyond))
        return Violation(rule, bounded(message), line, column, line, end_column)

    def violation_at(self, offset: int, rule: str, message: str) -> Violation:
        """A violation over the character at `offset` in the source."""
        line, line_start = 1, 0
        for line_break in _LINE_BREAK.finditer(self.source, 0, offset):
            line, line_start = line + 1, line_break.end()
        return self.violation(rule, message, line, offset - line_start + 1)

    def violation_over(self, start: tuple[int, int], end: tuple[int, int], rule: str, message: str) -> Violation:
        """A violation between two (line, byte) positions of syntax nodes: line 1-based, byte 0-based."""
        line = min(max(1, start[0]), len(self.lines))
        end_line = min(max(line, end[0]), len(self.lines))
        column, end_column = self._column(line, start[1]), self._column(end_line, end[1])
        if end_line == line:
            end_column = max(column, end_column)
        return Violation(rule, bounded(message), line, column, end_line, end_column)

    def _column(self, line: int, byte: int) -> int:
        text = self.lines[line - 1]
        if text.isascii():
            return min(max(0, byte), len(text)) + 1
        return len(text.encode("utf-8", "replace")[: max(0, byte)].decode("utf-8", "ignore")) + 1


def bounded(message: str) -> str:
    """A violation's message, printable and of limited length."""
    return printable(message, _MESSAGE_CHARACTERS)


Place = tuple[int, int]


class Report:
    """Collects findings cheaply and computes positions only for the few that are shown."""

    def __init__(self, text: SourceText) -> None:
        self.text = text
        self._findings: set[tuple[Place, Place, str, str]] = set()

    def add(self, node: ast.AST, rule: str, message: str) -> None:
        """Report that a node, which must have a position, breaks a rule."""
        start = (node.lineno, node.col_offset)  # type: ignore[attr-defined]
        self._findings.add((start, _end(node, start), rule, message))

    def add_member(self, node: ast.Attribute, rule: str, message: str) -> None:
        """Like add, but over the attribute's name only: the chain before it may span many lines."""
        end = _end(node, (node.lineno, node.col_offset))
        start = (end[0], max(0, end[1] - len(node.attr.encode("utf-8", "replace"))))
        self._findings.add((start, end, rule, message))

    def violations(self) -> tuple[Violation, ...]:
        """At most MAX_VIOLATIONS in source order, then one that gives the number of the rest."""
        found = sorted(self._findings)
        kept = [self.text.violation_over(*finding) for finding in found[: policy.MAX_VIOLATIONS]]
        if rest := found[policy.MAX_VIOLATIONS :]:
            start, end, _, _ = rest[0]
            message = f"{len(rest)} more violations are not listed"
            kept.append(self.text.violation_over(start, end, "more-violations", message))
        return tuple(kept)


def _end(node: ast.AST, start: Place) -> Place:
    line, byte = getattr(node, "end_lineno", None), getattr(node, "end_col_offset", None)
    return start if line is None or byte is None else (line, byte)
