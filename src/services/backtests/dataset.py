"""Everything that a job needs to know of the market."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Self

from src.models.request import BacktestRequest
from src.services.backtests.benchmark import RISK_FREE_SYMBOL, BenchmarkData, find_benchmarks
from src.services.backtests.delistings import find_delistings
from src.services.backtests.identity import data_hash
from src.services.backtests.price_warnings import jump_warnings
from src.services.data_provider.base import DataProvider, PriceTable, SymbolOrigin
from src.utils.deadline import Deadline
from src.utils.price_adjustment import PriceAdjustment


@dataclass(frozen=True)
class DataRequest:
    """The part of a job that decides its dataset.

    Attributes:
        start, end: the requested window, inclusive.
        benchmark: its symbol, None for none.
        wants_rate: whether the risk-free rate comes from the source.
    """

    symbols: tuple[str, ...]
    start: date
    end: date
    adjustment: PriceAdjustment
    benchmark: str | None
    wants_rate: bool

    @classmethod
    def of(cls, request: BacktestRequest, symbols: tuple[str, ...]) -> Self:
        """What a backtest of these symbols needs."""
        return cls(
            symbols=symbols,
            start=request.start_date,
            end=request.end_date,
            adjustment=request.price_adjustment,
            benchmark=request.benchmark,
            wants_rate=request.risk_free_rate is None,
        )

    @property
    def all_symbols(self) -> tuple[str, ...]:
        """Every symbol whose history decides the dataset."""
        benchmark = () if self.benchmark is None else (self.benchmark,)
        return (*self.symbols, *benchmark, *((RISK_FREE_SYMBOL,) if self.wants_rate else ()))


@dataclass(frozen=True, eq=False)
class Dataset:
    """The market as one job sees it; independent of the strategy, its capital and its costs.

    Attributes:
        wanted: what it was prepared for.
        source: name of the provider.
        is_synthetic: whether the prices are made up.
        delistings: see src.services.backtests.delistings.find_delistings.
    """

    wanted: DataRequest
    source: str
    is_synthetic: bool
    prices: PriceTable
    benchmark: BenchmarkData
    delistings: Mapping[int, int]

    @cached_property
    def data_hash(self) -> str:
        """SHA-256 of what runs name as their data: prices and delistings. The benchmark has a hash of its own."""
        return data_hash(self.prices.data_hash(), self.delistings)

    @cached_property
    def origins(self) -> tuple[SymbolOrigin, ...]:
        """The origin of each symbol's bars."""
        return self.prices.origins

    @cached_property
    def jumps(self) -> tuple[str, ...]:
        """Warnings about prices that are probably errors."""
        return tuple(jump_warnings(self.prices))

    @property
    def size_bytes(self) -> int:
        """Approximate memory use."""
        arrays = (self.prices.dates, self.prices.bars, self.prices.dividends, self.benchmark.closes)
        return sum(array.nbytes for array in arrays if array is not None) + 200 * len(self.prices.suspects) + 2_000


def gather(provider: DataProvider, wanted: DataRequest, deadline: Deadline) -> Dataset:
    """The dataset as the provider has it now.

    Raises:
        NoPrices, PriceSourceUnavailable: no prices of a symbol; a missing benchmark is only a warning.
        RunTimedOut, RunCancelled
    """
    prices = provider.fetch(wanted.symbols, wanted.start, wanted.end, deadline, adjustment=wanted.adjustment)
    benchmark = find_benchmarks(
        provider, prices, benchmark=wanted.benchmark, wants_rate=wanted.wants_rate, deadline=deadline
    )
    delistings = find_delistings(prices, wanted.end, benchmark.history_end)
    return Dataset(wanted, provider.name, provider.is_synthetic, prices, benchmark, delistings)
