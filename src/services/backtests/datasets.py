"""Prepares each dataset once: the same prices are wanted again and again, by trials, reruns and other strategies."""

import logging
from collections.abc import Hashable
from weakref import WeakKeyDictionary, WeakValueDictionary

from src.services.backtests.dataset import DataRequest, Dataset, gather
from src.services.backtests.dataset_blob import NotADataset, decode, encode
from src.services.data_provider.base import DataProvider
from src.services.data_provider.recently_used import RecentlyUsed
from src.services.storage.blobs.base import BlobMissing, BlobNotStored, BlobStore
from src.utils.deadline import Deadline

logger = logging.getLogger(__name__)

CACHE_BYTES = 128 * 1024 * 1024


class Datasets:
    """Datasets of one provider, in memory and as blobs. Thread-safe.

    Args:
        blobs: keeps those of queued runs.
        cache_bytes: limit on the datasets kept in memory.
    """

    def __init__(self, provider: DataProvider, blobs: BlobStore, cache_bytes: int = CACHE_BYTES) -> None:
        self._provider = provider
        self._blobs = blobs
        self._recent = RecentlyUsed[Dataset](cache_bytes)
        self._hashes: WeakKeyDictionary[Dataset, str] = WeakKeyDictionary()
        self._stored: WeakValueDictionary[str, Dataset] = WeakValueDictionary()

    def prepare(self, wanted: DataRequest, deadline: Deadline, stored: str | None = None) -> Dataset:
        """The dataset as the provider has it now, from memory if nothing has changed since it was gathered.

        Args:
            stored: the hash of one that was stored earlier; taken as it is, unless it is gone.

        Raises:
            any exception of src.services.backtests.dataset.gather
        """
        known = None if stored is None else self._load(stored, wanted)
        if known is not None:
            return known
        # Taken before gathering: if prices change in between, the dataset only seems outdated.
        version = self._version(wanted)
        dataset = self._recent.get(wanted, version)
        if dataset is None:
            dataset = gather(self._provider, wanted, deadline)
            self._recent.put(wanted, version, dataset)
        return dataset

    def store(self, dataset: Dataset, stored: str | None = None) -> str | None:
        """Keep a dataset for later; returns the hash by which `prepare` finds it, None if it cannot be stored.

        Args:
            stored: the hash of an equal one that was stored earlier and is as good if it is still there.
        """
        for known in (stored, self._hashes.get(dataset)):
            if known is not None and self._blobs.touch(known):
                return known
        try:
            blob_hash = self._blobs.put(encode(dataset))
        except BlobNotStored as error:
            logger.warning("the prices of a queued run will be fetched again when it starts: %s", error)
            return None
        self._remember(blob_hash, dataset)
        return blob_hash

    def _remember(self, blob_hash: str, dataset: Dataset) -> None:
        self._hashes[dataset], self._stored[blob_hash] = blob_hash, dataset

    def _load(self, blob_hash: str, wanted: DataRequest) -> Dataset | None:
        """The stored dataset; None if it is gone, damaged or not what is wanted."""
        dataset = self._stored.get(blob_hash)
        try:
            if dataset is None:
                dataset = decode(self._blobs.get(blob_hash))
                self._remember(blob_hash, dataset)
                self._recent.put(blob_hash, blob_hash, dataset)
        except (BlobMissing, NotADataset) as error:
            logger.warning("the dataset %s is prepared again: %s", blob_hash, error)
            return None
        return dataset if dataset.wanted == wanted else None

    def _version(self, wanted: DataRequest) -> Hashable | None:
        """Changes with the prices that decide the dataset; None while that is unknown."""
        versions = [self._provider.version(symbol, wanted.end) for symbol in wanted.all_symbols]
        return None if None in versions else tuple(versions)
