"""Limits one client's requests per minute and per hour, with slowapi's decorator around one of our functions.

Its middleware skips routes that FastAPI includes from routers and breaks streams, so every protected request passes
through the decorated function instead (src/api/http/access.py).
"""

import math
import time
from dataclasses import dataclass
from typing import Any

from limits.storage import MemoryStorage
from slowapi import Limiter
from slowapi.errors import RateLimitExceeded
from starlette.requests import Request

from src.errors import BacktesterError

CLEAN_SECONDS = 10.0
"""Interval between removals of expired counts from memory."""


class TooManyRequests(BacktesterError):
    """The client has used up its minute or its hour.

    Args:
        limit: number of requests and period, as text.
        retry_after_seconds: seconds until the next request is allowed.
    """

    code = "too_many_requests"
    http_status = 429

    def __init__(self, limit: str, retry_after_seconds: int) -> None:
        super().__init__(f"Too many requests: {limit} are allowed. Try again in {retry_after_seconds} s.")
        self.limit = limit
        self.retry_after_seconds = retry_after_seconds


@dataclass(frozen=True)
class Budget:
    """Maximum number of requests of one kind from one client.

    Attributes:
        per_minute, per_hour: counts.
    """

    per_minute: int
    per_hour: int


class CountsInMemory(MemoryStorage):
    """The counts of limits' memory storage, which starts a thread for nearly every request to remove expired ones.

    Starting one blocks the event loop. A count is checked for its expiry whenever it is read, so removing the others is
    only a matter of memory and can wait.
    """

    STORAGE_SCHEME = ["hqg-memory"]  # noqa: RUF012 - declared as a list
    _cleaned_at = -math.inf

    def _MemoryStorage__schedule_expiry(self) -> None:  # noqa: N802 - the mangled name of the method it replaces
        if time.monotonic() - self._cleaned_at >= CLEAN_SECONDS:
            self._cleaned_at = time.monotonic()
            self._MemoryStorage__expire_events()  # type: ignore[attr-defined]


class RateLimits:
    """Counts requests by client over all routes, reading and changing requests separately.

    Args:
        reads: GET and HEAD. changes: all other methods.
        storage_url: redis://… shares the counts between processes; memory:// keeps them in this one. While Redis does
            not answer, the counts are kept in this process.
    """

    def __init__(self, *, reads: Budget, changes: Budget, storage_url: str = "memory://") -> None:
        self.is_remote = storage_url.startswith("redis")
        self._reads = _Counting(reads, storage_url, prefix="hqg-reads", is_remote=self.is_remote)
        self._changes = _Counting(changes, storage_url, prefix="hqg", is_remote=self.is_remote)

    def count(self, request: Request, client: str) -> None:
        """Count one request of that client. Blocks while a remote storage answers.

        Raises:
            TooManyRequests: it exceeds the limit.
        """
        counting = self._reads if request.method in ("GET", "HEAD") else self._changes
        counting.count(request, client)


class _Counting:
    """Counts the requests of one kind."""

    def __init__(self, budget: Budget, storage_url: str, *, prefix: str, is_remote: bool) -> None:
        limits = f"{budget.per_minute}/minute;{budget.per_hour}/hour"
        # slowapi types them as text; Redis wants seconds.
        timeouts: dict[str, Any] = {"socket_connect_timeout": 1, "socket_timeout": 1} if is_remote else {}
        self._limiter = Limiter(
            key_func=_client,
            storage_uri=storage_url if is_remote else f"{CountsInMemory.STORAGE_SCHEME[0]}://",
            storage_options=timeouts,
            in_memory_fallback=[limits],
            key_style="endpoint",
            key_prefix=prefix,
        )
        # Otherwise the environment variable RATELIMIT_ENABLED could switch slowapi off.
        self._limiter.enabled = True
        # The minute comes first: requests it refuses do not count to the hour.
        self._counted = self._limiter.limit(limits)(_counted)

    def count(self, request: Request, client: str) -> None:
        """See RateLimits.count."""
        request.state.rate_limit_client = client
        try:
            self._counted(request=request)
        except RateLimitExceeded as error:
            raise self._refusal(request, error) from error

    def _refusal(self, request: Request, error: RateLimitExceeded) -> TooManyRequests:
        item, names = request.state.view_rate_limit
        reset_at = self._limiter.limiter.get_window_stats(item, *names)[0]
        return TooManyRequests(str(error.detail), max(1, math.ceil(reset_at - time.time())))


def _client(request: Request) -> str:
    return str(request.state.rate_limit_client)


def _counted(request: Request) -> None:
    """One allowed request; slowapi requires the argument's name."""
