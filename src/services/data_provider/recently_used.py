"""A bounded in-memory cache of bars."""

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock
from typing import Generic, Protocol, TypeVar


class HasSize(Protocol):
    """An object that knows its memory use."""

    @property
    def size_bytes(self) -> int:
        """Approximate memory use."""
        ...


Entry = TypeVar("Entry", bound=HasSize)


class RecentlyUsed(Generic[Entry]):
    """Keeps the most recently used bars, up to a size. Thread-safe.

    Each entry has a stamp. A lookup with a different stamp misses, and the new entry replaces the old one, so a
    changed file never leaves its old prices behind.

    Args:
        limit_bytes: limit on all entries together; a larger single entry is not kept.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._size_bytes = 0
        self._entries: OrderedDict[str, tuple[Hashable, Entry]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: str, stamp: Hashable) -> Entry | None:
        """The bars under this key if their stamp matches, else None."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None or entry[0] != stamp:
                return None
            self._entries.move_to_end(key)
            return entry[1]

    def put(self, key: str, stamp: Hashable, bars: Entry) -> None:
        """Keep these bars and drop the least recently used ones while the limit is exceeded."""
        with self._lock:
            self._drop(key)
            self._entries[key] = (stamp, bars)
            self._size_bytes += bars.size_bytes
            while self._size_bytes > self._limit_bytes:
                self._drop(next(iter(self._entries)))

    def _drop(self, key: str) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._size_bytes -= entry[1].size_bytes
