"""The arrays that hold prices, and the rules of `PriceTable` for them."""

from collections.abc import Sequence
from datetime import date

import numpy as np
import numpy.typing as npt

Float64Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
Dates = npt.NDArray[np.datetime64]
"""Calendar days without a time zone, dtype datetime64[D]."""

OPEN, HIGH, LOW, CLOSE, VOLUME = range(5)
"""Positions along the last axis of `PriceTable.bars`."""

CHECKED_NUMBERS = 64 * 1024
"""Numbers checked at a time: few enough to fit in the processor's cache."""


def window_rows(dates: Dates, start: date, end: date) -> tuple[int, int]:
    """First row and row after the last of the days between start and end, both included."""
    first = int(np.searchsorted(dates, np.datetime64(start, "D"), side="left"))
    stop = int(np.searchsorted(dates, np.datetime64(end, "D"), side="right"))
    return first, max(first, stop)


def day_numbers(dates: Dates) -> IntArray:
    """The dates as whole days since 1970-01-01."""
    return dates.astype("datetime64[D]").astype(np.int64)


def check_frame(dates: Dates, symbols: Sequence[str], bars: Float64Array) -> None:
    """Check that dates, symbols and bars fit together.

    Raises:
        ValueError: they do not.
    """
    if not symbols or len(set(symbols)) != len(symbols):
        raise ValueError(f"symbols must be unique and at least one: {symbols}")
    if dates.dtype != np.dtype("datetime64[D]") or dates.ndim != 1:
        raise ValueError(f"dates must be one axis of datetime64[D], not {dates.dtype}")
    if np.isnat(dates).any() or not (np.diff(day_numbers(dates)) > 0).all():
        raise ValueError("dates must be strictly ascending")
    shape = (dates.size, len(symbols), 5)
    if bars.dtype != np.float64 or bars.shape != shape or not bars.flags.c_contiguous:
        raise ValueError(f"bars must be float64 of shape {shape} in C order, not {bars.shape}")


def check_bars(bars: Float64Array) -> None:
    """Check that every bar (n_days, n_symbols, 5) is complete or absent, and every day has one.

    Raises:
        ValueError: a bar or day breaks this.
    """
    days_at_a_time = max(1, CHECKED_NUMBERS // max(1, bars.shape[1] * bars.shape[2]))
    for first in range(0, bars.shape[0], days_at_a_time):
        _check_some_bars(bars[first : first + days_at_a_time])


def check_dividends(dividends: Float64Array, bars: Float64Array) -> None:
    """Check that there is an amount for each bar.

    Raises:
        ValueError: one is missing, negative or not finite.
    """
    if dividends.shape != bars.shape[:2] or not ((dividends >= 0) & (dividends < np.inf)).all():
        raise ValueError(f"dividends must be finite, at least zero and of shape {bars.shape[:2]}")


def _check_some_bars(bars: Float64Array) -> None:
    present = bars_present(bars)
    if not np.isnan(bars[~present]).all():
        raise ValueError("a bar must have four finite prices above zero, or five NaN")
    volume = bars[..., VOLUME]
    if (volume < 0).any() or np.isinf(volume).any():
        raise ValueError("a volume must be NaN or finite and at least zero")
    if not present.any(axis=1).all():
        raise ValueError("every day must have a bar of some symbol")


def bars_present(bars: Float64Array) -> BoolArray:
    """Which of the bars (…, 5) have four finite prices above zero, by the last axis."""
    # Volumes are compared too, although they do not matter: strided comparison is far slower.
    good = (bars > 0) & (bars < np.inf)
    present: BoolArray = good[..., OPEN] & good[..., HIGH]
    present &= good[..., LOW]
    present &= good[..., CLOSE]
    return present
