"""The port for blobs: immutable bytes that are named by their hash.

A blob is a copy of what can be computed again, so a missing or damaged one costs time and never a result. Blobs belong
to the service, not to an owner: only names from the service's own records may be asked for, never a client's.
"""

import re
from typing import Protocol

from src.errors import BacktesterError

BLOB_HASH = re.compile("[0-9a-f]{64}")


class BlobMissing(BacktesterError):
    """There is no such blob.

    Args:
        blob_hash: its name.
    """

    code = "blob_missing"

    def __init__(self, blob_hash: str, reason: str = "it is not stored") -> None:
        super().__init__(f"the blob {blob_hash[:64]!r} cannot be read: {reason}")
        self.blob_hash = blob_hash


class BlobDamaged(BlobMissing):
    """Something under this name is not the blob; it counts as missing."""

    code = "blob_damaged"


class BlobNotStored(BacktesterError):
    """A blob could not be stored: the store is full or cannot be written."""

    code = "blob_not_stored"


class BlobStore(Protocol):
    """Stores blobs. Implementations are thread-safe and serve several processes at once.

    The store is bounded: it may remove any blob that no queued or running run names, the least recently used first.
    """

    def put(self, content: bytes) -> str:
        """Store a blob, which counts as a use; returns its name, the SHA-256 of its bytes in hexadecimal.

        Either the whole blob is stored or nothing, even if the process is killed.

        Raises:
            BlobNotStored
        """
        ...

    def get(self, blob_hash: str) -> bytes:
        """The blob with exactly that hash, which counts as a use.

        Raises:
            BlobMissing, BlobDamaged
        """
        ...

    def touch(self, blob_hash: str) -> bool:
        """Count a use of the blob without reading it; False if there is none."""
        ...
