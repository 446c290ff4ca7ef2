"""Everything that can go wrong on the way to a result, as a small tree below ClientError."""

from collections.abc import Mapping, Sequence
from typing import Any

from hqg_backtester.client.text import printable


class ClientError(Exception):
    """The root. Its text is meant for the person: mostly the service's own sentence, with control characters escaped.

    Attributes:
        status: the HTTP status that told it, None when no answer did.
        answer: the service's JSON answer, {} when there is none.
    """

    def __init__(self, message: str, *, status: int | None = None, answer: Mapping[str, Any] | None = None) -> None:
        super().__init__(printable(message))
        self.status = status
        self.answer = dict(answer or {})


class ServiceUnavailable(ClientError):
    """Nothing answers at that address, or not as the service does, and patience has run out."""


class ServiceBusy(ServiceUnavailable):
    """The service asks to come back later, and for longer than patience lasts.

    Attributes:
        retry_after_seconds: how long it asked to wait; None when it did not say.
    """

    def __init__(self, message: str, *, retry_after_seconds: float | None = None, **what: Any) -> None:
        super().__init__(message, **what)
        self.retry_after_seconds = retry_after_seconds


class ServiceFault(ClientError):
    """Something went wrong inside the service; `answer` has the request_id for its operator."""


class Unauthorized(ClientError):
    """The service wants a token, or does not accept this one."""


class RequestInvalid(ClientError):
    """The request itself is wrong; sending it again will not help.

    Attributes:
        problems: one (field, sentence) for each field that is wrong; empty when it is no single field.
    """

    def __init__(self, message: str, *, problems: Sequence[tuple[str, str]] = (), **what: Any) -> None:
        super().__init__(message, **what)
        self.problems = list(problems)


class RunNotFound(ClientError):
    """There is no such run, or it belongs to another user."""


class RunNotFinished(ClientError):
    """The run has no result yet."""


class CodeUnavailable(ClientError):
    """The strategy's source cannot be found from what was given; the text says why and what to do."""


class WaitTimedOut(ClientError, TimeoutError):
    """The wait was longer than asked for. The run goes on: wait again, or cancel it."""


class PackageMissing(ClientError, ImportError):
    """A package that only this feature needs is not installed."""


class RunError(ClientError):
    """The run ended without a result.

    Attributes:
        code: the service's stable name of the reason.
        errors: sentences for the person.
    """

    code = "run_failed"

    def __init__(self, errors: Sequence[str], *, code: str | None = None, **what: Any) -> None:
        super().__init__("\n".join(errors), **what)
        self.errors = list(errors)
        self.code = code or self.code


class StrategyRejected(RunError):
    """The code breaks a rule; it was not run.

    Attributes:
        violations: one mapping a broken rule: rule, message, line, column, end_line, end_column.
    """

    code = "strategy_rejected"

    def __init__(self, errors: Sequence[str], *, violations: Sequence[Mapping[str, Any]] = (), **what: Any) -> None:
        super().__init__(errors, **what)
        self.violations = [dict(violation) for violation in violations]


class StrategyFailed(RunError):
    """The strategy raised, hung, ran out of something or returned nonsense.

    Attributes:
        traceback: frames of the strategy's own source, or "".
        logs: what it printed before.
    """

    code = "strategy_failed"

    def __init__(self, errors: Sequence[str], *, traceback: str = "", logs: Sequence[str] = (), **what: Any) -> None:
        super().__init__(errors, **what)
        self.traceback = traceback
        self.logs = list(logs)

    def __str__(self) -> str:
        return printable("\n".join([*self.errors, *([self.traceback.rstrip()] if self.traceback else [])]))


class NoPrices(RunError):
    """There are no prices for a symbol or for the window."""

    code = "no_prices"


class RunCancelled(RunError):
    """The run was cancelled."""

    code = "run_cancelled"


class RunTimedOut(RunError):
    """The run took longer than the service allows."""

    code = "run_timed_out"


class RunFailed(RunError):
    """The run failed for another reason, which `code` and `errors` tell."""
