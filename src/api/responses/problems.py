"""The responses other than 200 that routes document, and the headers of a run."""

from typing import Any

from src.models.problems import BadRequest, MalformedRequest, OwnFault, Refusal

_RETRY_AFTER = {
    "Retry-After": {
        "description": "Seconds to wait, where known.",
        "schema": {"type": "integer", "minimum": 0},
    }
}

RUN_HEADERS = {
    "X-Run-Hash": {"description": "The run's run_hash.", "schema": {"type": "string"}},
    "X-Run-Reused": {
        "description": "Present, and true, if the answer comes from the store.",
        "schema": {"type": "string", "enum": ["true"]},
    },
}
"""Headers that describe the run of a response."""

Answers = dict[int | str, dict[str, Any]]

ACCESS_PROBLEMS: Answers = {
    401: {"model": Refusal, "description": "With log-in on: the token is missing or invalid."},
    403: {"model": Refusal, "description": "With log-in on: the token's role is not allowed."},
    429: {"model": Refusal, "description": "Too many requests per minute or per hour.", "headers": _RETRY_AFTER},
    500: {"model": OwnFault, "description": "An error of the service; its log has details under the request_id."},
    503: {
        "model": Refusal,
        "description": "Too many runs at present, a busy price source, no working sandbox, or no keys for checking "
        "tokens.",
        "headers": _RETRY_AFTER,
    },
    504: {"model": Refusal, "description": "The request took too long and was stopped."},
}
"""Statuses that every protected route may return."""

STORED_PROBLEMS: Answers = {
    422: {"model": MalformedRequest, "description": "The request is malformed."},
    **ACCESS_PROBLEMS,
}
"""Every status of a route that takes parameters and reads or changes what is stored."""

RUN_PROBLEMS: Answers = {
    404: {"model": Refusal, "description": "You have no such run."},
    **STORED_PROBLEMS,
}
"""Every status of a route about one run."""

ARTIFACT_PROBLEMS: Answers = {
    **RUN_PROBLEMS,
    404: {"model": Refusal, "description": "You have no such run, or it has no such file."},
    409: {"model": Refusal, "description": "The run has not succeeded, or not yet: its files come with its result."},
}
"""Every status of a route about the files of one run."""

PRESET_PROBLEMS: Answers = {
    404: {"model": Refusal, "description": "You have no such preset."},
    **STORED_PROBLEMS,
}
"""Every status of a route about one preset."""

READING_PROBLEMS: Answers = {
    413: {"model": Refusal, "description": "The body is too large."},
    **STORED_PROBLEMS,
}
"""Every status of a route that reads a body."""

PREPARATION_PROBLEMS: Answers = {
    400: {
        "model": BadRequest,
        "description": "The strategy breaks a rule or failed while running, or its window has no prices.",
    },
    **READING_PROBLEMS,
    502: {"model": Refusal, "description": "The price source failed or sent an invalid answer."},
}
"""Every status of a route that reads a strategy and fetches its prices."""

SUBMISSION_PROBLEMS: Answers = {
    404: {"model": Refusal, "description": "You have no such preset."},
    **PREPARATION_PROBLEMS,
}
"""Every status of a route that submits a run."""

PROBLEMS: Answers = {
    404: {"model": Refusal, "description": "The run was deleted while the request waited for it."},
    409: {"model": Refusal, "description": "The prices changed while the run waited: send it again."},
    **PREPARATION_PROBLEMS,
}
"""Every status of a route that waits for a run, with its shape and reason."""
