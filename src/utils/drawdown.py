"""How far and for how long equity stood below its highest point, and in which stretches."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from src.utils.return_stats import NEGLIGIBLE, Float64Array, Undefined

COUNT = 10
"""Number of drawdowns that a report shows."""


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


@dataclass(frozen=True)
class DrawdownPeriod:
    """One fall from a peak, and the way back.

    Attributes:
        depth: equity lost from the peak to the trough, a fraction above zero (0.25 is a quarter).
        peak: index of the last day at the peak; -1 when that is the initial capital, before the first day.
        trough: index of the day of lowest equity, the first of equals.
        recovery: index of the first day at or above the peak again; None if it has not recovered.
        n_days: timeline days from the peak to the recovery, or to the last day: the day of the peak is not
            counted, the day of the recovery is. The longest is the metric max_drawdown_duration.
    """

    depth: float
    peak: int
    trough: int
    recovery: int | None
    n_days: int


def worst_drawdowns(equity: Float64Array, initial_capital: float, count: int = COUNT) -> list[DrawdownPeriod]:
    """The `count` deepest drawdowns, deepest first; of equally deep ones the earlier first.

    A drawdown is a maximal stretch of days below the running peak (see `drawdowns`: a distance of at most
    1e-12 is rounding). So drawdowns do not overlap, and a fall within a fall is not counted separately.

    Args:
        equity: (n_days,) account value at the end of each day.
        initial_capital: the first peak.
    """
    depths = drawdowns(equity, initial_capital)
    starts, ends = _stretches_below(depths)
    deepest = [float(depths[start:end].max()) for start, end in zip(starts, ends, strict=True)]
    order = sorted(range(len(deepest)), key=lambda number: (-deepest[number], number))
    return [_period(depths, starts[number], ends[number]) for number in order[:count]]


def _stretches_below(depths: Float64Array) -> tuple[list[int], list[int]]:
    """First day of each stretch below the peak, and the day after its last."""
    is_below = np.concatenate(([False], depths > 0.0, [False]))
    edges: npt.NDArray[np.intp] = np.flatnonzero(is_below[1:] != is_below[:-1])
    return edges[::2].tolist(), edges[1::2].tolist()


def _period(depths: Float64Array, start: int, end: int) -> DrawdownPeriod:
    has_recovered = end < len(depths)
    trough = start + int(np.argmax(depths[start:end]))
    return DrawdownPeriod(
        depth=float(depths[trough]),
        peak=start - 1,
        trough=trough,
        recovery=end if has_recovered else None,
        n_days=end - start + (1 if has_recovered else 0),
    )
