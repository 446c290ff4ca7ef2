"""Returns by calendar month and year, as performance tables show them."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from src.utils.return_stats import Float64Array

DateArray = npt.NDArray[np.datetime64]


@dataclass(frozen=True)
class YearOfReturns:
    """One row of the table.

    Attributes:
        year: such as 2015.
        months: twelve simple returns, January first; None where the run has no day in the month.
        total: the year's simple return, from the later start to the earlier end of year and run.
            None where equity was at or below zero before, so that a return has no base.
    """

    year: int
    months: tuple[float | None, ...]
    total: float | None


def yearly_table(equity: Float64Array, initial_capital: float, dates: DateArray) -> list[YearOfReturns]:
    """The run's calendar years, ascending, each with its months.

    The return of a month is the last equity of the month over the last equity before the month, minus one; the first
    month counts from the initial capital. So the months of a year compound to its total, and the years to the total
    return. Months cut off by the window count as far as they go.

    Args:
        equity: (n_days,) account value at the end of each day, at least one day.
        initial_capital: account value before the first day, above zero.
        dates: (n_days,) datetime64[D], ascending and unique.
    """
    months, monthly = _period_returns(equity, initial_capital, dates.astype("datetime64[M]"))
    by_month = dict(zip(months, monthly, strict=True))
    years, yearly = _period_returns(equity, initial_capital, dates.astype("datetime64[Y]"))
    return [
        # Both count from January 1970, the one in months and the other in years.
        YearOfReturns(1970 + year, tuple(by_month.get(12 * year + month) for month in range(12)), total)
        for year, total in zip(years, yearly, strict=True)
    ]


def _period_returns(
    equity: Float64Array, initial_capital: float, periods: DateArray
) -> tuple[list[int], list[float | None]]:
    numbers = periods.astype(np.int64)
    is_last = np.concatenate((numbers[1:] != numbers[:-1], [True]))
    last = equity[is_last]
    before = np.concatenate(([initial_capital], last[:-1]))
    has_base = before > 0.0
    returns = np.divide(last, before, out=np.zeros_like(last), where=has_base) - 1.0
    values = [value if known else None for value, known in zip(returns.tolist(), has_base.tolist(), strict=True)]
    return numbers[is_last].tolist(), values
