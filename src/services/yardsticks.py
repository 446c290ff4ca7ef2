"""What a run is measured against: the benchmark and the risk-free rate. Neither ever fails a run."""

import hashlib
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from src.errors import NoPrices, PriceSourceUnavailable
from src.services.data_provider.base import DataProvider, PriceTable
from src.services.data_provider.patience import ENDLESS, Patience
from src.utils.benchmark_stats import benchmark_equity

RISK_FREE_SYMBOL = "^IRX"
"""Yield of the 13-week US Treasury bill, in percent a year."""


@dataclass(frozen=True)
class Yardsticks:
    """What there is to measure against.

    Attributes:
        benchmark: (n_days,) the starting equity invested in the benchmark, or None.
        risk_free_rate: yearly fraction.
        warnings: why one of them is missing, as sentences.
    """

    benchmark: npt.NDArray[np.float64] | None
    risk_free_rate: float
    warnings: tuple[str, ...]

    def hash(self) -> str:
        """SHA-256 of what is measured against, hexadecimal; the same on every machine. Warnings are no part of it."""
        series = b"none" if self.benchmark is None else self.benchmark.astype("<f8").tobytes()
        return hashlib.sha256(np.float64(self.risk_free_rate).astype("<f8").tobytes() + series).hexdigest()


def find_yardsticks(
    provider: DataProvider,
    prices: PriceTable,
    *,
    benchmark: str | None,
    risk_free_rate: float | None,
    initial_capital: float,
    patience: Patience = ENDLESS,
) -> Yardsticks:
    """The benchmark on the run's own days, and the risk-free rate over them.

    Args:
        benchmark: its symbol, None for none.
        risk_free_rate: yearly fraction; None takes the mean of ^IRX over the window.
        patience: how long to wait for them.

    Raises:
        RunTimedOut, RunCancelled: the patience is at its end.
    """
    warnings: list[str] = []
    series = None
    if benchmark is not None:
        series = _benchmark(provider, prices, benchmark, initial_capital, warnings, patience)
    if risk_free_rate is None:
        risk_free_rate = _risk_free_rate(provider, prices, warnings, patience)
    return Yardsticks(series, risk_free_rate, tuple(warnings))


def _benchmark(
    provider: DataProvider,
    prices: PriceTable,
    symbol: str,
    initial_capital: float,
    warnings: list[str],
    patience: Patience,
) -> npt.NDArray[np.float64] | None:
    if symbol in prices.symbols:
        closes = prices.close[:, prices.symbols.index(symbol)]
    else:
        try:
            table = provider.fetch((symbol,), *_window(prices), patience)
        except (NoPrices, PriceSourceUnavailable) as error:
            warnings.append(f"no benchmark: {error}")
            return None
        closes = _on_days(table, prices)
        if table.dates[0] > prices.dates[0]:
            warnings.append(
                f"the benchmark {symbol} has no price before {table.dates[0]}; it counts as cash until then"
            )
    if not np.isfinite(closes).any():
        warnings.append(f"no benchmark: {symbol} has no price on any day of the run")
        return None
    return benchmark_equity(closes, initial_capital)


def _risk_free_rate(provider: DataProvider, prices: PriceTable, warnings: list[str], patience: Patience) -> float:
    try:
        yields = provider.fetch_yields(RISK_FREE_SYMBOL, *_window(prices), patience)
    except (NoPrices, PriceSourceUnavailable) as error:
        warnings.append(f"the risk-free rate is taken as 0: {error}")
        return 0.0
    return float(np.mean(yields)) / 100


def _window(prices: PriceTable) -> tuple[date, date]:
    return prices.dates[0].item(), prices.dates[-1].item()


def _on_days(table: PriceTable, prices: PriceTable) -> npt.NDArray[np.float64]:
    """The table's closes on the run's days, NaN where it has none."""
    closes = np.full(len(prices.dates), np.nan)
    _, here, there = np.intersect1d(prices.dates, table.dates, assume_unique=True, return_indices=True)
    closes[here] = table.close[there, 0]
    return closes
