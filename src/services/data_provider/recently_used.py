"""A bounded memory of bars that were read or made before."""

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock
from typing import Generic, Protocol, TypeVar


class HasSize(Protocol):
    """What knows how much memory it takes."""

    @property
    def size_bytes(self) -> int:
        """Roughly."""
        ...


Entry = TypeVar("Entry", bound=HasSize)


class RecentlyUsed(Generic[Entry]):
    """Keeps the bars used last, up to a size. Safe to use from several threads.

    Each entry carries a stamp; asked for with another stamp it counts as absent, and the newer
    one takes its place. So a changed file never leaves its old prices behind.

    Args:
        limit_bytes: how much all entries together may occupy; a larger single entry is not kept.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._size_bytes = 0
        self._entries: OrderedDict[str, tuple[Hashable, Entry]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: str, stamp: Hashable) -> Entry | None:
        """The bars kept under this key with this very stamp, else None."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None or entry[0] != stamp:
                return None
            self._entries.move_to_end(key)
            return entry[1]

    def put(self, key: str, stamp: Hashable, bars: Entry) -> None:
        """Keep these bars and drop the ones unused longest while there are too many."""
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
