"""An in-memory double of ChainStore, held to the contract of the real ones."""

from collections.abc import Callable, Sequence
from dataclasses import astuple, replace
from datetime import UTC, datetime
from threading import RLock

from src.services.storage.base import BuildLink, RunStore
from src.services.storage.errors import RunGone
from src.services.storage.records.chain import Link
from src.services.storage.records.runs import RunKey

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """The time now."""
    return datetime.now(UTC)


class FakeChainStore:
    """`ChainStore` in memory.

    Args:
        clock: tells the time.
    Attributes:
        runs: whose results may be linked; set by `fake_storage`.
    """

    def __init__(self, clock: Clock = system_clock) -> None:
        self._clock = clock
        self._lock = RLock()
        self._links: dict[str, list[Link]] = {}
        self.runs: RunStore | None = None

    def append(self, key: RunKey, build: BuildLink) -> Link:
        with self._lock:
            present = self.link(key)
            if present is not None:
                return present
            if self.runs is not None and self.runs.result(key) is None:
                raise RunGone("the run was deleted in the meantime, with its result")
            chain = self._links.get(key.owner, [])
            number, previous = len(chain) + 1, chain[-1].manifest_hash if chain else ""
            link = build(number, previous)
            if (link.owner, link.run_hash, link.number, link.previous_hash) != (*astuple(key), number, previous):
                raise ValueError("not the link asked for")
            self._links.setdefault(key.owner, []).append(link)
            return link

    def link(self, key: RunKey) -> Link | None:
        with self._lock:
            mine = [link for link in self._links.get(key.owner, []) if link.run_hash == key.run_hash]
            return next((link for link in reversed(mine) if link.removed_at is None), None)

    def mark_removed(self, key: RunKey) -> list[Link]:
        with self._lock:
            gone = []
            for place, link in enumerate(self._links.get(key.owner, [])):
                if link.run_hash == key.run_hash and link.removed_at is None:
                    gone.append(replace(link, removed_at=self._clock()))
                    self._links[key.owner][place] = gone[-1]
            return gone

    def links(self, owner: str) -> Sequence[Link]:
        with self._lock:
            return list(self._links.get(owner, []))

    def owners(self) -> Sequence[str]:
        with self._lock:
            return sorted(self._links)
