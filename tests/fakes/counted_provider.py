"""A provider that counts what it is asked for."""

from collections.abc import Sequence
from typing import Any

from src.services.data_provider.base import DataProvider, PriceTable, Yields


class CountedProvider:
    """Passes everything on.

    Attributes:
        n_asked: number of tables and series of yields that were asked for.
    """

    def __init__(self, provider: DataProvider) -> None:
        self._provider = provider
        self.name, self.is_synthetic, self.version = provider.name, provider.is_synthetic, provider.version
        self.n_asked = 0

    def fetch(self, symbols: Sequence[str], *arguments: Any, **options: Any) -> PriceTable:
        self.n_asked += 1
        return self._provider.fetch(symbols, *arguments, **options)

    def fetch_yields(self, symbol: str, *arguments: Any) -> Yields:
        self.n_asked += 1
        return self._provider.fetch_yields(symbol, *arguments)
