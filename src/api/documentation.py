"""What the OpenAPI document says about answers other than 200."""

from typing import Any

from fastapi import Depends
from fastapi.security import APIKeyCookie, HTTPBearer

from src.api.auth import COOKIE
from src.models.older_contract import OlderRefusal
from src.models.problems import BadRequest, MalformedRequest, OwnFault, Refusal

INTRODUCTION = """\
Open *Run a backtest* and press *Execute*: the example is complete.

1. `POST /api/v1/backtest` waits for the result. The same request is computed once, and answered from the store later.
2. `POST /api/v1/runs` accepts the same request at once; follow it at `/events`, then fetch `/result` and files.
3. `POST /api/v1/validate` says what an editor should underline, without running anything.

Rates are fractions (0.05 is five percent) and times are UTC. What cannot be computed is `null`, with its reason.
Read the `warnings`. The [studio](.) is a page for all of this.
"""

TAGS = [
    {
        "name": "backtests",
        "description": "Send a strategy and a range of dates: run it and wait, or only have it read.",
    },
    {"name": "jobs", "description": "Poll or cancel a backtest in the names of the dashboard. Same runs as below."},
    {"name": "data", "description": "Which prices are kept of a symbol, where they come from and how old they are."},
    {
        "name": "older contract",
        "description": "The field names of the first service, for clients that still send them. Use backtests instead.",
    },
    {
        "name": "runs",
        "description": "Backtests that last: submit, follow, list, compare and delete them, fetch results "
        "and files. Each is named by the hash of everything that decides its result.",
    },
    {"name": "presets", "description": "Parts of a request, kept under a name to submit runs with."},
    {"name": "health", "description": "Whether the service lives and could run a strategy now."},
]
"""What the pages say of each group of operations, in their order."""

_RETRY_AFTER = {
    "Retry-After": {
        "description": "Seconds to wait, where known.",
        "schema": {"type": "integer", "minimum": 0},
    }
}

RUN_HEADERS = {
    "X-Run-Hash": {"description": "The run's run_hash.", "schema": {"type": "string"}},
    "X-Run-Reused": {
        "description": "There, and true, when the answer was computed before.",
        "schema": {"type": "string", "enum": ["true"]},
    },
}
"""What an answer says of its run beside its body."""

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

STORED_PROBLEMS: Answers = {
    422: {"model": MalformedRequest, "description": "The request is malformed."},
    **ADMISSION_PROBLEMS,
}
"""Every status of a route that takes parameters and reads or changes what is stored."""

RUN_PROBLEMS: Answers = {
    404: {"model": Refusal, "description": "You have no such run."},
    **STORED_PROBLEMS,
}
"""Every status of a route about one run."""

ARTIFACT_PROBLEMS: Answers = {
    **RUN_PROBLEMS,
    404: {"model": Refusal, "description": "You have no such run, or it no such file."},
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
        "description": "The strategy breaks a rule or failed while it ran, or its window has no prices.",
    },
    **READING_PROBLEMS,
    502: {"model": Refusal, "description": "The price source does not answer as it should."},
}
"""Every status of a route that reads a strategy and fetches its prices."""

SUBMISSION_PROBLEMS: Answers = {
    404: {"model": Refusal, "description": "You have no such preset."},
    **PREPARATION_PROBLEMS,
}
"""Every status that a submitted run may be answered with."""

PROBLEMS: Answers = {
    404: {"model": Refusal, "description": "Somebody deleted the run while it was waited for."},
    409: {"model": Refusal, "description": "The prices changed while the run waited: send it again."},
    **PREPARATION_PROBLEMS,
}
"""Every status that a run which is waited for may be answered with, its shape and its reason."""

OLDER_PROBLEMS: Answers = {status: {**problem, "model": OlderRefusal} for status, problem in PROBLEMS.items()}
"""The same in the older contract's shape."""
