"""What the OpenAPI document says about answers other than 200."""

from typing import Any

from src.models.problems import BadRequest, MalformedRequest, OwnFault, Refusal

_RETRY_AFTER = {
    "Retry-After": {
        "description": "Seconds to wait, where known.",
        "schema": {"type": "integer", "minimum": 0},
    }
}

PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: {
        "model": BadRequest,
        "description": "The strategy breaks a rule or failed while it ran, or its window has no prices.",
    },
    413: {"model": Refusal, "description": "The body is too large."},
    422: {"model": MalformedRequest, "description": "The request is malformed."},
    500: {"model": OwnFault, "description": "Our own fault; the log has more under the request_id."},
    502: {"model": Refusal, "description": "The price source does not answer as it should."},
    503: {
        "model": Refusal,
        "description": "Too many runs at present, a busy price source, or no sandbox to run in.",
        "headers": _RETRY_AFTER,
    },
    504: {"model": Refusal, "description": "The request took too long and was stopped."},
}
"""Every status that a run may be answered with, its shape and its reason."""
