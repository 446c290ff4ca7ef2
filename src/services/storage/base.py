"""The ports of storage: what is kept of runs, and the few transactions in which it changes.

Every method is one transaction, blocks, and may be called from any thread. Times are timezone-aware UTC.
A run is addressed by its owner and its hash; nothing of one owner is ever seen by another.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from src.services.storage.records import (
    Counts,
    EventKind,
    HeartbeatAnswer,
    Lease,
    Link,
    NewRun,
    Outcome,
    Preset,
    Progress,
    RunDetails,
    RunEvent,
    RunFilter,
    RunKey,
    RunPage,
    RunRecord,
    StoredResult,
    Submission,
)


class RunStore(Protocol):
    """Keeps runs, their queue, their leases, their results and their events."""

    def submit(
        self,
        new: NewRun,
        *,
        rerun: bool = False,
        lease_seconds: float | None = None,
        max_queued: int | None = None,
        idempotency: tuple[str, str] | None = None,
    ) -> Submission:
        """Accept a run, unless it is there already.

        It is there already when it is queued, running or succeeded, or failed with an error that would repeat itself.
        Otherwise (cancelled, timed out, failed for another reason) it is accepted again.

        Args:
            rerun: accept it again even so, unless it is queued or running. A stored result stays.
            lease_seconds: start a new run at once, for the caller, who gets its lease; None puts it in the queue.
            max_queued: refuse a run that would have to wait while so many wait already.
            idempotency: (key, fingerprint of the request). The same pair again gives the run of the first time.

        Raises:
            QueueFull, KeyReused, StorageUnavailable
        """
        ...

    def rename(self, key: RunKey, name: str) -> RunRecord | None:
        """Call a run by another name, in lists and in its request; its result stays byte for byte.

        None when there is no such run.
        """
        ...

    def claim(self, lease_seconds: float) -> Lease | None:
        """Start the next queued run for the caller: of the owner with the fewest running runs, the oldest.

        Of several such owners it is the turn of the one whose last start was the longest ago. No two callers, in
        whatever process, get the same attempt.
        """
        ...

    def heartbeat(self, leases: Sequence[Lease], lease_seconds: float) -> HeartbeatAnswer:
        """Keep the leases for so much longer, and learn which runs shall end or are not the caller's any more."""
        ...

    def tell(self, lease: Lease, *, progress: Progress | None = None, log_lines: Sequence[str] = ()) -> bool:
        """Store how far the run is, as events. False when the lease is lost, and nothing is stored."""
        ...

    def finish(self, lease: Lease, outcome: Outcome) -> bool:
        """End the attempt with its last events. False when the lease is lost, and nothing is stored.

        A run with a stored result keeps it and stays succeeded: the attempt is told in `recomputed`.
        """
        ...

    def give_back(self, lease: Lease) -> bool:
        """Put a running run back in line, as its process stops; the attempt does not count. False when lost."""
        ...

    def attend(self, max_attempts: int) -> list[RunKey]:
        """Say that this process works on runs from now on, before it takes the first lease.

        Where it is certain that no other process does, whatever is running was left behind by dead ones: it is put
        back at once, as `recover` does with runs whose lease has run out.

        Returns:
            Every run that changed.
        """
        ...

    def recover(self, max_attempts: int) -> list[RunKey]:
        """Put runs whose lease has run out back in line, oldest first; fail those that were started so often.

        Returns:
            Every run that changed.
        """
        ...

    def request_cancel(self, key: RunKey) -> RunRecord | None:
        """Cancel a queued run at once, mark a running one; a finished one stays. None when there is no such run."""
        ...

    def delete(self, key: RunKey) -> bool:
        """Remove a finished run with its result and events. False when there is none or it is not finished."""
        ...

    def get(self, key: RunKey) -> RunRecord | None:
        """The run, with its position in line: how many would start before it, if nothing ended and nothing came."""
        ...

    def details(self, key: RunKey) -> RunDetails | None:
        """The request and what decides its result."""
        ...

    def result(self, key: RunKey) -> StoredResult | None:
        """The stored result."""
        ...

    def page(self, owner: str, wanted: RunFilter, *, limit: int, cursor: str | None = None) -> RunPage:
        """The owner's runs, newest first. Runs that come while pages are read shift nothing.

        Raises:
            CursorInvalid
        """
        ...

    def events(
        self, key: RunKey, *, after: int, limit: int, kinds: Sequence[EventKind] | None = None
    ) -> list[RunEvent]:
        """The run's events with an id above `after`, ascending; None asks for all kinds."""
        ...

    def counts(self) -> Counts:
        """How many runs wait and run."""
        ...

    def surplus(self, keep: int, keep_bytes: int | None = None) -> list[RunKey]:
        """Finished runs beyond the newest `keep` of their owner, oldest first.

        Args:
            keep_bytes: how long the answers of an owner's newest runs may be together, as JSON before compression;
                older runs are surplus, but never the newest of all. None asks for no such limit.
        """
        ...

    def unsealed(self) -> list[RunKey]:
        """Runs with a result whose artifacts no link of the chain names yet, oldest first."""
        ...


class PresetStore(Protocol):
    """Keeps presets."""

    def add(
        self, preset: Preset, *, max_presets: int | None = None, max_bytes: int | None = None
    ) -> tuple[Preset, bool]:
        """Keep it; the stored one and whether it is new.

        Args:
            max_presets: how many an owner may have.
            max_bytes: how large their configurations may be together, as JSON in ASCII.

        Raises:
            TooManyPresets
        """
        ...

    def get(self, owner: str, preset_id: str) -> Preset | None:
        """One preset of the owner."""
        ...

    def list(self, owner: str) -> Sequence[Preset]:
        """All presets of the owner, newest first."""
        ...

    def remove(self, owner: str, preset_id: str) -> bool:
        """Forget it. False when there is none."""
        ...


class BuildLink(Protocol):
    """Makes the next link, and puts its files in place, while nobody else can add to the owner's chain."""

    def __call__(self, number: int, previous_hash: str) -> Link: ...


class ChainStore(Protocol):
    """Keeps the chains of manifests, one an owner."""

    def append(self, key: RunKey, build: BuildLink) -> Link:
        """Add a link for a run; the run's present link when it has one whose files are there.

        `build` runs inside the transaction; when it raises, nothing was added. It must be quick: on SQLite nobody
        else can write meanwhile.

        Raises:
            RunGone: there is no such run with a result; `build` was not called.
        """
        ...

    def link(self, key: RunKey) -> Link | None:
        """The newest link of the run whose files were not removed."""
        ...

    def mark_removed(self, key: RunKey) -> list[Link]:
        """Note that the files of all links of the run go; the links whose files went with this call."""
        ...

    def links(self, owner: str) -> Sequence[Link]:
        """The owner's whole chain, first link first."""
        ...

    def owners(self) -> Sequence[str]:
        """Everybody who has a chain."""
        ...


@dataclass(frozen=True)
class Storage:
    """All stores of one database."""

    runs: RunStore
    presets: PresetStore
    chain: ChainStore
    closers: tuple[Any, ...] = field(default=())

    def close(self) -> None:
        """Close the database's connections."""
        for close in self.closers:
            close()
