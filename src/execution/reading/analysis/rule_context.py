"""What every rule needs: the walked code, the report, and the nodes that other rules have already judged."""

import ast
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from src.execution.reading.analysis.code_map import CodeMap
from src.execution.reading.analysis.families import Families
from src.execution.reading.analysis.violations import Report

T = TypeVar("T")


@dataclass
class RuleContext:
    """One source being checked.

    Attributes:
        code: the walked source.
        report: collects the rules' findings.
        settled: ids of nodes already judged by a rule higher up the tree, so that their own rule skips them.
        text_names: variable → whether it is ever assigned a string made at run time, for names queried so far.
        trusting_methods: the author's method → families in which it relies on its self being an instance.
        trusting_families: family whose classes may not be passed around → a method that requires it.
        families: the author's classes, grouped by inheritance.
    """

    code: CodeMap
    report: Report
    settled: set[int] = field(default_factory=set)
    text_names: dict[str, bool] = field(default_factory=dict)
    trusting_methods: dict[str, set[object]] = field(default_factory=dict)
    trusting_families: dict[object, str] = field(default_factory=dict)
    _answers: dict[tuple[str, object], Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.families = Families(self.code)

    def remember(self, question: str, subject: Hashable, answer: Callable[[], T]) -> T:
        """The answer to a question, computed once: a short source can repeat a question many times.

        Args:
            question: the kind of question, always in the same words.
            subject: the object of the question.
            answer: computes the answer. If it asks the same question again, that is answered by None.
        """
        key = (question, subject)
        if key not in self._answers:
            self._answers[key] = None
            self._answers[key] = answer()
        found: T = self._answers[key]
        return found

    def settle(self, *nodes: ast.AST) -> None:
        """Mark nodes as judged."""
        self.settled.update(id(node) for node in nodes)

    def is_settled(self, node: ast.AST) -> bool:
        """Whether a rule higher up the tree has judged the node."""
        return id(node) in self.settled


def is_dunder(name: str) -> bool:
    """Whether the name has the form of Python's special names; a name of underscores alone is ordinary."""
    return len(name) > 4 and name.startswith("__") and name.endswith("__")


def is_reserved(name: str) -> bool:
    """Whether the name looks like a restricted interpreter's guard: _getattr_, _write_."""
    return len(name) > 2 and name[0] == "_" == name[-1] and name[1] != "_" != name[-2]
