"""How long to keep retrying, and how long to pause between attempts."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from hqg_backtester.client.errors import ClientError

FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0


@dataclass
class Backoff:
    """Pauses between the attempts of one operation, up to a total wait. Belongs to one thread.

    Args:
        seconds: total wait since the last success.
        sleep: pauses.
        draw: a random number from 0 to 1, so that many clients do not retry at the same moment.
    """

    seconds: float
    sleep: Callable[[float], None] = time.sleep
    draw: Callable[[], float] = random.random
    clock: Callable[[], float] = time.monotonic
    _n_attempts: int = field(default=0, init=False)
    _since: float | None = field(default=None, init=False)

    def renew(self) -> None:
        """Reset the total wait after a success."""
        self._n_attempts, self._since = 0, None

    def pause(self, why: ClientError, retry_after_seconds: float | None = None) -> None:
        """Wait before the next attempt.

        Args:
            why: what went wrong; raised if the pause would exceed the remaining wait.
            retry_after_seconds: how long the service asked to wait.
        """
        now = self.clock()
        if self._since is None:
            self._since = now
        pause = self._pause_seconds() if retry_after_seconds is None else retry_after_seconds
        if now + pause > self._since + self.seconds:
            raise why
        self._n_attempts += 1
        self.sleep(pause)

    def _pause_seconds(self) -> float:
        # A large exponent would overflow, long after the longest pause is reached.
        longest = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** min(self._n_attempts, 16))
        return longest * (0.5 + 0.5 * self.draw())


def retry_after_seconds(value: str | None, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> float | None:
    """Seconds that a Retry-After header asks for, given as seconds or a date; None if it cannot be parsed."""
    if value is None:
        return None
    if value.strip().isascii() and value.strip().isdigit():
        # No client waits for a number with more digits, and it may overflow.
        return float(value.strip()[:9])
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now()).total_seconds())
