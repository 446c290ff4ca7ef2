"""What prices this service keeps, without asking anybody for more."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from src.errors import NoPrices, PriceSourceUnavailable
from src.services.data_provider.base import DataProvider
from src.services.data_provider.holding import Holding


@runtime_checkable
class KeepsPrices(Protocol):
    """A provider with prices at hand: a folder of files, or a cache."""

    def symbols(self) -> list[str]:
        """Of which there is a file, by name."""
        ...

    def held(self, symbol: str) -> Holding | None:
        """What there is of a symbol, without asking a source; None when there is nothing.

        Raises:
            NoPrices: it is no ticker, or its file cannot be understood.
            PriceSourceUnavailable: there is something, which cannot be read.
        """
        ...


@dataclass(frozen=True)
class Coverage:
    """A symbol of which there is a file: what it holds, or why it cannot be used."""

    symbol: str
    held: Holding | None
    problem: str | None


@dataclass(frozen=True)
class CoveragePage:
    """Some symbols by name, and after which one the next page begins; None when there is none."""

    entries: list[Coverage]
    next_cursor: str | None


class MarketData:
    """Answers for the prices that are kept.

    Args:
        provider: where prices come from; one that makes prices up keeps none.
    """

    def __init__(self, provider: DataProvider) -> None:
        self.source = provider.name
        self._keeper = provider if isinstance(provider, KeepsPrices) else None

    def cached(self, symbol: str) -> Holding | None:
        """What is kept of a symbol, None when nothing is. Blocks while it reads a file.

        Raises:
            NoPrices: it is no ticker, or its file cannot be understood.
            PriceSourceUnavailable: there is something, which cannot be read.
        """
        return None if self._keeper is None else self._keeper.held(symbol)

    def page(self, limit: int, cursor: str | None = None) -> CoveragePage:
        """The coverage of the symbols after `cursor`, at most `limit` of them. Blocks while it reads their files.

        Raises:
            PriceSourceUnavailable: their folder cannot be read.
        """
        if self._keeper is None:
            return CoveragePage([], None)
        after = [symbol for symbol in self._keeper.symbols() if cursor is None or symbol > cursor]
        entries = [coverage_of(self._keeper, symbol) for symbol in after[:limit]]
        return CoveragePage(entries, after[limit - 1] if len(after) > limit else None)


def coverage_of(keeper: KeepsPrices, symbol: str) -> Coverage:
    """What is kept of a symbol that there is a file of, or why that cannot be used."""
    try:
        held = keeper.held(symbol)
    except (NoPrices, PriceSourceUnavailable) as error:
        return Coverage(symbol, None, str(error))
    return Coverage(symbol, held, None if held else "Its file is damaged or gone.")
