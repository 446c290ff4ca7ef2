"""A value as it looks after a round trip through a database."""

import json
from typing import Any


def plain(value: Any) -> Any:
    """A JSON value as it is read back: lists for tuples, and a copy of every object."""
    return json.loads(json.dumps(value))
