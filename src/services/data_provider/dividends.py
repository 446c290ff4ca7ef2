"""Dividends as cash, for prices that are adjusted for splits alone."""

import numpy as np

from src.errors import NoPrices
from src.services.data_provider.arrays import CLOSE, Dates, Float64Array
from src.services.data_provider.base import SuspectBar
from src.services.data_provider.history import ADJ_CLOSE, CAPITAL_GAIN, DIVIDEND, History

MINIMUM_STEP = 1e-4
"""Relative. A smaller step of the adjustment is rounding: adjusted closes have six or seven digits (decades of
Yahoo's files have steps of at most 3e-5), and the smallest dividends of funds are three times as large."""

UNEXPLAINED_STEP = 1e-3
"""Relative to the price. Maximum difference between a dividend and the step of the adjustment on its day."""


def implied_dividends(symbol: str, closes: Float64Array, adjusted_closes: Float64Array) -> Float64Array:
    """Cash per share on each ex-date, from the steps between a close and its adjusted close.

    adjusted ÷ close is multiplied by 1 − dividend ÷ close of the day before on every day before the ex-date
    (Source: Yahoo Finance help, "What is the adjusted close?", after CRSP). An adjustment for a spin-off counts as
    paid in cash too.

    Args:
        closes, adjusted_closes: (n_days,) of consecutive days, adjusted for splits and for splits and dividends; NaN
            on days without one.

    Returns:
        (n_days,) account currency per share, 0.0 on all other days.

    Raises:
        NoPrices: the adjusted closes are rounded too coarsely to tell dividends from rounding.
    """
    paid = np.zeros(closes.size)
    known = np.flatnonzero(np.isfinite(closes) & np.isfinite(adjusted_closes) & (closes > 0) & (adjusted_closes > 0))
    factors = adjusted_closes[known] / closes[known]
    steps = 1.0 - factors[:-1] / factors[1:]
    if (steps < -MINIMUM_STEP).any():
        raise NoPrices(
            [
                f"No dividends of '{symbol}': its adjusted closes are rounded too coarsely to find them. Give the file "
                "a column 'Dividends', or leave price_adjustment at 'dividends_and_splits'."
            ]
        )
    paid[known[1:]] = np.where(steps > MINIMUM_STEP, closes[known[:-1]] * steps, 0.0)
    return paid


def distributions(history: History) -> tuple[Float64Array, tuple[SuspectBar, ...]]:
    """Cash per share on each ex-date as the source reports it: dividends, and the capital gains of funds.

    Some sources also include a capital gain in that day's dividend; the step of the adjusted close then decides
    which of the two applies.

    Returns:
        (n_days,) account currency per share, and a note for each day on which the adjusted close disagrees.
    """
    rows = np.nan_to_num(history.rows[:, [DIVIDEND, CAPITAL_GAIN]])
    dividend, both = rows[:, 0], rows.sum(axis=1)
    closes, implied = history.rows[:, CLOSE], np.zeros(history.dates.size)
    with np.errstate(all="ignore"):  # days without prices give NaN, which no comparison counts
        factors = history.rows[:, ADJ_CLOSE] / closes
        implied[1:] = closes[:-1] * (1.0 - factors[:-1] / factors[1:])
        paid = np.where(np.abs(dividend - implied) < np.abs(both - implied), dividend, both)
        is_odd = np.zeros(paid.size, dtype=np.bool_)
        is_odd[1:] = np.abs(paid - implied)[1:] > UNEXPLAINED_STEP * closes[:-1]
    notes = tuple(
        SuspectBar(
            history.symbol,
            history.dates[row].item(),
            f"the adjusted close implies a dividend of {implied[row]:.4g} per share, but the source reports "
            f"{paid[row]:.4g}, which is paid",
        )
        for row in np.flatnonzero(is_odd)
    )
    return paid, notes


def on_days(days: Dates, ex_dates: Dates, amounts: Float64Array) -> Float64Array:
    """(n_days,) cash paid on each day; an ex-date that is not among the days moves to the next one.

    Args:
        days: strictly ascending.
        ex_dates, amounts: (n_dividends,) in any order; an amount of 0.0 is no dividend.
    """
    paid = np.zeros(days.size)
    is_paid = amounts > 0
    places = np.searchsorted(days, ex_dates[is_paid])
    is_known = places < days.size
    np.add.at(paid, places[is_known], amounts[is_paid][is_known])
    return paid
