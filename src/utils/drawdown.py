"""How far and for how long equity stood below its highest point."""

import math

import numpy as np

from src.utils.return_stats import NEGLIGIBLE, Float64Array, Undefined


def drawdowns(equity: Float64Array, initial_capital: float) -> Float64Array:
    """Fraction below the running peak, (n_days,), at least 0.0; the initial capital is the first peak.

    A distance of at most 1e-12 is rounding and counts as at the peak, so a year of unchanged holdings is not a
    year-long drawdown.
    """
    peak = np.maximum.accumulate(np.maximum(equity, initial_capital))
    below = 1.0 - equity / peak
    return np.where(below > NEGLIGIBLE, below, 0.0)


def max_drawdown(depths: Float64Array) -> float:
    """The deepest of `drawdowns`, a positive fraction (0.25 is a quarter lost); 0.0 without any."""
    return float(depths.max())


def max_drawdown_duration(depths: Float64Array) -> int:
    """Longest stretch from a peak to the day that reaches it again, in timeline days.

    The day of the peak is not counted, the day of recovery is. A stretch still open at the end
    counts up to the last day. The initial capital is the peak of day zero, before the first day.
    """
    at_peak = np.flatnonzero(np.concatenate(([0.0], depths)) == 0.0)
    stretches = np.diff(at_peak)
    longest = int(stretches[stretches > 1].max(initial=0))
    return max(longest, len(depths) - int(at_peak[-1]))


def ulcer_index(depths: Float64Array) -> float:
    """Root mean square of `drawdowns`, a fraction (Martin and McCann 1989)."""
    return math.sqrt(float((depths * depths).mean()))


def calmar_ratio(annualized_return: float, depths: Float64Array) -> float:
    """Yearly return over the maximum drawdown (Young 1991)."""
    deepest = max_drawdown(depths)
    if deepest == 0.0:  # exact: drawdowns() has already snapped rounding noise to zero
        raise Undefined("no drawdown")
    return annualized_return / deepest
