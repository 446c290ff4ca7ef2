"""What every blob store promises: subclass, give a store, and the promises are tested."""

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from src.services.storage.blobs.base import BlobDamaged, BlobMissing, BlobStore

NO_NAMES = ("", "../secret", "/etc/passwd", "a" * 63, "A" * 64, "a" * 64 + "\n", "a" * 64 + "/..", "\x00" * 64)


class BlobStoreContract:
    """The promises of `BlobStore`; a subclass overrides the fixture `blobs` and says how its blobs are damaged."""

    @pytest.fixture
    def blobs(self) -> BlobStore:
        """An empty store with room for a megabyte."""
        raise NotImplementedError

    def overwrite(self, blobs: BlobStore, blob_hash: str, content: bytes) -> None:
        """Put these bytes in the blob's place, as a failing disk would."""
        raise NotImplementedError

    @pytest.mark.parametrize("content", [b"", b"prices", bytes(range(256)) * 1000])
    def test_a_blob_is_named_by_its_hash_and_returned_whole(self, blobs: BlobStore, content: bytes) -> None:
        name = blobs.put(content)
        assert name == hashlib.sha256(content).hexdigest()
        assert blobs.get(name) == content

    def test_storing_a_blob_twice_is_storing_it_once(self, blobs: BlobStore) -> None:
        assert blobs.put(b"prices") == blobs.put(b"prices")
        assert blobs.get(blobs.put(b"prices")) == b"prices"

    def test_a_missing_blob_is_an_error_that_names_it(self, blobs: BlobStore) -> None:
        name = hashlib.sha256(b"never stored").hexdigest()
        with pytest.raises(BlobMissing, match=name) as raised:
            blobs.get(name)
        assert raised.value.blob_hash == name
        assert blobs.touch(name) is False

    def test_a_stored_blob_can_be_touched(self, blobs: BlobStore) -> None:
        assert blobs.touch(blobs.put(b"prices")) is True

    @pytest.mark.parametrize("name", NO_NAMES)
    def test_what_is_no_hash_names_no_blob(self, blobs: BlobStore, name: str) -> None:
        with pytest.raises(BlobMissing):
            blobs.get(name)
        assert blobs.touch(name) is False

    @pytest.mark.parametrize(
        "damaged", [b"", b"price", b"pricez", b"prices and more"], ids=["empty", "shorter", "other", "longer"]
    )
    def test_a_damaged_blob_is_an_error_that_names_it_and_can_be_stored_again(
        self, blobs: BlobStore, damaged: bytes
    ) -> None:
        name = blobs.put(b"prices")
        self.overwrite(blobs, name, damaged)
        with pytest.raises(BlobDamaged, match=name):
            blobs.get(name)
        assert blobs.put(b"prices") == name
        assert blobs.get(name) == b"prices"

    def test_storing_repairs_a_blob_whose_damage_was_not_noticed(self, blobs: BlobStore) -> None:
        name = blobs.put(b"prices")
        self.overwrite(blobs, name, b"pricez")
        blobs.put(b"prices")
        assert blobs.get(name) == b"prices"

    def test_many_threads_store_and_read_the_same_blobs(self, blobs: BlobStore) -> None:
        contents = [os.urandom(1_000) for _ in range(10)]

        def use(number: int) -> bool:
            content = contents[number % len(contents)]
            return blobs.get(blobs.put(content)) == content

        with ThreadPoolExecutor(max_workers=8) as threads:
            assert all(threads.map(use, range(200)))
