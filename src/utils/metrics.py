"""All metrics of one run in one call: a finite number for each name, or None and the reason."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from src.utils import benchmark_stats, break_even, drawdown, return_stats, trade_stats
from src.utils.return_stats import TOO_LARGE, DailyReturns, Float64Array, Undefined
from src.utils.trade_stats import ClosedTrades, TradeColumns

DateArray = npt.NDArray[np.datetime64]


@dataclass(frozen=True)
class Metrics:
    """The result of `measure`.

    Attributes:
        values: every metric by name, always the same names in the same order. Rates are fractions,
            durations are days of the timeline, break_even_cost_bps is in basis points.
        undefined: for each None in `values`, a clause that says why.
    """

    values: dict[str, float | int | None]
    undefined: dict[str, str]


def measure(
    equity: Float64Array,
    initial_capital: float,
    dates: DateArray,
    *,
    periods_per_year: int,
    annual_risk_free_rate: float = 0.0,
    benchmark_equity: Float64Array | None = None,
    trades: TradeColumns | None = None,
    position_value: Float64Array | None = None,
    gross_value: Float64Array | None = None,
) -> Metrics:
    """Measure one run. Short, odd and ruinous runs give None with a reason, never NaN or an exception.

    Args:
        equity: (n_days,) account value at the end of each day, at least one day.
        initial_capital: account value before the first day, above zero. The first daily return is
            equity[0] ÷ initial_capital − 1.
        dates: (n_days,) datetime64[D], ascending.
        periods_per_year: how many days of this timeline make a year (see trading_year).
        annual_risk_free_rate: a fraction above −1.
        benchmark_equity: (n_days,) the benchmark on the same days, in the same currency as equity; its first return
            counts from initial_capital too (see benchmark_stats). NaN before it begins and after it ends; metrics
            against it then cover the days on which both have a return.
        trades: the filled orders, if known.
        position_value: (n_days,) value of all positions at each close, if known.
        gross_value: the same with shorts counted as positive; None where there are none.

    Raises:
        ValueError: arrays of different lengths, empty or not finite; capital or rate out of range.
    """
    run = _Run(
        equity,
        initial_capital,
        dates,
        periods_per_year,
        annual_risk_free_rate,
        benchmark_equity,
        trades,
        position_value,
        position_value if gross_value is None else gross_value,
    )
    run.check()
    values: dict[str, float | int | None] = {}
    undefined: dict[str, str] = {}
    with np.errstate(all="ignore"):  # overflows are reported as undefined below
        for name, formula in _FORMULAS.items():
            try:
                values[name] = _finite(formula(run))
            except Undefined as reason:
                values[name], undefined[name] = None, str(reason)
    values |= {"periods_per_year": periods_per_year, "risk_free_rate": annual_risk_free_rate}
    return Metrics(values, undefined)


@dataclass(frozen=True)
class _Run:
    """The inputs of `measure`, and values shared by several formulas."""

    equity: Float64Array
    initial_capital: float
    dates: DateArray
    periods: int
    annual_risk_free_rate: float
    benchmark: Float64Array | None
    orders: TradeColumns | None
    positions: Float64Array | None
    invested: Float64Array | None

    def check(self) -> None:
        if not (self.initial_capital > 0.0 and math.isfinite(self.initial_capital)):
            raise ValueError(f"initial capital must be finite and above zero, not {self.initial_capital}")
        if not (self.annual_risk_free_rate > -1.0 and math.isfinite(self.annual_risk_free_rate)):
            raise ValueError(f"risk-free rate must be finite and above -1, not {self.annual_risk_free_rate}")
        for name, column in (("equity", self.equity), ("position value", self.positions)):
            if column is not None and not (column.shape == self.dates.shape and np.isfinite(column).all()):
                raise ValueError(f"{name} must be finite, one value per date")
        if self.benchmark is not None:
            self._check_benchmark(self.benchmark)
        if self.dates.ndim != 1 or not len(self.dates):
            raise ValueError("at least one date is needed")

    def _check_benchmark(self, benchmark: Float64Array) -> None:
        known = np.flatnonzero(np.isfinite(benchmark))
        is_whole = known.size > 0 and known[-1] - known[0] + 1 == known.size and not np.isinf(benchmark).any()
        if benchmark.shape != self.dates.shape or not is_whole:
            raise ValueError("benchmark must be finite without a gap, one value per date")
        if not (benchmark[known] > 0.0).all():
            raise ValueError("the benchmark must be above zero")

    @cached_property
    def returns(self) -> DailyReturns:
        return DailyReturns(return_stats.simple_returns(self.equity, self.initial_capital))

    @cached_property
    def daily_risk_free(self) -> float:
        return return_stats.daily_rate(self.annual_risk_free_rate, self.periods)

    @cached_property
    def excess(self) -> DailyReturns:
        return DailyReturns(self.returns.values - self.daily_risk_free)

    @property
    def known_benchmark(self) -> Float64Array:
        if self.benchmark is None:
            raise Undefined("no benchmark")
        return self.benchmark

    @cached_property
    def benchmark_days(self) -> slice:
        """The days on which the benchmark has a return; one that begins after the run has none on its first day."""
        known = np.flatnonzero(np.isfinite(self.known_benchmark))
        return slice(int(known[0]) + 1 if known[0] else 0, int(known[-1]) + 1)

    @cached_property
    def benchmark_returns(self) -> Float64Array:
        days = self.benchmark_days
        before = float(self.known_benchmark[days.start - 1]) if days.start else self.initial_capital
        return return_stats.simple_returns(self.known_benchmark[days], before)

    @cached_property
    def benchmark_excess(self) -> DailyReturns:
        return DailyReturns(self.benchmark_returns - self.daily_risk_free)

    @cached_property
    def common_excess(self) -> DailyReturns:
        return DailyReturns(self.excess.values[self.benchmark_days])

    @cached_property
    def beta(self) -> float:
        return benchmark_stats.beta(self.common_excess, self.benchmark_excess)

    @cached_property
    def active(self) -> DailyReturns:
        return DailyReturns(self.returns.values[self.benchmark_days] - self.benchmark_returns)

    @cached_property
    def depths(self) -> Float64Array:
        return drawdown.drawdowns(self.equity, self.initial_capital)

    @property
    def trades(self) -> TradeColumns:
        if self.orders is None:
            raise Undefined("the orders are not known")
        return self.orders

    @cached_property
    def closed(self) -> ClosedTrades:
        return trade_stats.close_trades(self.trades)

    @property
    def position_value(self) -> Float64Array:
        if self.positions is None:
            raise Undefined("the positions are not known")
        return self.positions

    @property
    def gross_value(self) -> Float64Array:
        if self.invested is None:
            raise Undefined("the positions are not known")
        return self.invested

    @cached_property
    def annualized_return(self) -> float:
        return return_stats.annualized_return(self.equity, self.initial_capital, self.dates)


def _finite(value: float) -> float | int:
    if not math.isfinite(value):
        raise Undefined(TOO_LARGE)
    return value


_FORMULAS: dict[str, Callable[[_Run], float | int]] = {
    "total_return": lambda run: float(run.equity[-1] / run.initial_capital - 1.0),
    "annualized_return": lambda run: run.annualized_return,
    "annual_volatility": lambda run: return_stats.annual_volatility(run.returns, run.periods),
    "sharpe_ratio": lambda run: return_stats.sharpe_ratio(run.excess, run.periods),
    "sortino": lambda run: return_stats.sortino_ratio(run.excess, run.periods),
    "calmar": lambda run: drawdown.calmar_ratio(run.annualized_return, run.depths),
    "omega": lambda run: return_stats.omega_ratio(run.excess),
    "max_drawdown": lambda run: drawdown.max_drawdown(run.depths),
    "max_drawdown_duration": lambda run: drawdown.max_drawdown_duration(run.depths),
    "var_95": lambda run: return_stats.value_at_risk(run.returns),
    "cvar_95": lambda run: return_stats.conditional_value_at_risk(run.returns),
    "skew": lambda run: return_stats.skewness(run.returns),
    "excess_kurtosis": lambda run: return_stats.excess_kurtosis(run.returns),
    "tail_ratio": lambda run: return_stats.tail_ratio(run.returns),
    "ulcer_index": lambda run: drawdown.ulcer_index(run.depths),
    "beta": lambda run: run.beta,
    "alpha": lambda run: benchmark_stats.jensen_alpha(run.common_excess, run.benchmark_excess, run.beta, run.periods),
    "information_ratio": lambda run: benchmark_stats.information_ratio(run.active, run.periods),
    "tracking_error": lambda run: return_stats.annual_volatility(run.active, run.periods),
    "treynor": lambda run: benchmark_stats.treynor_ratio(run.common_excess, run.beta, run.periods),
    "psr": lambda run: return_stats.probabilistic_sharpe_ratio(run.returns, run.excess, 1.0 / math.sqrt(run.periods)),
    "psr_zero": lambda run: return_stats.probabilistic_sharpe_ratio(run.returns, run.excess, 0.0),
    "win_rate": lambda run: trade_stats.win_rate(run.closed),
    "loss_rate": lambda run: trade_stats.loss_rate(run.closed),
    "avg_win": lambda run: trade_stats.average_win(run.closed),
    "avg_loss": lambda run: trade_stats.average_loss(run.closed),
    "profit_factor": lambda run: trade_stats.profit_factor(run.closed),
    "expectancy": lambda run: trade_stats.expectancy(run.closed),
    "profit_loss_ratio": lambda run: trade_stats.profit_loss_ratio(run.closed),
    "turnover": lambda run: trade_stats.turnover(run.trades, run.equity, run.periods),
    "exposure": lambda run: trade_stats.exposure(run.gross_value, run.equity),
    "total_orders": lambda run: len(run.trades.day),
    "closed_trades": lambda run: len(run.closed.pnl),
    "best_day": lambda run: float(run.returns.values.max()),
    "worst_day": lambda run: float(run.returns.values.min()),
    "positive_day_rate": lambda run: return_stats.positive_day_rate(run.returns),
    "break_even_cost_bps": lambda run: break_even.break_even_cost_bps(
        run.trades, run.equity, run.initial_capital, run.position_value
    ),
}
"""One formula per metric, in display order."""
