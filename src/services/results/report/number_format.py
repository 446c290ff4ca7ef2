"""Numbers and days as the report writes them: digit for digit as the studio does (studio/text/format.js)."""

import math
from collections.abc import Callable
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from src.models.metric_catalogue import MetricEntry, MetricUnit

if TYPE_CHECKING:
    import numpy as np  # the plain form needs a percentage, and a server that starts need not load NumPy for it

MINUS = "\u2212"
NOTHING = "\u2013"
EXPONENT_FROM = 1e15
"""Size from which digits before the point say less than an exponent."""


def number(value: float, decimals: int = 2) -> str:
    """With thousands apart, a real minus and never a negative zero; very large ones with an exponent."""
    value = float(value)
    if not math.isfinite(value):
        return NOTHING
    if abs(value) >= EXPONENT_FROM:
        return f"{value:.2e}".replace("-", MINUS)
    # Browsers round the shortest decimal of a number, halves away from zero; format() rounds its binary digits.
    rounded = Decimal(repr(value)).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    return f"{rounded or abs(rounded):,f}".replace("-", MINUS)


def percent(value: float, decimals: int = 2, *, signed: bool = False) -> str:
    """A fraction as a percentage."""
    text = f"{number(value * 100, decimals)}%"
    return f"+{text}" if signed and value > 0 and any(digit in text for digit in "123456789") else text


def money(value: float) -> str:
    """Account currency."""
    return number(value)


def round_money(value: float) -> str:
    """Account currency without cents, unless it is so little that they are all there is."""
    return number(value, 2 if 0 < abs(value) < 100 else 0)


def counted(count: float, thing: str) -> str:
    """ "1 order", "2 orders"."""
    return f"{number(count, 0)} {thing}{'' if count == 1 else 's'}"


def exact(value: float) -> str:
    """Every digit and never an exponent, for values that a reader may compare."""
    return f"{Decimal(repr(float(value))).normalize():f}".replace("-", MINUS)


def day(date: "np.datetime64") -> str:
    """An ISO date."""
    return str(date.astype("datetime64[D]"))


def moment(iso_time: str | None) -> str:
    """A time in UTC, to the minute. What is no ISO time stays as it is."""
    if not iso_time:
        return NOTHING
    try:
        return f"{datetime.fromisoformat(iso_time):%Y-%m-%d %H:%M} UTC"
    except ValueError:
        return iso_time


def duration(milliseconds: float) -> str:
    """Milliseconds, seconds or minutes, whichever fits."""
    if milliseconds < 1000:
        return f"{number(milliseconds, 0)} ms"
    if milliseconds < 60_000:
        return f"{number(milliseconds / 1000, 1)} s"
    return f"{int(milliseconds // 60_000)} min {number(milliseconds % 60_000 / 1000, 0)} s"


_METRICS: dict[MetricUnit, Callable[[float], str]] = {
    MetricUnit.FRACTION: percent,
    MetricUnit.DAYS: lambda value: counted(value, "day"),
    MetricUnit.COUNT: lambda value: number(value, 0),
    MetricUnit.BASIS_POINTS: lambda value: f"{number(value, 1)} bps",
    MetricUnit.RATIO: lambda value: number(value, 1 if abs(value) >= 100 else 2),
}


def metric(entry: MetricEntry, value: float | None) -> str:
    """A metric's value with its unit; a dash where it is undefined."""
    return NOTHING if value is None else _METRICS[entry.unit](value)
