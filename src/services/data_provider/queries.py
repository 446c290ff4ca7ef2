"""The prices stored by this service, without fetching more."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from src.errors import NoPrices, PriceSourceUnavailable
from src.services.data_provider.base import DataProvider
from src.services.data_provider.cached_symbol import CachedSymbol


@runtime_checkable
class KeepsPrices(Protocol):
    """A provider with local prices: a folder of files, or a cache."""

    def symbols(self) -> list[str]:
        """Symbols that have a file, sorted."""
        ...

    def held(self, symbol: str) -> CachedSymbol | None:
        """The stored prices of a symbol, without fetching; None if there are none.

        Raises:
            NoPrices: it is not a ticker, or its file is invalid.
            PriceSourceUnavailable: its file exists but cannot be read.
        """
        ...


@dataclass(frozen=True)
class Coverage:
    """A symbol with a file: its contents, or why it cannot be used."""

    symbol: str
    held: CachedSymbol | None
    problem: str | None


@dataclass(frozen=True)
class CoveragePage:
    """Some symbols, sorted, and the one after which the next page starts; None on the last page."""

    entries: list[Coverage]
    next_cursor: str | None


class MarketData:
    """Answers questions about stored prices.

    Args:
        provider: the source of prices; a synthetic one stores none.
    """

    def __init__(self, provider: DataProvider) -> None:
        self.source = provider.name
        self._keeper = provider if isinstance(provider, KeepsPrices) else None

    def cached(self, symbol: str) -> CachedSymbol | None:
        """The stored prices of a symbol, None if there are none. Blocks while reading a file.

        Raises:
            NoPrices: it is not a ticker, or its file is invalid.
            PriceSourceUnavailable: its file exists but cannot be read.
        """
        return None if self._keeper is None else self._keeper.held(symbol)

    def page(self, limit: int, cursor: str | None = None) -> CoveragePage:
        """The coverage of the symbols after `cursor`, at most `limit` of them. Blocks while reading their files.

        Raises:
            PriceSourceUnavailable: their folder cannot be read.
        """
        if self._keeper is None:
            return CoveragePage([], None)
        after = [symbol for symbol in self._keeper.symbols() if cursor is None or symbol > cursor]
        entries = [coverage_of(self._keeper, symbol) for symbol in after[:limit]]
        return CoveragePage(entries, after[limit - 1] if len(after) > limit else None)


def coverage_of(keeper: KeepsPrices, symbol: str) -> Coverage:
    """The contents of a symbol's file, or why it cannot be used."""
    try:
        held = keeper.held(symbol)
    except (NoPrices, PriceSourceUnavailable) as error:
        return Coverage(symbol, None, str(error))
    return Coverage(symbol, held, None if held else "Its file is damaged or missing.")
