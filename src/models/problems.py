"""The answers to a wrong request, one model per kind of problem."""

from pydantic import BaseModel, ConfigDict


class Problem(BaseModel):
    """Base of all problems."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class ViolationAnswer(Problem):
    """One rule that the source breaks; lines and columns count from one."""

    rule: str
    """Stable name of the rule."""
    message: str
    """What is wrong, for the author of the code."""
    line: int | None = None
    """First line of the offending code."""
    column: int | None = None
    """First column of the offending code."""
    end_line: int | None = None
    """Last line of the offending code."""
    end_column: int | None = None
    """Column after the offending code."""


class AnalysisErrors(Problem):
    """The code was not run: it breaks a rule, does not parse or has no Strategy."""

    analysis_errors: list[str]
    """One sentence per violation, with its line."""
    violations: list[ViolationAnswer]
    """The same as structured data, for an editor."""


class ExecutionErrors(Problem):
    """The code ran and raised, hung, ran out of memory or returned something invalid."""

    execution_errors: list[str]
    """What happened, with line, function and date where known."""
    traceback: str
    """Frames of the strategy's own source only."""
    logs: list[str]
    """What the strategy printed before."""


class DataErrors(Problem):
    """A symbol or window has no prices."""

    data_errors: list[str]
    """One sentence per symbol or window."""


class BadRequest(Problem):
    """400: the strategy or its window is at fault."""

    detail: AnalysisErrors | ExecutionErrors | DataErrors


class FieldProblem(Problem):
    """One field that is missing or wrong. The value sent is not repeated."""

    type: str
    """Stable name of the problem."""
    loc: list[str | int]
    """Where: body or header, then the path to the field."""
    msg: str
    """What is wrong with it."""


class MalformedRequest(Problem):
    """422: the request does not have the documented form."""

    detail: list[FieldProblem]


class Refusal(Problem):
    """The request cannot be served, for the reason in `detail`."""

    detail: str


class OwnFault(Problem):
    """500: our own fault."""

    detail: str
    request_id: str
    """Reference to quote to the operator; it is also in the log."""
