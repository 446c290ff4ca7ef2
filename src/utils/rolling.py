"""Statistics over a moving window of days, and averages by month."""

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from src.utils.return_stats import NEGLIGIBLE, Float64Array

ROWS = 1_000
"""Windows at a time: each takes a few kilobytes."""


def rolling_risk(excess: Float64Array, window: int, periods_per_year: int) -> tuple[Float64Array, Float64Array]:
    """Yearly Sharpe ratio and standard deviation (ddof 1) of the last `window` daily returns, (n_days,) each.

    NaN before the first whole window and where a return is not known; the ratio also where returns do not vary.

    Args:
        excess: daily returns above the risk-free rate, which has no dispersion of its own.
    """
    means, deviations = _moments(excess, window)
    ratio = np.divide(means, deviations, out=np.full(len(means), np.nan), where=deviations > 0.0)
    per_year = math.sqrt(periods_per_year)
    return _aligned(ratio * per_year, len(excess)), _aligned(deviations * per_year, len(excess))


def rolling_beta(excess: Float64Array, benchmark_excess: Float64Array, window: int) -> Float64Array:
    """Slope of the last `window` daily returns on the benchmark's, (n_days,).

    NaN before the first whole window, and where the benchmark is not known or does not vary.
    """
    parts = []
    for ours, theirs in zip(_windows(excess, window), _windows(benchmark_excess, window), strict=True):
        centred = theirs - theirs.mean(axis=1, keepdims=True)
        spread = (centred * centred).mean(axis=1)
        covariance = (centred * (ours - ours.mean(axis=1, keepdims=True))).mean(axis=1)
        varies = spread > (NEGLIGIBLE * np.maximum(1.0, np.abs(theirs).max(axis=1))) ** 2
        parts.append(np.divide(covariance, spread, out=np.full(len(spread), np.nan), where=varies))
    return _aligned(_joined(parts), len(excess))


def rolling_drawdown(equity: Float64Array, initial_capital: float, window: int) -> Float64Array:
    """Deepest fall from a peak within the last `window` days, (n_days,): positive fractions, NaN before that many.

    The value before the window's first return is its first peak.
    """
    values = np.concatenate(([initial_capital], equity))
    parts = []
    for some in _windows(values, window + 1):
        peaks = np.maximum.accumulate(some, axis=1)
        below = 1.0 - np.divide(some, peaks, out=np.zeros_like(some), where=peaks > 0.0)
        deepest = below.max(axis=1)
        parts.append(np.where(deepest > NEGLIGIBLE, deepest, 0.0))
    return _aligned(_joined(parts), len(equity))


def monthly(
    dates: npt.NDArray[np.datetime64], values: Float64Array
) -> tuple[npt.NDArray[np.datetime64], Float64Array, Float64Array]:
    """The months of a timeline, and the sum and the mean of the known values in each; NaN where none is known."""
    months = dates.astype("datetime64[M]")
    named, index = np.unique(months, return_inverse=True)
    known = np.isfinite(values)
    counts = np.bincount(index[known], minlength=len(named))
    sums = np.where(counts > 0, np.bincount(index[known], weights=values[known], minlength=len(named)), np.nan)
    return named, sums, sums / np.maximum(counts, 1)


def _moments(values: Float64Array, window: int) -> tuple[Float64Array, Float64Array]:
    """Mean and standard deviation of each window; a deviation of 0.0 where only rounding sets its values apart."""
    means, deviations = [], []
    for some in _windows(values, window):
        deviation = some.std(axis=1, ddof=1)
        is_noise = deviation <= NEGLIGIBLE * np.maximum(1.0, np.abs(some).max(axis=1))
        means.append(some.mean(axis=1))
        deviations.append(np.where(is_noise, 0.0, deviation))
    return _joined(means), _joined(deviations)


def _windows(values: Float64Array, window: int) -> Iterator[Float64Array]:
    """Every window of consecutive values, some rows at a time."""
    if len(values) < window:
        return
    whole = sliding_window_view(values, window)
    for first in range(0, len(whole), ROWS):
        yield whole[first : first + ROWS]


def _joined(parts: list[Float64Array]) -> Float64Array:
    return np.concatenate(parts) if parts else np.empty(0)


def _aligned(values: Float64Array, n_days: int) -> Float64Array:
    """The values at the last days, after NaN."""
    return np.concatenate((np.full(n_days - len(values), np.nan), values))
