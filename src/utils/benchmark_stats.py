"""A benchmark held over the same days, and statistics of daily returns against its returns."""

import math

import numpy as np

from src.utils.return_stats import (
    NEGLIGIBLE,
    DailyReturns,
    Float64Array,
    Undefined,
    mean,
    require_dispersion,
)


def benchmark_equity(closes: Float64Array, initial_capital: float) -> Float64Array:
    """The value of the initial capital when it buys the benchmark at its first close and holds it.

    Args:
        closes: (n_days,) prices above zero, NaN on days without one.

    Returns:
        (n_days,): the initial capital up to and including the first close; days without a close use the last
        known one.

    Raises:
        ValueError: no day has a close.
    """
    known = np.flatnonzero(np.isfinite(closes))
    if not len(known):
        raise ValueError("the benchmark has no close on any of the days")
    last_known = np.searchsorted(known, np.arange(len(closes)), side="right") - 1
    growth: Float64Array = closes[known[np.maximum(last_known, 0)]] / closes[known[0]]
    return initial_capital * growth


def known_days(values: Float64Array) -> slice:
    """The days from the first to the last known value, of which at least one is."""
    known = np.flatnonzero(np.isfinite(values))
    return slice(int(known[0]), int(known[-1]) + 1)


def beta(excess: DailyReturns, benchmark_excess: DailyReturns) -> float:
    """Slope of excess returns on the benchmark's excess returns."""
    require_dispersion(benchmark_excess, "the benchmark's daily returns")
    centred = benchmark_excess.values - benchmark_excess.mean
    return mean(centred * (excess.values - excess.mean)) / mean(centred * centred)


def jensen_alpha(excess: DailyReturns, benchmark_excess: DailyReturns, slope: float, periods_per_year: int) -> float:
    """Yearly return that beta does not explain, linear: periods · (mean(x) − slope · mean(b)).

    Args:
        slope: beta.
    """
    return periods_per_year * (excess.mean - slope * benchmark_excess.mean)


def treynor_ratio(excess: DailyReturns, slope: float, periods_per_year: int) -> float:
    """Yearly mean excess return per unit of beta, `slope`."""
    if abs(slope) < NEGLIGIBLE:
        raise Undefined("beta is zero")
    return periods_per_year * excess.mean / slope


def information_ratio(active: DailyReturns, periods_per_year: int) -> float:
    """Yearly mean of the daily returns minus the benchmark's, over the tracking error."""
    deviation = require_dispersion(active, "daily returns less the benchmark's")
    return active.mean * math.sqrt(periods_per_year) / deviation
