"""A blob store in memory, held to the contract of the real ones."""

import hashlib

from src.services.storage.blobs.base import BLOB_HASH, BlobDamaged, BlobMissing, BlobNotStored


class FakeBlobs:
    """`BlobStore` as a dictionary.

    Attributes:
        contents: the stored bytes by name; tests damage and remove them.
        is_full: nothing more can be stored.
    """

    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}
        self.is_full = False

    def put(self, content: bytes) -> str:
        if self.is_full:
            raise BlobNotStored("no space is left")
        name = hashlib.sha256(content).hexdigest()
        self.contents[name] = content
        return name

    def get(self, blob_hash: str) -> bytes:
        if BLOB_HASH.fullmatch(blob_hash) is None or blob_hash not in self.contents:
            raise BlobMissing(blob_hash)
        content = self.contents[blob_hash]
        if hashlib.sha256(content).hexdigest() != blob_hash:
            raise BlobDamaged(blob_hash)
        return content

    def touch(self, blob_hash: str) -> bool:
        return blob_hash in self.contents
