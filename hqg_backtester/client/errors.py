"""Every error of the client, as a small tree below ClientError."""

from collections.abc import Mapping, Sequence
from typing import Any

from hqg_backtester.client.text import printable


class ClientError(Exception):
    """The base class. Its text is for the user: usually the service's own sentence, with control characters escaped.

    Attributes:
        status: the HTTP status of the answer, None if there was no answer.
        answer: the service's JSON answer, {} if there is none.
    """

    def __init__(self, message: str, *, status: int | None = None, answer: Mapping[str, Any] | None = None) -> None:
        super().__init__(printable(message))
        self.status = status
        self.answer = dict(answer or {})


class ServiceUnavailable(ClientError):
    """No service answers at that address, or something else does, and patience has run out."""


class ServiceBusy(ServiceUnavailable):
    """The service asks to retry later, after patience would have run out.

    Attributes:
        retry_after_seconds: how long it asked to wait; None if it did not say.
    """

    def __init__(self, message: str, *, retry_after_seconds: float | None = None, **what: Any) -> None:
        super().__init__(message, **what)
        self.retry_after_seconds = retry_after_seconds


class ServiceFault(ClientError):
    """Something went wrong inside the service; `answer` has the request_id to quote to its operator."""


class Unauthorized(ClientError):
    """The service requires a token, or rejects this one."""


class RequestInvalid(ClientError):
    """The request itself is wrong; sending it again will not help.

    Attributes:
        problems: one (field, sentence) for each wrong field; empty if no single field is wrong.
    """

    def __init__(self, message: str, *, problems: Sequence[tuple[str, str]] = (), **what: Any) -> None:
        super().__init__(message, **what)
        self.problems = list(problems)


class RunNotFound(ClientError):
    """There is no such run, or it belongs to another user."""


class RunNotFinished(ClientError):
    """The run has no result yet."""


class CodeUnavailable(ClientError):
    """The strategy's source cannot be determined; the text says why and what to do."""


class WaitTimedOut(ClientError, TimeoutError):
    """The wait timed out. The run continues: wait again, or cancel it."""


class PackageMissing(ClientError, ImportError):
    """An optional package that this feature needs is not installed."""


class RunError(ClientError):
    """The run ended without a result.

    Attributes:
        code: the service's stable name of the reason.
        errors: sentences for the user.
    """

    code = "run_failed"

    def __init__(self, errors: Sequence[str], *, code: str | None = None, **what: Any) -> None:
        super().__init__("\n".join(errors), **what)
        self.errors = list(errors)
        self.code = code or self.code


class StrategyRejected(RunError):
    """The code breaks a rule; it was not run.

    Attributes:
        violations: one mapping per broken rule: rule, message, line, column, end_line, end_column.
    """

    code = "strategy_rejected"

    def __init__(self, errors: Sequence[str], *, violations: Sequence[Mapping[str, Any]] = (), **what: Any) -> None:
        super().__init__(errors, **what)
        self.violations = [dict(violation) for violation in violations]


class StrategyFailed(RunError):
    """The strategy raised, hung, exceeded a limit or returned something invalid.

    Attributes:
        traceback: frames of the strategy's own source, or "".
        logs: what it printed before that.
    """

    code = "strategy_failed"

    def __init__(self, errors: Sequence[str], *, traceback: str = "", logs: Sequence[str] = (), **what: Any) -> None:
        super().__init__(errors, **what)
        self.traceback = traceback
        self.logs = list(logs)

    def __str__(self) -> str:
        return printable("\n".join([*self.errors, *([self.traceback.rstrip()] if self.traceback else [])]))


class NoPrices(RunError):
    """A symbol or the window has no prices."""

    code = "no_prices"


class RunCancelled(RunError):
    """The run was cancelled."""

    code = "run_cancelled"


class RunTimedOut(RunError):
    """The run took longer than the service allows."""

    code = "run_timed_out"


class RunFailed(RunError):
    """The run failed for another reason, given by `code` and `errors`."""
