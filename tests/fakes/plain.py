"""What a value looks like after a database had it."""

import json
from typing import Any


def plain(value: Any) -> Any:
    """A JSON value as it comes back: lists for tuples, and nobody else's object."""
    return json.loads(json.dumps(value))
