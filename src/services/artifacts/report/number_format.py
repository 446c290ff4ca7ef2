"""Numbers and days as the report writes them."""

import math

import numpy as np

from src.models.metric_catalogue import MetricEntry, MetricUnit

MINUS = "\u2212"
NOTHING = "\u2013"
THIN_SPACE = "\u202f"


def number(value: float, decimals: int = 2) -> str:
    """With thousands apart and a real minus; very large and very small ones with an exponent."""
    if value != 0.0 and (abs(value) >= 1e12 or abs(value) < 0.5 * 10.0**-decimals):
        return f"{value:.3g}".replace("-", MINUS)
    return f"{value:,.{decimals}f}".replace("-", MINUS)


def percent(value: float, decimals: int = 2, *, signed: bool = False) -> str:
    """A fraction as a percentage."""
    if abs(value) >= 1e6:
        return f"{value * 100:.3g}{THIN_SPACE}%".replace("-", MINUS)
    rounded = round(value * 100, decimals) or 0.0  # not "-0.0"
    return f"{rounded:{'+' if signed else ''},.{decimals}f}{THIN_SPACE}%".replace("-", MINUS)


def money(value: float) -> str:
    """Account currency: with cents while they matter."""
    return number(value, 2 if abs(value) < 1e6 else 0)


def exact(value: float) -> str:
    """Every digit, for values that somebody may want to compare."""
    if math.isfinite(value) and value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}".replace("-", MINUS)
    return repr(value).replace("-", MINUS)


def day(date: np.datetime64) -> str:
    """An ISO date."""
    return str(date.astype("datetime64[D]"))


def metric(entry: MetricEntry, value: float) -> str:
    """A metric's value with its unit."""
    match entry.unit:
        case MetricUnit.FRACTION:
            return percent(value)
        case MetricUnit.DAYS:
            return f"{int(value):,}{THIN_SPACE}days"
        case MetricUnit.COUNT:
            return f"{int(value):,}"
        case MetricUnit.BASIS_POINTS:
            return f"{number(value, 1)}{THIN_SPACE}bps"
        case MetricUnit.RATIO:
            return number(value, 3)
