"""What is computed from a stored result when it is asked for: drawdowns, calendar returns, rolling series, trades."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from src.services.results.exports.equity_table import EquityCurve, equity_curve
from src.services.results.result import Result
from src.utils import rolling as windows
from src.utils import trade_stats
from src.utils.benchmark_stats import known_days
from src.utils.drawdown import worst_drawdowns
from src.utils.lean_statistics import Account, lean_statistics
from src.utils.metrics import measure
from src.utils.monthly_returns import YearOfReturns, yearly_table
from src.utils.return_stats import Float64Array, Undefined, daily_rate
from src.utils.round_trips import RoundTrips
from src.utils.trade_stats import ClosedTrades
from src.utils.trading_year import TRADING_DAYS

WINDOWS = (63, 252)
"""Days of the rolling series: about a quarter and a year of trading days."""

PER_TRADE: dict[str, Callable[[ClosedTrades], float]] = {
    "win_rate": trade_stats.win_rate,
    "loss_rate": trade_stats.loss_rate,
    "avg_win": trade_stats.average_win,
    "avg_loss": trade_stats.average_loss,
    "profit_factor": trade_stats.profit_factor,
    "expectancy": trade_stats.expectancy,
    "profit_loss_ratio": trade_stats.profit_loss_ratio,
}
"""The metrics that are counted per trade."""


def statistics(curve: EquityCurve) -> dict[str, Any]:
    """The parts of a RunStatistics that are computed, as JSON."""
    days = curve.dates.astype(str).tolist()
    periods = worst_drawdowns(curve.close, curve.starting_equity)
    return {
        "drawdown": curve.drawdown.tolist(),
        "drawdown_periods": [
            {
                "depth": period.depth,
                "peak": None if period.peak < 0 else days[period.peak],
                "trough": days[period.trough],
                "recovery": None if period.recovery is None else days[period.recovery],
                "n_days": period.n_days,
            }
            for period in periods
        ],
        "years": [_year(entry) for entry in yearly_table(curve.close, curve.starting_equity, curve.dates)],
    }


def periods(result: Result) -> dict[str, Any]:
    """Returns by year and month of the run and of its benchmark: a PeriodsAnswer as JSON."""
    curve, theirs = equity_curve(result), None
    if curve.benchmark is not None:
        days = known_days(curve.benchmark)
        table = yearly_table(curve.benchmark[days], curve.starting_equity, curve.dates[days])
        theirs = [_year(entry) for entry in table]
    ours = [_year(entry) for entry in yearly_table(curve.close, curve.starting_equity, curve.dates)]
    return {"years": ours, "benchmark_years": theirs}


def _year(entry: YearOfReturns) -> dict[str, Any]:
    return {"year": entry.year, "months": list(entry.months), "total": entry.total}


def benchmark_metrics(result: Result) -> dict[str, Any] | None:
    """The metrics of the benchmark, held from its first close on; None without one.

    Those of orders, and those relative to a benchmark, are undefined.
    """
    curve, metrics = equity_curve(result), result.document["metrics"]
    if curve.benchmark is None:
        return None
    days = known_days(curve.benchmark)
    measured = measure(
        curve.benchmark[days],
        curve.starting_equity,
        curve.dates[days],
        periods_per_year=metrics.get("periods_per_year", TRADING_DAYS),
        annual_risk_free_rate=metrics.get("risk_free_rate") or 0.0,
    )
    reasons = {"no benchmark": "it is the benchmark", "the orders are not known": "a benchmark has no orders"}
    reasons["the positions are not known"] = reasons["the orders are not known"]
    undefined = {name: reasons.get(reason, reason) for name, reason in measured.undefined.items()}
    return {**measured.values, "undefined": undefined}


@np.errstate(all="ignore")  # what is too large becomes null
def rolling(result: Result) -> dict[str, Any]:
    """Statistics over moving windows, one value per candle, and averages by month: a RollingAnswer as JSON."""
    return {"windows": [_window(result, window) for window in WINDOWS], "months": _months(result)}


def _window(result: Result, window: int) -> dict[str, Any]:
    curve, metrics = equity_curve(result), result.document["metrics"]
    per_year = metrics.get("periods_per_year", TRADING_DAYS)
    risk_free = daily_rate(metrics.get("risk_free_rate") or 0.0, per_year)
    returns = _returns(curve.close, curve.starting_equity)
    theirs = (
        np.full(len(returns), np.nan) if curve.benchmark is None else _returns(curve.benchmark, curve.starting_equity)
    )
    sharpe_ratio, volatility = windows.rolling_risk(returns - risk_free, window, per_year)
    series = {
        "sharpe_ratio": sharpe_ratio,
        "volatility": volatility,
        "beta": windows.rolling_beta(returns - risk_free, theirs - risk_free, window),
        "max_drawdown": windows.rolling_drawdown(curve.close, curve.starting_equity, window),
    }
    return {"days": window, **{name: values.tolist() for name, values in series.items()}}


def _returns(values: Float64Array, starting_equity: float) -> Float64Array:
    """Daily returns, NaN where there is none."""
    before = np.concatenate(([starting_equity], values[:-1]))
    growth: Float64Array = np.divide(values, before, out=np.full(len(values), np.nan), where=before > 0.0)
    return growth - 1.0


def _months(result: Result) -> list[dict[str, Any]]:
    dates, orders, equity = result.daily.dates, result.orders, result.daily.candles[:, 3]
    net, gross = _exposures(result)
    traded = np.bincount(orders.day, weights=np.abs(orders.shares) * orders.price, minlength=len(dates))
    turned = 0.5 * np.divide(traded, equity, out=np.full(len(dates), np.nan), where=equity > 0.0)
    months, turnover, _ = windows.monthly(dates, turned)
    columns = (months.astype(str), windows.monthly(dates, net)[2], windows.monthly(dates, gross)[2], turnover)
    names = ("month", "exposure", "gross_exposure", "turnover")
    return [dict(zip(names, row, strict=True)) for row in zip(*(column.tolist() for column in columns), strict=True)]


def _exposures(result: Result) -> tuple[Float64Array, Float64Array]:
    """Net and gross value of positions at each close, as fractions of equity; NaN where equity is lost."""
    daily, orders, equity = result.daily, result.orders, result.daily.candles[:, 3]
    paid = orders.shares * orders.price + orders.fee
    cash = float(result.document["parameters"]["starting_equity"]) - np.cumsum(
        np.bincount(orders.day, weights=paid, minlength=len(equity))
    )
    net = equity - (cash if daily.income is None else cash + np.cumsum(daily.income))
    values = (net, net if daily.gross_value is None else daily.gross_value)
    net, gross = (np.divide(v, equity, out=np.full(len(equity), np.nan), where=equity > 0.0) for v in values)
    return np.where(np.abs(net) > 1e-9, net, 0.0), np.where(np.abs(gross) > 1e-9, gross, 0.0)


def trade_statistics(result: Result) -> dict[str, Any]:
    """Statistics per round trip and per fill: a TradeStatisticsAnswer as JSON."""
    metrics = result.document["metrics"]
    undefined = metrics.get("undefined", {})
    names = ("closed_trades", *PER_TRADE)
    per_fill = {name: metrics.get(name) for name in names}
    per_fill["undefined"] = {name: undefined[name] for name in names if name in undefined}
    return {
        "per_round_trip": None if result.trades is None else _per_round_trip(result.trades),
        "per_fill": per_fill,
    }


def _per_round_trip(trades: RoundTrips) -> dict[str, Any]:
    closed = trades.chosen(trades.is_closed & (trades.cost > 0.0))
    counted = ClosedTrades(closed.pnl, closed.cost)
    found: dict[str, Any] = {"closed_trades": len(closed), "open_trades": len(trades) - int(trades.is_closed.sum())}
    undefined = {}
    for name, formula in PER_TRADE.items():
        try:
            found[name] = formula(counted)
        except Undefined as reason:
            found[name], undefined[name] = None, str(reason)
    columns = {"avg_bars_held": closed.bars_held, "avg_mae": closed.mae, "avg_mfe": closed.mfe}
    for name, column in columns.items():
        found[name] = float(column.mean()) if len(closed) else None
        if not len(closed):
            undefined[name] = "no closed trades"
    return found | {"undefined": undefined}


def metrics_lean(result: Result) -> Mapping[str, Any]:
    """The run measured as QuantConnect's LEAN measures its own, as JSON."""
    curve, orders = equity_curve(result), result.orders
    account = Account(curve.dates, curve.close, curve.starting_equity, curve.benchmark)
    fills = (orders.symbol, orders.shares, orders.price, orders.fee)
    rate = result.document["metrics"].get("risk_free_rate") or 0.0
    return lean_statistics(account, fills, result.trades, rate)


COMPUTED: dict[str, Callable[[Result], Any]] = {
    "benchmark_metrics": benchmark_metrics,
    "rolling": rolling,
    "periods": periods,
}
"""The sections of an answer that are computed, by name."""
