"""The benchmark and the risk-free rate of a run. Neither ever fails a run."""

import hashlib
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from src.errors import NoPrices, PriceSourceUnavailable
from src.services.backtests.coverage_warnings import (
    begins_late,
    benchmark_warnings,
    ends_early,
    yield_warnings,
)
from src.services.data_provider.arrays import Dates, Float64Array
from src.services.data_provider.base import DataProvider, PriceTable
from src.utils.benchmark_stats import benchmark_equity
from src.utils.deadline import NO_DEADLINE, Deadline

RISK_FREE_SYMBOL = "^IRX"
"""Yield of the 13-week US Treasury bill, in percent per year."""


@dataclass(frozen=True)
class Benchmarks:
    """The benchmarks of a run.

    Attributes:
        benchmark: (n_days,) the starting equity invested in the benchmark, NaN before its first and after its last
            day; None if there is none.
        risk_free_rate: yearly fraction.
        warnings: why one of them is missing or covers only part of the run, as sentences.
    """

    benchmark: Float64Array | None
    risk_free_rate: float
    warnings: tuple[str, ...]

    def hash(self) -> str:
        """SHA-256 of the benchmarks, hexadecimal; the same on every machine. Warnings are not part of it."""
        series = b"none" if self.benchmark is None else self.benchmark.astype("<f8").tobytes()
        return hashlib.sha256(np.float64(self.risk_free_rate).astype("<f8").tobytes() + series).hexdigest()


@dataclass(frozen=True, eq=False)
class BenchmarkData:
    """What the source knows of a benchmark and of the risk-free rate, for any capital.

    Attributes:
        closes: (n_days,) the benchmark's closes on the run's days, NaN where it has none; None if there is none.
        covered: first row and row after the last of the days on which the benchmark counts as known.
        history_end: the last day of the benchmark's whole history, if known.
        risk_free_rate: yearly fraction; None if it was not asked for.
        warnings: why one of them is missing or covers only part of the run, as sentences.
    """

    closes: Float64Array | None = None
    covered: tuple[int, int] = (0, 0)
    history_end: date | None = None
    risk_free_rate: float | None = None
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.closes is not None:
            self.closes.flags.writeable = False

    def of_capital(self, initial_capital: float, risk_free_rate: float | None) -> Benchmarks:
        """The benchmarks of a run with that capital.

        Args:
            risk_free_rate: yearly fraction; None takes the one found.
        """
        rate = self.risk_free_rate if risk_free_rate is None else risk_free_rate
        if rate is None:
            raise ValueError("neither the request nor the source gives a risk-free rate")
        if self.closes is None:
            return Benchmarks(None, rate, self.warnings)
        covered = slice(*self.covered)
        series = np.full(len(self.closes), np.nan)
        series[covered] = benchmark_equity(self.closes, initial_capital)[covered]
        return Benchmarks(series, rate, self.warnings)


def find_benchmarks(
    provider: DataProvider,
    prices: PriceTable,
    *,
    benchmark: str | None,
    wants_rate: bool,
    deadline: Deadline = NO_DEADLINE,
) -> BenchmarkData:
    """The benchmark on the run's own days, and the risk-free rate over them.

    Args:
        benchmark: its symbol, None for none.
        wants_rate: whether to find the risk-free rate: the mean of ^IRX over the window.
        deadline: how long to wait for them.

    Raises:
        RunTimedOut, RunCancelled: the deadline has passed.
    """
    found = BenchmarkData()
    if benchmark is not None:
        found = _benchmark(provider, prices, benchmark, deadline)
    if not wants_rate:
        return found
    rate, warnings = _risk_free_rate(provider, prices, deadline)
    return replace(found, risk_free_rate=rate, warnings=(*found.warnings, *warnings))


def _benchmark(provider: DataProvider, prices: PriceTable, symbol: str, deadline: Deadline) -> BenchmarkData:
    table = prices
    if symbol in prices.symbols and prices.dividends is None:
        closes = np.array(prices.close[:, prices.symbols.index(symbol)])
    else:
        try:
            table = provider.fetch((symbol,), *_window(prices), deadline)
        except (NoPrices, PriceSourceUnavailable) as error:
            return BenchmarkData(warnings=(f"no benchmark: {error}",))
        closes = _on_days(table, prices)
    known = np.flatnonzero(np.isfinite(closes))
    history_end = table.history_ends.get(symbol)
    if not known.size:
        missing = f"no benchmark: {symbol} has no price on any day of the run"
        return BenchmarkData(history_end=history_end, warnings=(missing,))
    covered = _covered(prices.dates, int(known[0]), int(known[-1]))
    warnings = benchmark_warnings(symbol, prices.dates, prices.dates[slice(*covered)])
    return BenchmarkData(closes, covered, history_end, warnings=tuple(warnings))


def _covered(days: Dates, first: int, last: int) -> tuple[int, int]:
    """First row and row after the last of the days on which a benchmark with these first and last closes is known.

    A few more sessions at either end, such as a weekend of a market without one, count as days without a close.
    """
    start = first if begins_late(days[0].item(), days[first].item()) else 0
    stop = last + 1 if ends_early(days[last].item(), days[-1].item()) else len(days)
    return start, stop


def _risk_free_rate(provider: DataProvider, prices: PriceTable, deadline: Deadline) -> tuple[float, list[str]]:
    try:
        yields = provider.fetch_yields(RISK_FREE_SYMBOL, *_window(prices), deadline)
    except (NoPrices, PriceSourceUnavailable) as error:
        return 0.0, [f"the risk-free rate is taken as 0: {error}"]
    return float(np.mean(yields.percent)) / 100, yield_warnings(RISK_FREE_SYMBOL, prices.dates, yields.dates)


def _window(prices: PriceTable) -> tuple[date, date]:
    return prices.dates[0].item(), prices.dates[-1].item()


def _on_days(table: PriceTable, prices: PriceTable) -> Float64Array:
    """The table's closes on the run's days, NaN where missing."""
    closes = np.full(len(prices.dates), np.nan)
    _, here, there = np.intersect1d(prices.dates, table.dates, assume_unique=True, return_indices=True)
    closes[here] = table.close[there, 0]
    return closes
