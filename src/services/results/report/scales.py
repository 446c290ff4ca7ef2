"""Where values and days stand in a chart, and which of them get a label."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from src.utils.return_stats import Float64Array

LOGARITHMIC_FROM = 5.0
"""Highest over lowest value from which equal steps stand for equal growth."""

LEAST_LABEL_SHARE = 0.05
"""Two labels of the time axis stand at least so far apart, fraction of its length."""

Dates = npt.NDArray[np.datetime64]


@dataclass(frozen=True)
class ValueScale:
    """Maps values to heights.

    Attributes:
        ticks: values that get a line and a label, ascending.
        heights: of an array of values: 0.0 is the bottom, 1.0 the top.
    """

    is_logarithmic: bool
    ticks: list[float]
    heights: Callable[[Float64Array], Float64Array]


def value_scale(lowest: float, highest: float) -> ValueScale:
    """A scale that holds both values; logarithmic where they are far apart and above zero."""
    if lowest > 0.0 and highest / lowest >= LOGARITHMIC_FROM:
        low, high = math.log(lowest), math.log(highest)
        margin = 0.03 * (high - low)
        low, high = low - margin, high + margin
        ticks = _logarithmic_ticks(lowest, highest)
        return ValueScale(True, ticks, lambda values: (np.log(values) - low) / (high - low))
    margin = 0.03 * (highest - lowest) or 0.01 * abs(highest) or 1.0
    bottom, top = lowest - margin, highest + margin
    return ValueScale(False, linear_ticks(bottom, top, 5), lambda values: (values - bottom) / (top - bottom))


def linear_ticks(lowest: float, highest: float, count: int) -> list[float]:
    """At most about `count` round numbers between the two."""
    rough = (highest - lowest) / count
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * factor for factor in (1, 2, 2.5, 5, 10) if size * factor >= rough * (1 - 1e-9))
    first, last = math.ceil(lowest / step - 1e-9), math.floor(highest / step + 1e-9)
    return [number * step for number in range(first, last + 1)]


def _logarithmic_ticks(lowest: float, highest: float) -> list[float]:
    powers = range(math.floor(math.log10(lowest)), math.ceil(math.log10(highest)) + 1)
    every = [factor * 10.0**power for power in powers for factor in (1, 2, 5)]
    inside = [tick for tick in every if lowest <= tick <= highest]
    if len(inside) <= 8:
        return inside
    # Over many powers of ten only those themselves have room, or every so manieth of them.
    return [10.0**power for power in powers if lowest <= 10.0**power <= highest][:: len(powers) // 8 + 1]


def positions(dates: Dates) -> Float64Array:
    """Where each day stands: 0.0 is the first, 1.0 the last; one alone stands in the middle."""
    days = dates.astype("datetime64[D]").astype(np.int64)
    span = int(days[-1] - days[0])
    return (days - days[0]) / span if span else np.full(len(days), 0.5)


def day_ticks(dates: Dates) -> list[tuple[float, str]]:
    """Where labels of the time axis stand (as `positions`), and what they say: years, months or days."""
    first, last = dates[0].astype("datetime64[D]"), dates[-1].astype("datetime64[D]")
    n_days = int((last - first).astype(np.int64))
    if n_days < 70:
        chosen = first + np.unique(np.linspace(0, n_days, min(5, n_days + 1)).astype(np.int64))
        return _placed(chosen, first, n_days, str)
    step = next(months for months in (1, 2, 3, 6, 12, 24, 60, 120, 240) if n_days / 30.44 / months <= 12)
    first_month = -(-int(first.astype("datetime64[M]").astype(np.int64)) // step) * step
    last_month = int(last.astype("datetime64[M]").astype(np.int64))
    months = np.arange(first_month, last_month + 1, step).astype("datetime64[M]").astype("datetime64[D]")
    months = months[months >= first]
    # The period in which the days begin has a label too, at their first, where that is far enough from the next one.
    begins = [first] if (months[0] - first).astype(np.int64) >= LEAST_LABEL_SHARE * n_days else []
    length = 4 if step >= 12 else 7
    return _placed(np.array([*begins, *months]), first, n_days, lambda day: str(day)[:length])


def _placed(
    chosen: Dates, first: np.datetime64, n_days: int, label: Callable[[np.datetime64], str]
) -> list[tuple[float, str]]:
    numbers = (chosen - first).astype(np.int64).tolist()
    return [(number / n_days if n_days else 0.5, label(day)) for number, day in zip(numbers, chosen, strict=True)]
