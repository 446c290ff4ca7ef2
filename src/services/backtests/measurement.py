"""From a box's claim to what a result holds: audit the books, measure them, take their columns."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from hqg_algorithms import Cadence

from src.engine.costs import commission_from_wire, slippage_from_wire
from src.errors import StrategyFailed
from src.execution.audit.audit import AuditFailed, AuditRules, Claim, audit
from src.execution.audit.books import Books, Float64Array
from src.execution.audit.exits import Levels
from src.execution.session.reply import Reply
from src.models.request import BacktestRequest
from src.services.backtests.benchmark import Benchmarks
from src.services.data_provider.arrays import Dates
from src.services.data_provider.base import PriceTable
from src.services.results import document as answer
from src.services.results.result import LINE_DAYS, Daily, Orders
from src.utils.metrics import Metrics, measure
from src.utils.round_trips import DELISTING, RUIN, SIGNAL, Fills, RoundTrips, round_trips
from src.utils.trade_stats import TradeColumns, equity_stats
from src.utils.trading_year import periods_per_year

logger = logging.getLogger(__name__)


def audited(
    reply: Reply, prices: PriceTable, request: BacktestRequest, cadence: Cadence, delistings: Mapping[int, int]
) -> Books:
    """The books that follow from an honest reply.

    Args:
        delistings: see src.services.backtests.delistings.find_delistings.

    Raises:
        StrategyFailed: a check of the audit failed.
    """
    claim = Claim(
        *(reply.day, reply.symbol, reply.shares, reply.price, reply.fee, reply.cash, reply.equity, reply.reason),
        levels=Levels(**reply.levels) if len(reply.levels["day"]) else None,
    )
    rules = AuditRules(
        initial_capital=request.initial_capital,
        execution=cadence.execution,
        min_trade_value=request.min_trade_value,
        commission=commission_from_wire(answer.cost_wire(request.commission)),
        slippage=slippage_from_wire(answer.cost_wire(request.slippage)),
        delistings=delistings,
        delisting_return=request.delisting_return,
        dividends=prices.dividends,
        allow_short=request.allow_short,
        max_gross=request.max_gross,
        borrow_rate=request.borrow_rate,
        margin_rate=request.margin_rate,
    )
    try:
        return audit(claim, prices, rules)
    except AuditFailed as error:
        logger.warning("a box's books were rejected: %s", error)
        raise StrategyFailed([str(error)], logs=reply.logs, is_repeatable=False) from error


def measured(books: Books, request: BacktestRequest, benchmarks: Benchmarks) -> tuple[TradeColumns, Metrics]:
    """Orders as columns, and every metric."""
    columns = (books.day, books.symbol, books.shares, books.price, books.fee, books.reference_price)
    trades = TradeColumns(*columns, books.is_settlement, books.may_be_short)
    metrics = measure(
        books.equity,
        request.initial_capital,
        books.prices.dates,
        periods_per_year=periods_per_year(books.prices.dates),
        annual_risk_free_rate=benchmarks.risk_free_rate,
        benchmark_equity=_benchmark(books, benchmarks),
        trades=trades,
        position_value=books.position_value,
        gross_value=books.gross_value,
    )
    return trades, metrics


def totals(request: BacktestRequest, books: Books, trades: TradeColumns, prices: PriceTable) -> dict[str, float]:
    """The fields of src.models.response.EquityStats."""
    dividends = {} if prices.dividends is None else {"dividends": float(books.income.sum())}
    charges = {"charges": float(books.charges.sum())} if request.borrow_rate or request.margin_rate else {}
    return {**equity_stats(books.equity, request.initial_capital, trades), **dividends, **charges}


def ruin_of(books: Books) -> dict[str, Any]:
    """The field of src.models.response.Ruin, for an account that did not survive."""
    if books.shortfall is None:
        return {}
    return {"ruin": {"date": str(books.prices.dates[-1]), "shortfall": books.shortfall}}


def _benchmark(books: Books, benchmarks: Benchmarks) -> Float64Array | None:
    """The benchmark on the days of the books, which end with a ruin; None if it begins later."""
    series = None if benchmarks.benchmark is None else benchmarks.benchmark[: len(books.cash)]
    return None if series is None or not np.isfinite(series).any() else series


def daily_of(books: Books, benchmarks: Benchmarks, plots: Mapping[str, Float64Array]) -> Daily:
    """The account day by day, as a result has it.

    Args:
        plots: (n_days,) the strategy's own series, on the days before a ruin and after it.
    """
    series = _benchmark(books, benchmarks)
    benchmark = None if series is None else np.where(np.isfinite(series), series, np.nan)
    income = books.income - books.charges
    optional = (income if income.any() else None, books.gross_value if books.may_be_short else None)
    own = {name: values[: len(books.cash)] for name, values in plots.items()}
    return Daily(books.prices.dates, books.candles, benchmark, *books.holding_weights(), *optional, own)


def orders_of(books: Books) -> Orders:
    """Every fill, as a result has it."""
    columns = (books.day, books.symbol, books.shares, books.price, books.fee)
    reason = None if books.reason is None or not books.is_exit.any() else books.reason.astype(np.int8)
    return Orders(*columns, books.slippage_cost, books.is_settlement, reason)


def exit_warnings(books: Books) -> list[str]:
    """A sentence if the order of prices within a bar decided which protective exit filled."""
    if not books.n_ambiguous:
        return []
    bars = "one bar" if books.n_ambiguous == 1 else f"{books.n_ambiguous} bars"
    return [f"{bars} reached both a stop and a take profit of a position: the stop, which is worse, was taken"]


def trades_of(books: Books) -> RoundTrips:
    """Every round trip, as a result has it."""
    reason = np.where(books.is_settlement, DELISTING, SIGNAL if books.reason is None else books.reason)
    fills = Fills(books.day, books.symbol, books.shares, books.price, books.fee, reason)
    trips = round_trips(fills, books.prices.bars, books.marks, fills_at_open=books.fills_at_open)
    if books.lost is None:
        return trips
    return replace(trips, reason=np.where(trips.is_closed, trips.reason, RUIN).astype(np.int8))


def line_days_of(reply: Reply, dates: Dates) -> dict[str, Any]:
    """The days of the strategy's output, see src.services.results.result.LINE_DAYS.

    Args:
        dates: all that were sent, a warm-up's too.
    """
    seconds = dates.astype("datetime64[s]").astype(np.int64)
    runs = [[None if day is None else int(seconds[day]), count] for day, count in reply.line_days]
    return {LINE_DAYS: runs} if runs else {}


def logs_of(reply: Reply) -> list[str]:
    """The strategy's output, and the size of any that was dropped."""
    if not reply.lost_output_bytes:
        return list(reply.logs)
    return [*reply.logs, f"… {reply.lost_output_bytes} more bytes of output were dropped"]
