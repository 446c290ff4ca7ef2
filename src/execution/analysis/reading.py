"""What every rule needs: the walked code, a place to report to, and which nodes another rule has judged."""

import ast
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from src.execution.analysis.code_map import CodeMap
from src.execution.analysis.families import Families
from src.execution.analysis.violations import Report

T = TypeVar("T")


@dataclass
class Reading:
    """One source being judged.

    Attributes:
        code: the walked source.
        report: where rules put what they find.
        settled: ids of nodes that a rule higher up the tree has judged, so that their own rule passes them over.
        text_names: variable → whether it is ever given a string made at run time, for names that were asked for.
        trusting_methods: own method → families in which it relies on its self being an instance.
        trusting_families: family whose classes may not be passed around → a method that is the reason.
        families: which own classes inherit from each other.
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
        """What was answered when the same was asked before; a short source can ask very often.

        Args:
            question: the same words for the same kind of question.
            subject: what it is about.
            answer: finds the answer; asked meanwhile, the same question is answered by None.
        """
        key = (question, subject)
        if key not in self._answers:
            self._answers[key] = None
            self._answers[key] = answer()
        found: T = self._answers[key]
        return found

    def settle(self, *nodes: ast.AST) -> None:
        """These nodes are judged."""
        self.settled.update(id(node) for node in nodes)

    def is_settled(self, node: ast.AST) -> bool:
        """Whether a rule higher up has judged the node."""
        return id(node) in self.settled


def is_dunder(name: str) -> bool:
    """Whether Python gives the name a meaning of its own; a name of underscores alone is an ordinary one."""
    return len(name) > 4 and name.startswith("__") and name.endswith("__")


def is_reserved(name: str) -> bool:
    """Whether the name looks like the guards that restricted interpreters put around code: _getattr_, _write_."""
    return len(name) > 2 and name[0] == "_" == name[-1] and name[1] != "_" != name[-2]
