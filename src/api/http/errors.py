"""The only place where our errors become HTTP responses."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from src.api.http.allowed_methods import allowed_methods
from src.api.http.auth import RoleNotAllowed, Unauthenticated
from src.api.http.connections import TooManyStreams
from src.api.http.disconnect import ClientGone
from src.api.http.json_response import json_response
from src.api.http.jwks import KeysUnavailable
from src.api.http.rate_limits import TooManyRequests
from src.errors import (
    BacktesterError,
    DataChanged,
    NoPrices,
    PriceSourceUnavailable,
    ResultNotReady,
    RunCancelled,
    RunFailed,
    RunNotFinished,
    RunNotFound,
    RunTimedOut,
    SandboxUnavailable,
    StrategyFailed,
    StrategyRejected,
)
from src.models.plain import printable
from src.services.admission.client_line import ClientLineFull, LineFull
from src.services.library.presets import PresetNotFound
from src.services.results.errors import ArtifactNotFound, ArtifactsNotReady, ArtifactsUnwritable
from src.services.storage.errors import CursorInvalid, KeyReused, QueueFull, StorageUnavailable, TooManyPresets

logger = logging.getLogger(__name__)

OWN_FAULT = "Something went wrong on our side. Give the operator the request_id."

NO_SUCH_RUN = "There is no such run."
"""The same for a run that never existed and for another owner's."""

STORAGE_UNAVAILABLE = "The database cannot be read or written at present; try again in a few seconds."
"""Replaces the error's own message, which may hold internals of the database."""


def _rejected(error: StrategyRejected) -> dict[str, Any]:
    return {"analysis_errors": [_sentence(v) for v in error.violations], "violations": error.violations}


def _sentence(violation: Mapping[str, Any]) -> str:
    line = violation.get("line")
    return f"{violation['message']} (line {line})" if line else str(violation["message"])


def _failed(error: StrategyFailed) -> dict[str, Any]:
    return {"execution_errors": error.errors, "traceback": error.traceback, "logs": error.logs}


def _misplaced(*place: str) -> Callable[[BacktesterError], Any]:
    """Details in the shape of a validation error at that place of the request."""
    return lambda error: [{"type": error.code, "loc": list(place), "msg": str(error)}]


DETAILS: dict[type[BacktesterError], Callable[[Any], Any]] = {
    StrategyRejected: _rejected,
    StrategyFailed: _failed,
    NoPrices: lambda error: {"data_errors": error.errors},
    PriceSourceUnavailable: str,
    SandboxUnavailable: str,
    QueueFull: str,
    LineFull: str,
    ClientLineFull: str,
    RunTimedOut: str,
    RunCancelled: str,
    ClientGone: str,
    Unauthenticated: str,
    RoleNotAllowed: str,
    KeysUnavailable: str,
    TooManyRequests: str,
    TooManyStreams: str,
    RunNotFound: lambda _error: NO_SUCH_RUN,
    RunNotFinished: str,
    RunFailed: str,
    ResultNotReady: str,
    DataChanged: str,
    ArtifactNotFound: str,
    ArtifactsNotReady: str,
    ArtifactsUnwritable: str,
    PresetNotFound: str,
    TooManyPresets: str,
    KeyReused: _misplaced("header", "Idempotency-Key"),
    CursorInvalid: _misplaced("query", "cursor"),
    StorageUnavailable: lambda _error: STORAGE_UNAVAILABLE,
}
"""The content of `detail`, by error; the status is the error's own. Any other error is our own fault."""


def add_error_handlers(app: FastAPI) -> None:
    """Make the app respond to our errors, malformed requests and plain HTTP errors in our shapes."""
    app.add_exception_handler(BacktesterError, _our_error_response)
    app.add_exception_handler(RequestValidationError, _validation_error_response)
    app.add_exception_handler(HTTPException, _http_error_response)


def own_fault_response(request_id: str) -> Response:
    """The response to an unexpected error: it reveals only the id to ask about."""
    return json_response({"detail": OWN_FAULT, "request_id": request_id}, 500)


def error_response(error: BacktesterError) -> Response | None:
    """The response to an error in the table; None for one that is our own fault."""
    for kind in type(error).__mro__:
        if kind in DETAILS:
            return json_response({"detail": DETAILS[kind](error)}, _status(error), _headers(error))
    return None


async def _our_error_response(request: Request, error: Exception) -> Response:
    response = error_response(error) if isinstance(error, BacktesterError) else None
    if response is not None:
        return response
    logger.error("request %s failed", request.state.request_id, exc_info=error)
    return own_fault_response(request.state.request_id)


def _status(error: Any) -> int:
    # A price source that says when to retry is busy, not broken.
    if isinstance(error, PriceSourceUnavailable) and error.retry_after_seconds is not None:
        return 503
    return int(error.http_status)


def _headers(error: Exception) -> dict[str, str]:
    seconds = getattr(error, "retry_after_seconds", None)
    return {} if seconds is None else {"Retry-After": str(seconds)}


async def _validation_error_response(_request: Request, error: Exception) -> Response:
    problems = error.errors() if isinstance(error, RequestValidationError) else []
    return json_response({"detail": [_field_problem(problem) for problem in problems]}, 422)


def _field_problem(problem: Mapping[str, Any]) -> dict[str, Any]:
    """Type, place and message, without `input` and `ctx`, which hold the user's code."""
    place: Sequence[Any] = problem["loc"]
    return {
        "type": problem["type"],
        "loc": [part if isinstance(part, int) else printable(str(part)) for part in place],
        "msg": printable(problem["msg"], 500),
    }


async def _http_error_response(request: Request, error: Exception) -> Response:
    status, detail, headers = 500, OWN_FAULT, None
    if isinstance(error, HTTPException):
        status, detail, headers = error.status_code, error.detail, error.headers
    if status == 405:
        headers = {"Allow": allowed_methods(request)}
    return json_response({"detail": detail}, status, headers)
