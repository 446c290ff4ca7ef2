"""The stretches in which equity stood below its highest point, one by one."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from src.utils.drawdown import drawdowns
from src.utils.return_stats import Float64Array

COUNT = 10
"""Number of drawdowns that a report shows."""


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
