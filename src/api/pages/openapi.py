"""Texts of the OpenAPI document."""

from fastapi import Depends
from fastapi.security import APIKeyCookie, HTTPBearer

from src.api.http.auth import COOKIE

INTRODUCTION = """\
Open *Run a backtest* and press *Execute*: the example is complete.

1. `POST /api/v1/backtest` waits for the result. A repeated request is answered from the store.
2. `POST /api/v1/runs` accepts the same request at once; follow it at `/events`, then fetch `/result` and files.
3. `POST /api/v1/validate` returns what an editor should underline, without running anything.

Rates are fractions (0.05 is five percent) and times are UTC. A value that cannot be computed is `null`, with a reason.
Read the `warnings`. How to write a strategy: the [strategy reference](docs/strategies). The [studio](.) is a page for
all of this.
"""

TAGS = [
    {
        "name": "backtests",
        "description": "Send a strategy and a range of dates: run it and wait, or only check it.",
    },
    {"name": "jobs", "description": "Poll or cancel a backtest with the dashboard's field names. Same runs as below."},
    {"name": "data", "description": "The prices held for a symbol, their source and their age."},
    {
        "name": "older contract",
        "description": "The field names of the first service, for clients that still use them. Prefer backtests.",
    },
    {
        "name": "runs",
        "description": "Stored backtests: submit, follow, list, compare, cancel and delete them, fetch results "
        "and files. Each is named by the hash of everything that decides its result.",
    },
    {"name": "presets", "description": "Parts of a request, saved under a name for later runs."},
    {"name": "health", "description": "Whether the service is up and could run a strategy now."},
]
"""Description of each group of operations, in the order of the pages."""

LOGIN_DOCUMENTATION = [
    Depends(HTTPBearer(auto_error=False, description="A token of the issuer.")),
    Depends(APIKeyCookie(name=COOKIE, auto_error=False, description="The same in a cookie.")),
]
"""Gives the pages their button for a token. Does not check tokens: src/api/http/access.py does, before the route."""
