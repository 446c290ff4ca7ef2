"""The root of every error this service raises on purpose, and the few that several rooms share."""

from collections.abc import Mapping, Sequence
from typing import Any


class BacktesterError(Exception):
    """Something we could not do, said so that the caller can act on it.

    Attributes:
        code: stable identifier for logs and metrics, never shown as prose.
        http_status: the status that `src/api/http/errors.py` answers with.
    """

    code = "internal"
    http_status = 500


class NoPrices(BacktesterError):
    """The asked-for symbols or window have no prices; the person can change the request.

    Args:
        errors: one sentence a symbol or window, each naming it and what to do.
    """

    code = "no_prices"
    http_status = 400

    def __init__(self, errors: Sequence[str]) -> None:
        super().__init__("; ".join(errors))
        self.errors = list(errors)


class PriceSourceUnavailable(BacktesterError):
    """The price source did not answer as it should; trying later may help.

    Args:
        message: which symbol, which source, what happened.
        retry_after_seconds: how long to wait when the source said so, else None.
    """

    code = "price_source_unavailable"
    http_status = 502

    def __init__(self, message: str, retry_after_seconds: int | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class SandboxUnavailable(BacktesterError):
    """No box can be started at present: there is no unsandboxed way to run.

    Args:
        message: which backend, why, and what an operator can do about it.
    """

    code = "sandbox_unavailable"
    http_status = 503
    retry_after_seconds = 5


class StrategyRejected(BacktesterError):
    """The strategy's source breaks a rule; nothing was run.

    Args:
        violations: one dict a broken rule: rule, message, line, column, end_line, end_column (1-based).
    """

    code = "strategy_rejected"
    http_status = 400

    def __init__(self, violations: Sequence[Mapping[str, Any]]) -> None:
        super().__init__(f"{len(violations)} rules broken")
        self.violations = [dict(violation) for violation in violations]


class StrategyFailed(BacktesterError):
    """The strategy ran and raised, hung, ran out of something or returned nonsense.

    Args:
        errors: sentences for the person, each with line, function and date where known.
        traceback: frames of the user's own source only, or "".
        logs: what the strategy printed before it failed, bounded.
        timed_out: whether it used up the wall seconds of a run.
        is_repeatable: whether the same strategy fails again on the same prices; False where the box is suspected.
    """

    code = "strategy_failed"
    http_status = 400

    def __init__(
        self,
        errors: Sequence[str],
        traceback: str = "",
        logs: Sequence[str] = (),
        *,
        timed_out: bool = False,
        is_repeatable: bool = True,
    ) -> None:
        super().__init__("; ".join(errors))
        self.errors = list(errors)
        self.traceback = traceback
        self.logs = list(logs)
        self.timed_out = timed_out
        self.is_repeatable = is_repeatable and not timed_out


class RunTimedOut(BacktesterError):
    """The request took longer than it may; its box is gone."""

    code = "run_timed_out"
    http_status = 504


class RunCancelled(BacktesterError):
    """The run was cancelled; its box is gone."""

    code = "run_cancelled"
    http_status = 503


class RunAbandoned(RunCancelled):
    """The client that waited for this run disconnected, and no other wanted it."""

    code = "run_abandoned"


class RunNotFound(BacktesterError):
    """The owner has no such run."""

    code = "run_not_found"
    http_status = 404


class RunNotFinished(BacktesterError):
    """The run goes on, so this cannot be done with it yet."""

    code = "run_not_finished"
    http_status = 409


class ResultNotReady(BacktesterError):
    """The run has no result: it has not succeeded, or not yet."""

    code = "result_not_ready"
    http_status = 409


class DataChanged(BacktesterError):
    """The prices are others than when the run was accepted, so it would be another run."""

    code = "data_changed"
    http_status = 409


class RunFailed(BacktesterError):
    """The service gave up on the run for a reason that is no strategy's fault.

    Args:
        message: the reason as the run's record tells it.
    """

    code = "run_failed"
    http_status = 503
    retry_after_seconds = 5
