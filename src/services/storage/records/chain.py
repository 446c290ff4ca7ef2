"""Links of an owner's chain of manifests."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Link:
    """One link of an owner's chain of manifests.

    Attributes:
        number: consecutive from 1 within the owner.
        manifest_hash: SHA-256 of the manifest, see src/services/results.
        previous_hash: manifest_hash of the previous link; "" for the first.
        removed_at: when retention or its owner removed the files; the manifest stays.
    """

    owner: str
    number: int
    run_hash: str
    manifest_hash: str
    previous_hash: str
    sealed_at: datetime
    removed_at: datetime | None = None
