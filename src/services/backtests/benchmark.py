"""The benchmark and the risk-free rate of a run. Neither ever fails a run."""

import hashlib
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from src.errors import NoPrices, PriceSourceUnavailable
from src.services.backtests.coverage_warnings import (
    begins_late,
    benchmark_warnings,
    ends_early,
    yield_warnings,
)
from src.services.data_provider.arrays import Dates
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
        benchmark_end: the last day of the benchmark's whole history, if known; not part of `hash`.
    """

    benchmark: npt.NDArray[np.float64] | None
    risk_free_rate: float
    warnings: tuple[str, ...]
    benchmark_end: date | None = None

    def hash(self) -> str:
        """SHA-256 of the benchmarks, hexadecimal; the same on every machine. Warnings are not part of it."""
        series = b"none" if self.benchmark is None else self.benchmark.astype("<f8").tobytes()
        return hashlib.sha256(np.float64(self.risk_free_rate).astype("<f8").tobytes() + series).hexdigest()


def find_benchmarks(
    provider: DataProvider,
    prices: PriceTable,
    *,
    benchmark: str | None,
    risk_free_rate: float | None,
    initial_capital: float,
    deadline: Deadline = NO_DEADLINE,
) -> Benchmarks:
    """The benchmark on the run's own days, and the risk-free rate over them.

    Args:
        benchmark: its symbol, None for none.
        risk_free_rate: yearly fraction; None takes the mean of ^IRX over the window.
        deadline: how long to wait for them.

    Raises:
        RunTimedOut, RunCancelled: the deadline has passed.
    """
    warnings: list[str] = []
    series = benchmark_end = None
    if benchmark is not None:
        series, benchmark_end = _benchmark(provider, prices, benchmark, initial_capital, warnings, deadline)
    if risk_free_rate is None:
        risk_free_rate = _risk_free_rate(provider, prices, warnings, deadline)
    return Benchmarks(series, risk_free_rate, tuple(warnings), benchmark_end)


def _benchmark(
    provider: DataProvider,
    prices: PriceTable,
    symbol: str,
    initial_capital: float,
    warnings: list[str],
    deadline: Deadline,
) -> tuple[npt.NDArray[np.float64] | None, date | None]:
    """The benchmark's equity, and the last day of its whole history."""
    table = prices
    if symbol in prices.symbols and prices.dividends is None:
        closes = prices.close[:, prices.symbols.index(symbol)]
    else:
        try:
            table = provider.fetch((symbol,), *_window(prices), deadline)
        except (NoPrices, PriceSourceUnavailable) as error:
            warnings.append(f"no benchmark: {error}")
            return None, None
        closes = _on_days(table, prices)
    known = np.flatnonzero(np.isfinite(closes))
    if not known.size:
        warnings.append(f"no benchmark: {symbol} has no price on any day of the run")
        return None, table.history_ends.get(symbol)
    covered = _covered(prices.dates, int(known[0]), int(known[-1]))
    warnings.extend(benchmark_warnings(symbol, prices.dates, prices.dates[covered]))
    series = np.full(len(closes), np.nan)
    series[covered] = benchmark_equity(closes, initial_capital)[covered]
    return series, table.history_ends.get(symbol)


def _covered(days: Dates, first: int, last: int) -> slice:
    """The days on which a benchmark with these first and last closes is known.

    A few more sessions at either end, such as a weekend of a market without one, count as days without a close.
    """
    start = first if begins_late(days[0].item(), days[first].item()) else 0
    stop = last + 1 if ends_early(days[last].item(), days[-1].item()) else len(days)
    return slice(start, stop)


def _risk_free_rate(provider: DataProvider, prices: PriceTable, warnings: list[str], deadline: Deadline) -> float:
    try:
        yields = provider.fetch_yields(RISK_FREE_SYMBOL, *_window(prices), deadline)
    except (NoPrices, PriceSourceUnavailable) as error:
        warnings.append(f"the risk-free rate is taken as 0: {error}")
        return 0.0
    warnings.extend(yield_warnings(RISK_FREE_SYMBOL, prices.dates, yields.dates))
    return float(np.mean(yields.percent)) / 100


def _window(prices: PriceTable) -> tuple[date, date]:
    return prices.dates[0].item(), prices.dates[-1].item()


def _on_days(table: PriceTable, prices: PriceTable) -> npt.NDArray[np.float64]:
    """The table's closes on the run's days, NaN where missing."""
    closes = np.full(len(prices.dates), np.nan)
    _, here, there = np.intersect1d(prices.dates, table.dates, assume_unique=True, return_indices=True)
    closes[here] = table.close[there, 0]
    return closes
