"""What a wrong request gets back, one shape a kind of problem."""

from pydantic import BaseModel, ConfigDict


class Problem(BaseModel):
    """What all problems have in common."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class ViolationAnswer(Problem):
    """One rule that the source breaks; lines and columns count from one."""

    rule: str
    """Stable name of the rule."""
    message: str
    """What is wrong, for the person who wrote the code."""
    line: int | None = None
    """First line of the passage."""
    column: int | None = None
    """First column of the passage."""
    end_line: int | None = None
    """Last line of the passage."""
    end_column: int | None = None
    """Column after the passage."""


class AnalysisErrors(Problem):
    """The code was not run: it breaks a rule, does not parse or has no Strategy."""

    analysis_errors: list[str]
    """One sentence a violation, with its line."""
    violations: list[ViolationAnswer]
    """The same as data, for an editor."""


class ExecutionErrors(Problem):
    """The code was run and raised, hung, ran out of memory or returned nonsense."""

    execution_errors: list[str]
    """What happened, with line, function and date where known."""
    traceback: str
    """Frames of the strategy's own source only."""
    logs: list[str]
    """What the strategy printed before."""


class DataErrors(Problem):
    """There are no prices for a symbol or window."""

    data_errors: list[str]
    """One sentence a symbol or window."""


class BadRequest(Problem):
    """400: the strategy or its window is at fault."""

    detail: AnalysisErrors | ExecutionErrors | DataErrors


class FieldProblem(Problem):
    """One field that is missing or wrong. What was sent is not repeated."""

    type: str
    """Stable name of the problem."""
    loc: list[str | int]
    """Where: body or header, then the path to the field."""
    msg: str
    """What is wrong with it."""


class MalformedRequest(Problem):
    """422: the request does not have the shape that the documentation shows."""

    detail: list[FieldProblem]


class Refusal(Problem):
    """The request cannot be served, for the reason in `detail`."""

    detail: str


class OwnFault(Problem):
    """500: our own fault."""

    detail: str
    request_id: str
    """What to tell the operator: the log has it too."""
