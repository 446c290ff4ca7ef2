"""Converts a run's exceptions to stored outcomes and back."""

from collections.abc import Callable

from src.errors import (
    BacktesterError,
    DataChanged,
    NoPrices,
    PriceSourceUnavailable,
    RunAbandoned,
    RunCancelled,
    RunFailed,
    RunTimedOut,
    SandboxUnavailable,
    StrategyFailed,
    StrategyRejected,
)
from src.services.storage.records.attempts import Outcome
from src.services.storage.records.runs import RunError, RunRecord, RunStatus

OWN_FAULT = "Something went wrong on our side."

_STATUSES: dict[type[BacktesterError], RunStatus] = {
    RunTimedOut: RunStatus.TIMED_OUT,
    RunCancelled: RunStatus.CANCELLED,
    RunAbandoned: RunStatus.CANCELLED,
}
_TOLD = (NoPrices, PriceSourceUnavailable, SandboxUnavailable, DataChanged, RunTimedOut, RunCancelled)
"""Errors whose messages are meant for users; any other is our own fault and its internals stay hidden."""


def failure_of(error: BaseException) -> Outcome:
    """The outcome of a run that raised this."""
    if isinstance(error, StrategyFailed):
        return _strategy_failure(error)
    if isinstance(error, StrategyRejected):
        sentences = tuple(str(violation["message"]) for violation in error.violations)
        return Outcome(RunStatus.FAILED, error=RunError(error.code, sentences))
    if not isinstance(error, _TOLD):
        return Outcome(RunStatus.FAILED, error=RunError(BacktesterError.code, (OWN_FAULT,)))
    sentences = tuple(error.errors) if isinstance(error, NoPrices) else (str(error),)
    return Outcome(_STATUSES.get(type(error), RunStatus.FAILED), error=RunError(error.code, sentences))


def _strategy_failure(error: StrategyFailed) -> Outcome:
    kept = RunError(
        error.code,
        tuple(error.errors),
        error.traceback,
        tuple(error.logs),
        is_repeatable=error.is_repeatable,
    )
    return Outcome(RunStatus.TIMED_OUT if error.timed_out else RunStatus.FAILED, error=kept)


def error_of(run: RunRecord) -> BacktesterError:
    """The exception to raise when the result of an unsuccessful run is requested."""
    error = run.error
    if error is None:
        return RunCancelled("This run was cancelled.")
    sentence = "; ".join(error.errors)
    if error.code == StrategyFailed.code:
        is_slow = run.status is RunStatus.TIMED_OUT
        return StrategyFailed(error.errors, error.traceback, error.logs, timed_out=is_slow)
    if error.code == BacktesterError.code:
        return BacktesterError(f"the run {run.key.run_hash} failed through our own fault")
    if error.code == NoPrices.code:
        return NoPrices(error.errors)
    if error.code == StrategyRejected.code:
        return StrategyRejected([{"rule": "rules-changed", "message": text} for text in error.errors])
    return _BY_CODE.get(error.code, RunFailed)(sentence)


_BY_CODE: dict[str, Callable[[str], BacktesterError]] = {
    kind.code: kind
    for kind in (PriceSourceUnavailable, SandboxUnavailable, DataChanged, RunTimedOut, RunCancelled, RunAbandoned)
}
