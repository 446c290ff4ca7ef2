"""What every rule needs: the walked code, a place to report to, and which nodes another rule has judged."""

import ast
from dataclasses import dataclass, field

from src.execution.analysis.code_map import CodeMap
from src.execution.analysis.violations import Report


@dataclass
class Reading:
    """One source being judged.

    Attributes:
        code: the walked source.
        report: where rules put what they find.
        settled: ids of nodes that a rule higher up the tree has judged, so that their own rule passes them over.
        text_names: variable → whether it is ever given a string made at run time, for names that were asked for.
        choice_problems: names that an attribute may be read by → why one of them may not be, if so.
        queries: text of a query → whether it is harmless.
        templates: text of a template → why it may not be used, if so.
    """

    code: CodeMap
    report: Report
    settled: set[int] = field(default_factory=set)
    text_names: dict[str, bool] = field(default_factory=dict)
    choice_problems: dict[tuple[str, ...], str | None] = field(default_factory=dict)
    queries: dict[str, bool] = field(default_factory=dict)
    templates: dict[str, str | None] = field(default_factory=dict)

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
