"""Turns refusals of the service into errors: the only place that maps statuses and error codes."""

import http.client
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hqg_backtester.client import errors
from hqg_backtester.client.backoff import retry_after_seconds
from hqg_backtester.client.errors import ClientError, RunError

_RUN_ERRORS: dict[str, type[RunError]] = {
    kind.code: kind
    for kind in (
        errors.StrategyRejected,
        errors.StrategyFailed,
        errors.NoPrices,
        errors.RunCancelled,
        errors.RunTimedOut,
    )
}
_BY_STATUS: dict[str, type[RunError]] = {"cancelled": errors.RunCancelled, "timed_out": errors.RunTimedOut}


@dataclass(frozen=True)
class Answer:
    """One HTTP answer, read completely and decompressed.

    Attributes:
        url: the requested URL, for messages.
    """

    url: str
    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    def json(self) -> dict[str, Any]:
        """The JSON object of the body.

        Raises:
            ServiceUnavailable: the body is not a JSON object.
        """
        value = self._parsed()
        if not isinstance(value, dict):
            raise errors.ServiceUnavailable(
                f"{self.url} is not this service: its answer is not a JSON object.", status=self.status
            )
        return value

    @property
    def detail(self) -> Any:
        """The service's description of a refusal; None if another server answered."""
        value = self._parsed()
        return value.get("detail") if isinstance(value, dict) else None

    @property
    def retry_after_seconds(self) -> float | None:
        """How long the service asks the client to wait."""
        return retry_after_seconds(self.headers.get("retry-after"))

    @property
    def is_passing(self) -> bool:
        """Whether the same request may succeed later."""
        if self.status in (429, 503):
            return True
        # A gateway returns 502 and 504 while the service restarts; from the service itself they concern the request.
        from_gateway = self.detail is None or self.retry_after_seconds is not None
        return self.status in (502, 504) and from_gateway

    def _parsed(self) -> Any:
        try:
            return json.loads(self.body)
        except ValueError:
            return None


def refusal(answer: Answer) -> ClientError:
    """The error for an answer with status 400 or above."""
    detail = answer.detail
    what: dict[str, Any] = {"status": answer.status, "answer": _object(answer)}
    if answer.status == 400 and isinstance(detail, dict):
        return _strategy_at_fault(detail, what)
    text = _sentence(answer)
    match answer.status:
        case 401 | 403:
            return errors.Unauthorized(text, **what)
        case 404:
            return errors.RunNotFound(text, **what)
        case 409:
            return errors.RunNotFinished(text, **what)
        case 422:
            return errors.RequestInvalid(text, problems=_problems(detail), **what)
        case 429 | 503:
            return errors.ServiceBusy(text, retry_after_seconds=answer.retry_after_seconds, **what)
        case 504 if detail is not None:
            return errors.RunTimedOut([text], **what)
        case 502 | 504:
            return errors.ServiceUnavailable(text, **what)
        case status if status >= 500:
            return errors.ServiceFault(text, **what)
    return errors.RequestInvalid(text, **what)


def run_error(summary: Mapping[str, Any]) -> RunError:
    """The error of a run that ended without a result, from its summary."""
    told = summary.get("error") or {}
    code, status = told.get("code"), summary.get("status")
    sentences = [str(text) for text in told.get("errors") or []] or [f"The run ended as {status}."]
    kind = _BY_STATUS.get(str(status)) or _RUN_ERRORS.get(str(code), errors.RunFailed)
    if kind is errors.StrategyFailed:
        traceback, logs = str(told.get("traceback") or ""), list(told.get("logs") or [])
        detail = {"execution_errors": sentences, "traceback": traceback, "logs": logs}
        return errors.StrategyFailed(sentences, traceback=traceback, logs=logs, answer={"detail": detail})
    name = {errors.StrategyRejected: "analysis_errors", errors.NoPrices: "data_errors"}.get(kind, "run_errors")
    return kind(sentences, code=code, answer={"detail": {name: sentences}})


def _strategy_at_fault(detail: Mapping[str, Any], what: dict[str, Any]) -> RunError:
    if "analysis_errors" in detail:
        violations = detail.get("violations") or ()
        return errors.StrategyRejected(_texts(detail["analysis_errors"]), violations=violations, **what)
    if "execution_errors" in detail:
        traceback, logs = str(detail.get("traceback") or ""), _texts(detail.get("logs") or ())
        return errors.StrategyFailed(_texts(detail["execution_errors"]), traceback=traceback, logs=logs, **what)
    if "data_errors" in detail:
        return errors.NoPrices(_texts(detail["data_errors"]), **what)
    return errors.RunFailed([str(dict(detail))], **what)


def _sentence(answer: Answer) -> str:
    detail = answer.detail
    if isinstance(detail, str):
        return detail
    problems = _problems(detail)
    if problems:
        return "\n".join(f"{name}: {text}" if name else text for name, text in problems)
    reason = http.client.responses.get(answer.status, "an unknown status")
    return f"{answer.url} answered {answer.status} ({reason})."


def _problems(detail: Any) -> list[tuple[str, str]]:
    """Field and sentence of each entry of a 422; the field has the name it has in the request."""
    if not isinstance(detail, list):
        return []
    entries = [item for item in detail if isinstance(item, dict)]
    return [(".".join(str(part) for part in item.get("loc", ())[1:]), str(item.get("msg", ""))) for item in entries]


def _texts(value: Sequence[Any] | Any) -> list[str]:
    return [str(text) for text in value] if isinstance(value, list | tuple) else [str(value)]


def _object(answer: Answer) -> dict[str, Any]:
    try:
        return answer.json()
    except errors.ServiceUnavailable:
        return {}
