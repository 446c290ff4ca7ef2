"""Repeats a recent refusal at once, without asking the source."""

from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock

from src.errors import BacktesterError

MAX_REFUSALS = 1000
"""Symbols remembered at most; strangers choose them."""


class Refusals:
    """Errors by symbol, each remembered for a while. Thread-safe."""

    def __init__(self) -> None:
        self._entries: OrderedDict[str, tuple[datetime, timedelta, Callable[[], BacktesterError]]] = OrderedDict()
        self._lock = Lock()

    def remember(
        self, symbol: str, make_error: Callable[[], BacktesterError], now: datetime, lasting: timedelta
    ) -> None:
        """Refuse this symbol from now on with a new error each time."""
        with self._lock:
            self._entries.pop(symbol, None)
            self._entries[symbol] = (now, lasting, make_error)
            while len(self._entries) > MAX_REFUSALS:
                self._entries.popitem(last=False)

    def check(self, symbol: str, now: datetime) -> None:
        """Raise the error remembered for this symbol, unless it has expired (or the clock went back)."""
        with self._lock:
            entry = self._entries.get(symbol)
            if entry is None:
                return
            since, lasting, make_error = entry
            if not since <= now < since + lasting:
                del self._entries[symbol]
                return
        raise make_error()

    def forget(self, symbol: str) -> None:
        """Allow requests for the symbol again."""
        with self._lock:
            self._entries.pop(symbol, None)
