"""The ports of storage: the stored state of runs, and the transactions that change it.

Every method is one transaction, blocks, and may be called from any thread. Times are timezone-aware UTC.
A run is addressed by its owner and its hash; no owner ever sees another owner's data.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from src.services.storage.records.attempts import EventKind, HeartbeatAnswer, Lease, Outcome, RunEvent, Submission
from src.services.storage.records.chain import Link
from src.services.storage.records.presets import Preset
from src.services.storage.records.results import EarlierResult, StoredResult
from src.services.storage.records.runs import (
    Counts,
    NewRun,
    Progress,
    RunDetails,
    RunFilter,
    RunKey,
    RunPage,
    RunRecord,
)


class RunStore(Protocol):
    """Stores runs with their queue, leases, results and events."""

    def submit(
        self,
        new: NewRun,
        *,
        rerun: bool = False,
        lease_seconds: float | None = None,
        max_queued: int | None = None,
        idempotency: tuple[str, str] | None = None,
    ) -> Submission:
        """Accept a run, unless it already exists.

        It exists if it is queued, running or succeeded, or failed with an error that would recur.
        Otherwise (cancelled, timed out, failed for another reason) it is accepted again.

        Args:
            rerun: accept it again even if it exists, unless it is queued or running. A stored result stays.
            lease_seconds: start a new run at once and give the caller its lease; None queues it.
            max_queued: refuse a run that would have to wait if this many are already queued.
            idempotency: (key, fingerprint of the request). The same pair again returns the first run.

        Raises:
            QueueFull, KeyReused, StorageUnavailable
        """
        ...

    def rename(self, key: RunKey, name: str) -> RunRecord | None:
        """Rename a run in lists and in its request; its result stays byte for byte.

        Returns None if there is no such run.
        """
        ...

    def claim(self, lease_seconds: float) -> Lease | None:
        """Start the next queued run for the caller: of the owner with the fewest running runs, the oldest.

        Of several such owners, the one whose last start was longest ago goes first. No two callers, in any
        process, get the same attempt.
        """
        ...

    def heartbeat(self, leases: Sequence[Lease], lease_seconds: float) -> HeartbeatAnswer:
        """Extend the leases, and report which runs must end or no longer belong to the caller."""
        ...

    def tell(self, lease: Lease, *, progress: Progress | None = None, log_lines: Sequence[str] = ()) -> bool:
        """Store the run's progress as events. False if the lease is lost; then nothing is stored."""
        ...

    def finish(self, lease: Lease, outcome: Outcome) -> bool:
        """End the attempt with its last events. False if the lease is lost; then nothing is stored.

        A run with a stored result keeps it and stays succeeded; `recomputed` records the attempt.
        """
        ...

    def give_back(self, lease: Lease) -> bool:
        """Requeue a running run because its process stops; the attempt does not count. False if the lease is lost."""
        ...

    def attend(self, max_attempts: int) -> list[RunKey]:
        """Register this process as working on runs, before it takes its first lease.

        If it is certain that no other process works on runs, every running run was left by a dead one and is
        requeued at once, as `recover` does with runs whose lease has expired.

        Returns:
            Every run that changed.
        """
        ...

    def recover(self, max_attempts: int) -> list[RunKey]:
        """Requeue runs whose lease has expired, oldest first; fail those that were started `max_attempts` times.

        Returns:
            Every run that changed.
        """
        ...

    def request_cancel(self, key: RunKey) -> RunRecord | None:
        """Cancel a queued run at once, mark a running one; a finished one stays. None if there is no such run."""
        ...

    def delete(self, key: RunKey) -> bool:
        """Remove a finished run with its result and events. False if there is none or it is not finished."""
        ...

    def get(self, key: RunKey) -> RunRecord | None:
        """The run with its queue position: how many would start before it if no run ended and none arrived."""
        ...

    def details(self, key: RunKey) -> RunDetails | None:
        """The request and everything that decides its result."""
        ...

    def result(self, key: RunKey) -> StoredResult | EarlierResult | None:
        """The stored result."""
        ...

    def page(self, owner: str, wanted: RunFilter, *, limit: int, cursor: str | None = None) -> RunPage:
        """The owner's runs, newest first. Runs that arrive while pages are read do not shift them.

        Raises:
            CursorInvalid
        """
        ...

    def events(
        self, key: RunKey, *, after: int, limit: int, kinds: Sequence[EventKind] | None = None
    ) -> list[RunEvent]:
        """The run's events with an id above `after`, ascending; kinds None means all kinds."""
        ...

    def counts(self) -> Counts:
        """Numbers of queued and running runs."""
        ...

    def datasets_in_use(self) -> frozenset[str]:
        """Names of the blobs with the prices of queued and running runs."""
        ...

    def surplus(self, keep: int, keep_bytes: int | None = None) -> list[RunKey]:
        """Finished runs beyond the newest `keep` of their owner, oldest first.

        Args:
            keep_bytes: maximum total size of the results of an owner's newest runs, as JSON, approximately; older
                runs are surplus, but never the newest of all. None sets no such limit.
        """
        ...

    def unsealed(self) -> list[RunKey]:
        """Runs with a result but no link in the chain yet, oldest first."""
        ...


class PresetStore(Protocol):
    """Stores presets."""

    def add(
        self, preset: Preset, *, max_presets: int | None = None, max_bytes: int | None = None
    ) -> tuple[Preset, bool]:
        """Store a preset; returns the stored one and whether it is new.

        Args:
            max_presets: maximum number per owner.
            max_bytes: maximum total size of an owner's configurations, as ASCII JSON.

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
        """Remove it. False if there is none."""
        ...


class BuildLink(Protocol):
    """Builds the next link and puts its files in place, while the owner's chain is locked."""

    def __call__(self, number: int, previous_hash: str) -> Link: ...


class ChainStore(Protocol):
    """Stores the chains of manifests, one per owner."""

    def append(self, key: RunKey, build: BuildLink) -> Link:
        """Add a link for a run, or return its current link if its files still exist.

        `build` runs inside the transaction; if it raises, nothing is added. It must be quick: on SQLite no other
        transaction can write in that time.

        Raises:
            RunGone: there is no such run with a result; `build` was not called.
        """
        ...

    def link(self, key: RunKey) -> Link | None:
        """The run's newest link whose files were not removed."""
        ...

    def mark_removed(self, key: RunKey) -> list[Link]:
        """Mark the files of all links of the run as removed; returns the links marked by this call."""
        ...

    def links(self, owner: str) -> Sequence[Link]:
        """The owner's whole chain, first link first."""
        ...

    def owners(self) -> Sequence[str]:
        """All owners that have a chain."""
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
