"""Statistics of daily returns: growth, risk, and return per unit of risk.

Every function either returns a finite float or raises `Undefined`. Only sums, products and square roots run over
arrays: NumPy's vectorised exp, log and power differ in the last bit between processors, and the answer must not.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

Float64Array = npt.NDArray[np.float64]

NEGLIGIBLE = 1e-12
"""Relative size below which a difference between two daily values is rounding, not an event."""

MINIMUM_RETURNS = 4
"""Fewer daily returns than this have no statistics (the bias-corrected kurtosis needs four)."""

TOO_LARGE = "daily returns are too large for a finite answer"


class Undefined(ValueError):
    """The formula is undefined for these numbers; the message is a clause that says why."""


def simple_returns(values: Float64Array, initial_value: float) -> Float64Array:
    """Daily simple returns, the first counted from `initial_value`.

    Args:
        values: (n_days,) value at the end of each day; the last may be zero, the others not.

    Raises:
        Undefined: the value reached zero before the last day, so the next return has no base.
    """
    previous = np.concatenate(([initial_value], values[:-1]))
    if not (previous > 0.0).all():
        raise Undefined("equity reached zero, after which daily returns have no base")
    returns: Float64Array = values / previous - 1.0
    if not np.isfinite(returns).all():
        raise Undefined(TOO_LARGE)
    return returns


def annualized_return(values: Float64Array, initial_value: float, dates: npt.NDArray[np.datetime64]) -> float:
    """Constant yearly rate that turns `initial_value` into the last value (CAGR), a fraction.

    Time counts from the first date: nothing can be held before that day's close, so the initial value is
    the value at which prices begin to matter. A year has 365.25 calendar days.

    Args:
        dates: (n_days,) datetime64[D], ascending, one per value.

    Raises:
        Undefined: fewer than four values, a value below zero at the end, or a rate too large for a float.
    """
    if len(values) < MINIMUM_RETURNS:
        raise Undefined(f"needs at least {MINIMUM_RETURNS} days, has {len(values)}")
    growth = float(values[-1]) / initial_value
    if growth < 0.0:
        raise Undefined("equity ended below zero")
    calendar_days = int((dates[-1] - dates[0]) / np.timedelta64(1, "D"))
    try:
        return float(growth ** (365.25 / calendar_days)) - 1.0
    except OverflowError:
        raise Undefined(TOO_LARGE) from None


def daily_rate(annual_rate: float, periods_per_year: int) -> float:
    """The daily rate that compounds to `annual_rate` (a fraction above -1) in a year."""
    return float((1.0 + annual_rate) ** (1.0 / periods_per_year) - 1.0)


def mean(values: Float64Array) -> float:
    """Arithmetic mean.

    Raises:
        Undefined: it is too large for a float.
    """
    average = float(values.mean())
    if not math.isfinite(average):
        raise Undefined(TOO_LARGE)
    return average


@dataclass(frozen=True)
class DailyReturns:
    """One simple return per day, (n_days,), with the values that several statistics share.

    Each raises Undefined where a day's return is too large for a finite answer.
    """

    values: Float64Array

    def __len__(self) -> int:
        return len(self.values)

    @cached_property
    def mean(self) -> float:
        """Arithmetic mean."""
        return mean(self.values)

    @cached_property
    def dispersion(self) -> float:
        """Sample standard deviation (ddof 1); exactly 0.0 where only rounding sets the values apart.

        Raises:
            Undefined: fewer than four values.
        """
        if len(self) < MINIMUM_RETURNS:
            raise Undefined(f"needs at least {MINIMUM_RETURNS} daily returns, has {len(self)}")
        deviation = float(np.std(self.values, ddof=1))
        if not math.isfinite(deviation):
            raise Undefined(TOO_LARGE)
        return 0.0 if deviation <= NEGLIGIBLE * max(1.0, float(np.abs(self.values).max())) else deviation

    @cached_property
    def quantiles(self) -> tuple[float, float]:
        """The 5 % and the 95 % quantile, linearly interpolated."""
        low, high = np.percentile(self.values, (5, 95)).tolist()
        return low, high

    @cached_property
    def standardised_moments(self) -> tuple[float, float]:
        """Third and fourth central moments over the population variance's power (raw, not bias-corrected)."""
        require_dispersion(self)
        centred = self.values - self.mean
        centred -= mean(centred)  # removes the rounding error of the mean
        squared = centred * centred
        variance = mean(squared)
        return mean(squared * centred) / variance**1.5, mean(squared * squared) / variance**2


def require_dispersion(returns: DailyReturns, what: str = "daily returns") -> float:
    """Their dispersion, for a ratio that needs it above zero.

    Raises:
        Undefined: fewer than four values, or values that do not vary.
    """
    if returns.dispersion == 0.0:  # exact: rounding noise has already been snapped to zero
        raise Undefined(f"{what} do not vary")
    return returns.dispersion


def annual_volatility(returns: DailyReturns, periods_per_year: int) -> float:
    """Yearly standard deviation of daily returns; 0.0 when they do not vary."""
    return returns.dispersion * math.sqrt(periods_per_year)


def sharpe_ratio(excess: DailyReturns, periods_per_year: int) -> float:
    """Yearly Sharpe ratio of returns in excess of the risk-free rate (Sharpe 1994)."""
    return excess.mean / require_dispersion(excess) * math.sqrt(periods_per_year)


def sortino_ratio(excess: DailyReturns, periods_per_year: int) -> float:
    """Yearly mean excess return over yearly downside deviation; every day counts in the deviation."""
    require_dispersion(excess)
    below = np.minimum(excess.values, 0.0)
    downside = math.sqrt(mean(below * below))
    if downside <= NEGLIGIBLE:
        raise Undefined("no day returned less than the risk-free rate")
    return excess.mean * math.sqrt(periods_per_year) / downside


def omega_ratio(excess: DailyReturns) -> float:
    """Sum of the days above the risk-free rate over the sum of those below (Keating, Shadwick 2002)."""
    require_dispersion(excess)
    losses = float(np.maximum(-excess.values, 0.0).sum())
    if losses <= NEGLIGIBLE:
        raise Undefined("no day returned less than the risk-free rate")
    return float(np.maximum(excess.values, 0.0).sum()) / losses


def value_at_risk(returns: DailyReturns) -> float:
    """Historical 5 % quantile of daily returns, linearly interpolated; a loss is negative."""
    _ = returns.dispersion  # raises if there are too few
    return returns.quantiles[0]


def conditional_value_at_risk(returns: DailyReturns) -> float:
    """Mean of the daily returns at or below the 5 % quantile; a loss is negative."""
    _ = returns.dispersion  # raises if there are too few
    n_tail = (len(returns) - 1) // 20 + 1
    return mean(np.sort(returns.values)[:n_tail])


def tail_ratio(returns: DailyReturns) -> float:
    """Size of the 95 % quantile over the size of the 5 % quantile of daily returns."""
    require_dispersion(returns)
    low, high = map(abs, returns.quantiles)
    if low <= NEGLIGIBLE:
        raise Undefined("the 5 % quantile of daily returns is zero")
    return high / low


def positive_day_rate(returns: DailyReturns) -> float:
    """Share of days with a gain that is more than rounding."""
    return float(np.count_nonzero(returns.values > NEGLIGIBLE) / len(returns))


def skewness(returns: DailyReturns) -> float:
    """Bias-corrected skewness (adjusted Fisher-Pearson, G1 of Joanes and Gill 1998)."""
    n = len(returns)
    skew, _ = returns.standardised_moments
    return skew * math.sqrt(n * (n - 1)) / (n - 2)


def excess_kurtosis(returns: DailyReturns) -> float:
    """Bias-corrected kurtosis less three (G2 of Joanes and Gill 1998): 0 for a normal distribution."""
    n = len(returns)
    _, kurtosis = returns.standardised_moments
    return (n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * (kurtosis - 3.0) + 6.0)


def probabilistic_sharpe_ratio(returns: DailyReturns, excess: DailyReturns, benchmark_sharpe: float) -> float:
    """Probability that the true Sharpe ratio exceeds `benchmark_sharpe`.

    Args:
        benchmark_sharpe: Sharpe ratio per day, not per year.

    Source:
        Bailey and López de Prado (2012), The Sharpe Ratio Efficient Frontier, with raw kurtosis.
    """
    sharpe = excess.mean / require_dispersion(excess)
    skew, kurtosis = returns.standardised_moments
    variance = 1.0 - skew * sharpe + (kurtosis - 1.0) / 4.0 * sharpe * sharpe
    if not variance > 0.0:
        raise Undefined("the variance of the estimated Sharpe ratio is not positive")
    z = (sharpe - benchmark_sharpe) * math.sqrt(len(returns) - 1) / math.sqrt(variance)
    return 0.5 * math.erfc(-z / math.sqrt(2.0))
