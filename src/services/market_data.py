"""What prices this service keeps, without asking anybody for more."""

from src.services.data_provider.base import DataProvider
from src.services.data_provider.cache import CachedProvider, Holding


class MarketData:
    """Answers for the price cache.

    Args:
        provider: where prices come from; only one with a cache keeps any.
    """

    def __init__(self, provider: DataProvider) -> None:
        self.source = provider.name
        self._cache = provider if isinstance(provider, CachedProvider) else None

    def cached(self, symbol: str) -> Holding | None:
        """What is cached of a symbol, None when nothing is. Blocks while it reads a file.

        Raises:
            NoPrices: it is no ticker.
            PriceSourceUnavailable: there is something, which cannot be read.
        """
        return None if self._cache is None else self._cache.held(symbol)
