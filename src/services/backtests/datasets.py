"""Prepares each dataset once: the same prices are wanted again and again, by trials, reruns and other strategies."""

from collections.abc import Hashable

from src.services.backtests.dataset import DataRequest, Dataset, gather
from src.services.data_provider.base import DataProvider
from src.services.data_provider.recently_used import RecentlyUsed
from src.utils.deadline import Deadline

CACHE_BYTES = 128 * 1024 * 1024


class Datasets:
    """Datasets of one provider. Thread-safe.

    Args:
        cache_bytes: limit on the datasets kept in memory.
    """

    def __init__(self, provider: DataProvider, cache_bytes: int = CACHE_BYTES) -> None:
        self._provider = provider
        self._recent = RecentlyUsed[Dataset](cache_bytes)

    def prepare(self, wanted: DataRequest, deadline: Deadline) -> Dataset:
        """The dataset as the provider has it now, from memory if nothing has changed since it was gathered.

        Raises:
            any exception of src.services.backtests.dataset.gather
        """
        # Taken before gathering: if prices change in between, the dataset only seems outdated.
        version = self._version(wanted)
        dataset = self._recent.get(wanted, version)
        if dataset is None:
            dataset = gather(self._provider, wanted, deadline)
            self._recent.put(wanted, version, dataset)
        return dataset

    def _version(self, wanted: DataRequest) -> Hashable | None:
        """Changes with the prices that decide the dataset; None while that is unknown."""
        versions = [self._provider.version(symbol, wanted.end) for symbol in wanted.all_symbols]
        return None if None in versions else tuple(versions)
