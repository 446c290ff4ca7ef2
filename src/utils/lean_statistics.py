"""Statistics as QuantConnect's LEAN defines them, so that its figures and ours can be laid side by side.

Unlike our own metrics these are samples of calendar days annualised by 252 trading days, years of 365 days, and 0 where
a figure is not defined.

Source:
    github.com/QuantConnect/Lean, Common/Statistics: PortfolioStatistics, Statistics, StatisticsBuilder and
    TradeStatistics; Common/Securities/SecurityPortfolioModel for the profit of a closing fill.
"""

import math
from dataclasses import dataclass
from itertools import groupby
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from src.utils.benchmark_stats import known_days
from src.utils.return_stats import DailyReturns, Float64Array, Undefined, excess_kurtosis, skewness
from src.utils.round_trips import RoundTrips

TRADING_DAYS = 252
DAYS_OF_YEAR = 365.0

FillColumns = tuple[npt.NDArray[np.integer], Float64Array, Float64Array, Float64Array]
"""Symbol, signed shares, price and fee of each order."""


@dataclass(frozen=True)
class Account:
    """A run's equity.

    Attributes:
        dates: (n_days,) datetime64[D], ascending.
        equity: (n_days,) at the end of each day, in account currency.
        benchmark: (n_days,) on the same days; NaN where it is not known; None without one.
    """

    dates: npt.NDArray[np.datetime64]
    equity: Float64Array
    starting_equity: float
    benchmark: Float64Array | None


@np.errstate(all="ignore")  # what is too large becomes 0 below
def lean_statistics(
    account: Account, fills: FillColumns, trades: RoundTrips | None, risk_free_rate: float
) -> dict[str, Any]:
    """Every statistic by name; rates are fractions.

    Equity is sampled at midnight after each calendar day from the first to the last date, so a weekend is two samples
    without a change; the first day's return is dropped, as LEAN drops it.

    Args:
        trades: round trips; None if they are not known, then `trade_statistics` is None.
        risk_free_rate: the yearly fraction of the run. LEAN takes the mean of its own table instead.
    """
    samples = _samples(account.dates, account.equity)
    returns = _returns(samples, account.starting_equity)[1:]
    benchmark = _benchmark_returns(account, account.benchmark)[1:]
    numbers = {
        **_of_returns(returns, benchmark, risk_free_rate),
        **_of_equity(samples, account.starting_equity),
        **_of_fills(fills, account.starting_equity),
    }
    return {
        **{name: _finite(value) for name, value in numbers.items()},
        "trade_statistics": None if trades is None else _of_trades(trades.chosen(trades.is_closed), account.dates),
    }


def _samples(dates: npt.NDArray[np.datetime64], values: Float64Array) -> Float64Array:
    """The value at the end of every calendar day from the first date to the last; a day without one keeps the last."""
    days = np.arange(dates[0], dates[-1] + np.timedelta64(1, "D"))
    sampled: Float64Array = values[np.searchsorted(dates, days, side="right") - 1]
    return sampled


def _returns(samples: Float64Array, first: float) -> Float64Array:
    before = np.concatenate(([first], samples[:-1]))
    return np.divide(samples - before, before, out=np.zeros_like(samples), where=before != 0.0)


def _benchmark_returns(account: Account, benchmark: Float64Array | None) -> Float64Array:
    """Of every calendar day; 0 where the benchmark is not known."""
    if benchmark is None:
        return np.zeros(len(_samples(account.dates, account.equity)))
    days, filled = known_days(benchmark), benchmark.copy()
    filled[: days.start], filled[days.stop :] = filled[days.start], filled[days.stop - 1]
    return _returns(_samples(account.dates, filled), account.starting_equity)


def _of_returns(returns: Float64Array, benchmark: Float64Array, risk_free_rate: float) -> dict[str, float]:
    if len(returns) < 2:
        names = ("annual_variance", "annual_standard_deviation", "sharpe_ratio", "sortino_ratio", "beta", "alpha")
        more = ("tracking_error", "information_ratio", "treynor_ratio", "probabilistic_sharpe_ratio")
        return dict.fromkeys((*names, *more, "value_at_risk_99", "value_at_risk_95"), 0.0)
    variance = _variance(returns) * TRADING_DAYS
    deviation, downside = math.sqrt(variance), math.sqrt(_variance(returns[returns < 0.0]) * TRADING_DAYS)
    yearly, of_benchmark = _annual_performance(returns), _annual_performance(benchmark)
    spread = _variance(benchmark)
    slope = _ratio(float(np.cov(returns, benchmark)[0, 1]), spread)
    error = math.sqrt(_variance(returns - benchmark) * TRADING_DAYS)
    excess = yearly - risk_free_rate
    return {
        "annual_variance": variance,
        "annual_standard_deviation": deviation,
        "sharpe_ratio": _ratio(excess, deviation),
        "sortino_ratio": _ratio(excess, downside),
        "beta": slope,
        "alpha": excess - slope * (of_benchmark - risk_free_rate) if slope else 0.0,
        "tracking_error": error,
        "information_ratio": _ratio(yearly - of_benchmark, error),
        "treynor_ratio": _ratio(excess, slope),
        "probabilistic_sharpe_ratio": _probabilistic_sharpe(returns),
        "value_at_risk_99": _value_at_risk(returns, 0.99),
        "value_at_risk_95": _value_at_risk(returns, 0.95),
    }


def _annual_performance(returns: Float64Array) -> float:
    """The mean daily return compounded over 252 days."""
    return _power(float(returns.mean()) + 1.0, TRADING_DAYS) - 1.0


def _probabilistic_sharpe(returns: Float64Array) -> float:
    """Against a yearly ratio of one. LEAN puts the bias-corrected kurtosis above the normal one into the formula."""
    sharpe = _ratio(float(returns.mean()), math.sqrt(_variance(returns)))
    try:
        shape = skewness(DailyReturns(returns)), excess_kurtosis(DailyReturns(returns))
    except Undefined:
        return 0.0
    variance = (1.0 - shape[0] * sharpe + (shape[1] - 1.0) / 4.0 * sharpe**2) / (len(returns) - 1)
    if variance < 0.0:
        return 0.0
    return NormalDist().cdf(_ratio(sharpe - 1.0 / math.sqrt(TRADING_DAYS), math.sqrt(variance)))


def _value_at_risk(returns: Float64Array, confidence: float) -> float:
    """Of one day, from the normal distribution of the last 252 samples, rounded to three places as LEAN rounds it."""
    last = returns[-TRADING_DAYS:]
    deviation = math.sqrt(_variance(last))
    mean = float(last.mean())
    return round(NormalDist(mean, deviation).inv_cdf(1.0 - confidence) if deviation else mean, 3)


def _of_equity(samples: Float64Array, starting_equity: float) -> dict[str, float]:
    values = np.concatenate(([starting_equity], samples))
    peaks = np.maximum.accumulate(values)
    growth, years = float(samples[-1]) / starting_equity, len(samples) / DAYS_OF_YEAR
    return {
        "start_equity": starting_equity,
        "end_equity": float(samples[-1]),
        "total_net_profit": growth - 1.0,
        "compounding_annual_return": _power(growth, 1.0 / years) - 1.0 if growth >= 0.0 else 0.0,
        # LEAN rounds it to three places.
        "drawdown": round(abs(float((values / peaks - 1.0).min())), 3),
    }


def _of_fills(fills: FillColumns, starting_equity: float) -> dict[str, float]:
    """Of each closing fill against the average price, less its fee twice, over the capital made of those before."""
    wins: list[float] = []
    losses: list[float] = []
    capital = starting_equity
    for profit in _closing_profits(fills):
        (wins if profit > 0.0 else losses).append(_ratio(profit, capital))
        capital += profit
    n_trades = len(wins) + len(losses)
    average_win, average_loss = _ratio(sum(wins), len(wins)), _ratio(sum(losses), len(losses))
    ratio = _ratio(average_win, abs(average_loss))
    win_rate, loss_rate = _ratio(len(wins), n_trades), _ratio(len(losses), n_trades)
    return {
        "average_win_rate": average_win,
        "average_loss_rate": average_loss,
        "profit_loss_ratio": ratio,
        "win_rate": win_rate,
        "loss_rate": loss_rate,
        "expectancy": win_rate * ratio - loss_rate,
    }


def _closing_profits(fills: FillColumns) -> list[float]:
    held: dict[int, float] = {}
    average: dict[int, float] = {}
    profits = []
    for symbol, shares, price, fee in zip(*(column.tolist() for column in fills), strict=True):
        before = held.get(symbol, 0.0)
        after = before + shares
        if abs(after) <= 1e-9 * abs(shares):
            after = 0.0
        if before * shares < 0.0:
            closed = min(abs(shares), abs(before))
            profits.append(math.copysign(closed, before) * (price - average[symbol]) - 2.0 * fee)
            if after * before < 0.0:
                average[symbol] = price
        else:
            average[symbol] = (before * average.get(symbol, 0.0) + shares * price) / after
        held[symbol] = after
    return profits


def _of_trades(trades: RoundTrips, dates: npt.NDArray[np.datetime64]) -> dict[str, float]:
    """Of closed round trips in order of their exits; profits are before fees, as LEAN counts them."""
    profits = trades.shares * (trades.exit_price - trades.entry_price)
    wins, losses = profits[profits > 0.0], profits[~(profits > 0.0)]
    average, win_rate = _mean(profits), _ratio(len(wins), len(profits))
    deviation, downside = math.sqrt(_variance(profits)), math.sqrt(_variance(losses))
    earned = np.concatenate(([0.0], np.cumsum(profits)))
    fall = float((earned - np.maximum.accumulate(earned)).min())
    adverse, favourable = trades.mae_close * trades.cost, trades.mfe_close * trades.cost
    held = (dates[trades.exit_day] - dates[trades.entry_day]).astype("timedelta64[D]").astype(np.float64)
    total, gained, lost = float(profits.sum()), float(wins.sum()), float(losses.sum())
    return {
        "total_number_of_trades": len(profits),
        "number_of_winning_trades": len(wins),
        "number_of_losing_trades": len(losses),
        "total_profit_loss": total,
        "total_profit": gained,
        "total_loss": lost,
        "largest_profit": float(wins.max(initial=0.0)),
        "largest_loss": float(losses.min(initial=0.0)),
        "average_profit_loss": average,
        "average_profit": _mean(wins),
        "average_loss": _mean(losses),
        "average_trade_duration_days": _mean(held),
        "median_trade_duration_days": float(np.median(held)) if len(held) else 0.0,
        "max_consecutive_winning_trades": _longest(profits > 0.0, True),
        "max_consecutive_losing_trades": _longest(profits > 0.0, False),
        "profit_loss_ratio": _ratio(_mean(wins), abs(_mean(losses))),
        "win_loss_ratio": _or_ten(len(wins), len(losses)) if len(profits) else 0.0,
        "win_rate": win_rate,
        "loss_rate": 1.0 - win_rate if len(profits) else 0.0,
        "average_mae": _mean(adverse),
        "average_mfe": _mean(favourable),
        "largest_mae": float(adverse.min(initial=0.0)),
        "largest_mfe": float(favourable.max(initial=0.0)),
        "maximum_closed_trade_drawdown": fall,
        "profit_loss_standard_deviation": deviation,
        "profit_loss_downside_deviation": downside,
        "profit_factor": _or_ten(gained, -lost) if gained else 0.0,
        "sharpe_ratio": _ratio(average, deviation),
        "sortino_ratio": _ratio(average, downside),
        "profit_to_max_drawdown_ratio": _or_ten(total, -fall) if total else 0.0,
        "total_fees": float(trades.fees.sum()),
    }


def _longest(outcomes: npt.NDArray[np.bool_], wanted: bool) -> int:
    return max((len(list(run)) for is_win, run in groupby(outcomes.tolist()) if is_win is wanted), default=0)


def _variance(values: Float64Array) -> float:
    return float(np.var(values, ddof=1)) if len(values) > 1 else 0.0


def _mean(values: Float64Array) -> float:
    return float(values.mean()) if len(values) else 0.0


def _or_ten(value: float, of: float) -> float:
    """LEAN's stand-in for a ratio to nothing."""
    return value / of if of > 0.0 else 10.0


def _power(base: float, exponent: float) -> float:
    """One where it is too large, so that a rate made of it is 0."""
    try:
        return float(base**exponent)
    except OverflowError:
        return 1.0


def _ratio(value: float, of: float) -> float:
    return _finite(value / of) if of else 0.0


def _finite(value: float) -> float:
    return value if math.isfinite(value) else 0.0
