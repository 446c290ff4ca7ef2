"""What the OpenAPI document says about answers other than 200."""

from typing import Any

from fastapi import Depends
from fastapi.security import APIKeyCookie, HTTPBearer

from src.api.auth import COOKIE
from src.models.older_contract import OlderRefusal
from src.models.problems import BadRequest, MalformedRequest, OwnFault, Refusal

_RETRY_AFTER = {
    "Retry-After": {
        "description": "Seconds to wait, where known.",
        "schema": {"type": "integer", "minimum": 0},
    }
}

LOGIN_DOCUMENTATION = [
    Depends(HTTPBearer(auto_error=False, description="A token of the issuer.")),
    Depends(APIKeyCookie(name=COOKIE, auto_error=False, description="The same in a cookie.")),
]
"""Gives the pages their button for a token. They refuse nobody: src/api/admission.py has decided before."""

Answers = dict[int | str, dict[str, Any]]

ADMISSION_PROBLEMS: Answers = {
    401: {"model": Refusal, "description": "Where log-in is on: there is no valid token."},
    403: {"model": Refusal, "description": "Where log-in is on: the token's role may not do this."},
    429: {"model": Refusal, "description": "Too many requests in a minute or an hour.", "headers": _RETRY_AFTER},
    500: {"model": OwnFault, "description": "Our own fault; the log has more under the request_id."},
    503: {
        "model": Refusal,
        "description": "Too many runs at present, a busy price source, no sandbox to run in, or no keys to check "
        "tokens with.",
        "headers": _RETRY_AFTER,
    },
    504: {"model": Refusal, "description": "The request took too long and was stopped."},
}
"""What every protected route may be answered with."""

READING_PROBLEMS: Answers = {
    413: {"model": Refusal, "description": "The body is too large."},
    422: {"model": MalformedRequest, "description": "The request is malformed."},
    **ADMISSION_PROBLEMS,
}
"""Every status of a route that reads a body."""

PROBLEMS: Answers = {
    400: {
        "model": BadRequest,
        "description": "The strategy breaks a rule or failed while it ran, or its window has no prices.",
    },
    **READING_PROBLEMS,
    502: {"model": Refusal, "description": "The price source does not answer as it should."},
}
"""Every status that a run may be answered with, its shape and its reason."""

OLDER_PROBLEMS: Answers = {status: {**problem, "model": OlderRefusal} for status, problem in PROBLEMS.items()}
"""The same in the older contract's shape."""
