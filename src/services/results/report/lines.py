"""Turns a series of any length into the path of a line that a screen can show."""

import numpy as np
import numpy.typing as npt

from src.services.results.report.markup import Markup, element
from src.utils.return_stats import Float64Array

COLUMNS = 800
"""Pixels across that a chart is drawn for."""

UNITS = 1000.0
"""Width and height of the drawing's own coordinates."""


def visible(x: Float64Array, values: Float64Array) -> npt.NDArray[np.intp]:
    """Indices of the values that decide what a line looks like, ascending: all, or of each column of
    pixels the first, lowest, highest and last. So every extreme stays.

    Args:
        x: (n,) ascending, 0 to 1.
    """
    if len(values) <= 2 * COLUMNS:
        return np.arange(len(values))
    column = np.minimum((x * COLUMNS).astype(np.int64), COLUMNS - 1)
    starts = np.flatnonzero(np.concatenate(([True], column[1:] != column[:-1])))
    ends = np.concatenate((starts[1:], [len(values)]))
    chosen = [
        index
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
        for index in (start, start + int(values[start:end].argmin()), start + int(values[start:end].argmax()), end - 1)
    ]
    return np.unique(np.array(chosen, dtype=np.intp))


def line(x: Float64Array, heights: Float64Array, class_: str) -> Markup:
    """A line through all points.

    Args:
        heights: (n,) 0 at the bottom, 1 at the top.
    """
    return element("path", class_=class_, d=_through(x, heights))


def area_below(x: Float64Array, depths: Float64Array, class_: str) -> Markup:
    """The area between the upper edge and points below it.

    Args:
        depths: (n,) 0 at the upper edge, 1 at the lower.
    """
    outline = f"M{UNITS * x[0]:.4g} 0L{_through(x, 1.0 - depths)[1:]}L{UNITS * x[-1]:.4g} 0Z"
    return element("path", class_=class_, d=outline)


def _through(x: Float64Array, heights: Float64Array) -> str:
    keep = visible(x, heights)
    across, down = (UNITS * x[keep]).tolist(), (UNITS * (1.0 - heights[keep])).tolist()
    # One point alone is a line back to itself, which round ends make a dot of.
    points = [f"{a:.1f} {b:.1f}" for a, b in zip(across, down, strict=True)]
    return "M" + "L".join(points if len(points) > 1 else points * 2)
