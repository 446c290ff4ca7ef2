"""Everything that a job needs to know of the market."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Self

import numpy as np
from hqg_algorithms import BarSize

from src.errors import NoPrices
from src.execution.session.session import Description
from src.models.request import BacktestRequest
from src.services.backtests.benchmark import RISK_FREE_SYMBOL, BenchmarkData, find_benchmarks
from src.services.backtests.delistings import find_delistings
from src.services.backtests.identity import data_hash
from src.services.backtests.price_warnings import jump_warnings
from src.services.backtests.warm_up import earlier_prices
from src.services.data_provider.arrays import Dates
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
        warmup_bars: number of bars before the window that the strategy sees.
        bar_size: their length; daily where there are none, so that strategies of any cadence share a dataset.
    """

    symbols: tuple[str, ...]
    start: date
    end: date
    adjustment: PriceAdjustment
    benchmark: str | None
    wants_rate: bool
    warmup_bars: int = 0
    bar_size: str = BarSize.DAILY.value

    @classmethod
    def of(cls, request: BacktestRequest, traded: Description) -> Self:
        """What a backtest of a strategy needs, whose warm-up is that of the run."""
        symbols, cadence, warmup_bars = traded
        return cls(
            symbols=symbols,
            start=request.start_date,
            end=request.end_date,
            adjustment=request.price_adjustment,
            benchmark=request.benchmark,
            wants_rate=request.risk_free_rate is None,
            warmup_bars=warmup_bars,
            bar_size=cadence.bar_size.value if warmup_bars else BarSize.DAILY.value,
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
        warm_up: the days before the window that the strategy sees; None without a warm-up.
    """

    wanted: DataRequest
    source: str
    is_synthetic: bool
    prices: PriceTable
    benchmark: BenchmarkData
    delistings: Mapping[int, int]
    warm_up: PriceTable | None = None

    @cached_property
    def data_hash(self) -> str:
        """SHA-256 of what runs name as their data: prices, warm-up and delistings. The benchmark has its own."""
        warm_up = self.warm_up.data_hash() if self.warm_up else None
        return data_hash(self.prices.data_hash(), self.delistings, warm_up)

    @property
    def dates(self) -> Dates:
        """Every day that the strategy sees, those of the warm-up first."""
        return np.concatenate([self.warm_up.dates, self.prices.dates]) if self.warm_up else self.prices.dates

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
        warm_up = self.warm_up.bars if self.warm_up else None
        arrays = (self.prices.dates, self.prices.bars, self.prices.dividends, self.benchmark.closes, warm_up)
        return sum(array.nbytes for array in arrays if array is not None) + 200 * len(self.prices.suspects) + 2_000


def gather(provider: DataProvider, wanted: DataRequest, deadline: Deadline) -> Dataset:
    """The dataset as the provider has it now.

    Raises:
        NoPrices, PriceSourceUnavailable: no prices of a symbol; a missing benchmark is only a warning.
        RunTimedOut, RunCancelled
    """
    earlier = None
    if wanted.warmup_bars:
        # First, because it is the longer one: the window's prices are then at hand.
        with suppress(NoPrices):  # the window has none either, and its error has the dates that were asked for
            earlier = earlier_prices(
                provider,
                wanted.symbols,
                wanted.start,
                wanted.end,
                wanted.warmup_bars,
                BarSize(wanted.bar_size),
                deadline,
                wanted.adjustment,
            )
    prices = provider.fetch(wanted.symbols, wanted.start, wanted.end, deadline, adjustment=wanted.adjustment)
    benchmark = find_benchmarks(
        provider, prices, benchmark=wanted.benchmark, wants_rate=wanted.wants_rate, deadline=deadline
    )
    delistings = find_delistings(prices, wanted.end, benchmark.history_end)
    return Dataset(wanted, provider.name, provider.is_synthetic, prices, benchmark, delistings, earlier)
