"""A bounded in-memory cache of prices."""

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock
from typing import Generic, Protocol, TypeVar

YIELDS_BYTES = 8 * 1024 * 1024
"""Limit on the yields that a provider keeps: sixty years of one index take 250 kB."""


class HasSize(Protocol):
    """An object that knows its memory use."""

    @property
    def size_bytes(self) -> int:
        """Approximate memory use."""
        ...


Entry = TypeVar("Entry", bound=HasSize)


class RecentlyUsed(Generic[Entry]):
    """Keeps the most recently used prices, up to a size. Thread-safe.

    Each entry has a stamp. A lookup with a different stamp misses, and the new entry replaces the old one, so a
    changed file never leaves its old prices behind. Without a stamp nothing is found and nothing kept.

    Args:
        limit_bytes: limit on all entries together; a larger single entry is not kept.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._size_bytes = 0
        self._entries: OrderedDict[Hashable, tuple[Hashable, Entry]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable, stamp: Hashable | None) -> Entry | None:
        """The entry under this key if their stamp matches, else None."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None or stamp is None or entry[0] != stamp:
                return None
            self._entries.move_to_end(key)
            return entry[1]

    def put(self, key: Hashable, stamp: Hashable | None, prices: Entry) -> None:
        """Keep these prices and drop the least recently used ones while the limit is exceeded."""
        with self._lock:
            self._drop(key)
            if stamp is None or prices.size_bytes > self._limit_bytes:
                return
            self._entries[key] = (stamp, prices)
            self._size_bytes += prices.size_bytes
            while self._size_bytes > self._limit_bytes:
                self._drop(next(iter(self._entries)))

    def _drop(self, key: Hashable) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._size_bytes -= entry[1].size_bytes
