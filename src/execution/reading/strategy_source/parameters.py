"""Reads declared_parameters: the names and defaults of the parameters that a strategy takes, and checks a request's."""

import ast
import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from src.execution import protocol
from src.execution.reading.analysis.violations import Report, Violation, bounded, shown
from src.execution.reading.strategy_source.declared import Declared

PARAMETER_RULE = "unknown-parameter"

_MAX_LISTED = 20


@dataclass(frozen=True)
class DeclaredParameters:
    """The parameters that a strategy takes, as written in its source.

    Attributes:
        defaults: plain JSON values by name.
        place: a violation at the literal, without a message.
    """

    defaults: Mapping[str, Any]
    place: Violation

    def violations(self, given: Iterable[str]) -> tuple[Violation, ...]:
        """One for each given name that is not declared."""
        unknown = (name for name in given if name not in self.defaults)
        return tuple(replace(self.place, message=self._message(name)) for name in islice(unknown, _MAX_LISTED))

    def _message(self, name: str) -> str:
        listed = dict(islice(self.defaults.items(), _MAX_LISTED))
        types = ", ".join(f"{shown(known)} ({type(value).__name__})" for known, value in listed.items())
        nearest = difflib.get_close_matches(name[:60], listed, n=1)
        hint = f" (did you mean '{shown(nearest[0])}'?)" if nearest else ""
        more = ", …" if len(self.defaults) > _MAX_LISTED else ""
        return bounded(f"The strategy has no parameter '{shown(name)}'{hint}: it declares {types or 'none'}{more}")


def read_parameters(report: Report, declaration: Declared) -> DeclaredParameters | None:
    """What the strategy declares; None if it declares nothing, only running the code can tell, or it is invalid."""
    expression = declaration.expression
    if expression is None or not isinstance(expression, (ast.Dict, ast.Constant, ast.List, ast.Tuple, ast.Set)):
        return None
    try:
        defaults = ast.literal_eval(expression)
        # Sent to the box as JSON. What that would change (a tuple, a number as a key) or refuse is left to the box.
        is_as_sent = protocol.parse_json(protocol.json_bytes(defaults)) == defaults
    except (ValueError, TypeError, RecursionError, MemoryError, protocol.ProtocolError):
        defaults, is_as_sent = {}, False
    if not isinstance(expression, ast.Dict) or not all(isinstance(name, str) for name in defaults):
        message = 'declared_parameters must be a dict of names and default values, as in {"fast": 10}'
        report.add(expression, "invalid-parameters", message)
    if not is_as_sent:
        return None
    start = (expression.lineno, expression.col_offset)
    end = (expression.end_lineno or start[0], expression.end_col_offset or start[1])
    return DeclaredParameters(defaults, report.text.violation_over(start, end, PARAMETER_RULE, ""))
