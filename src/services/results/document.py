"""Builds the JSON answer from audited books, as plain values."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
from hqg_algorithms import Cadence

from src.execution.audit.books import Books
from src.execution.session.reply import Unfilled
from src.models.request import BacktestRequest
from src.services.backtests.benchmark import Benchmarks
from src.services.data_provider.base import PriceTable
from src.utils.canonical_json import canonical
from src.utils.json_bytes import Rows
from src.utils.metrics import Metrics

MAX_WARNINGS = 1_000


def parameters_answer(request: BacktestRequest, universe: tuple[str, ...], cadence: Cadence) -> dict[str, Any]:
    """The run's parameters, with every default filled in."""
    return {
        "name": request.name,
        "starting_equity": request.initial_capital,
        "start_date": request.start_date.isoformat(),
        "end_date": request.end_date.isoformat(),
        "universe": list(universe),
        "bar_size": cadence.bar_size.value,
        "execution": cadence.execution.value,
        "commission": cost_wire(request.commission),
        "slippage": cost_wire(request.slippage),
        "benchmark": request.benchmark,
        "risk_free_rate": request.risk_free_rate,
        "min_trade_value": request.min_trade_value,
        **request.later_fields(),
        "seed": request.seed,
        "parameters": canonical(request.parameters),
    }


def cost_wire(cost: Any) -> float | dict[str, Any]:
    """A commission or slippage in the request's form: a number, or the model's fields."""
    if isinstance(cost, int | float):
        return float(cost)
    wire: dict[str, Any] = cost.model_dump()
    return wire


def metrics_answer(metrics: Metrics) -> dict[str, Any]:
    """Every metric by name, and `undefined` with the reason of each null."""
    return {**metrics.values, "undefined": metrics.undefined}


def candles_answer(books: Books) -> list[dict[str, Any]]:
    """One candle per timeline day."""
    rows = zip(unix_seconds(books.prices.dates), books.candles.tolist(), strict=True)
    return [
        {"time": time, "open": open_, "high": high, "low": low, "close": close}
        for time, (open_, high, low, close) in rows
    ]


def orders_answer(books: Books) -> Rows:
    """Every fill in order; shares always above zero. Lazy, because a million dicts would take a gigabyte."""
    times = [f"{date}T00:00:00Z" for date in np.datetime_as_string(books.prices.dates)]
    return Rows(len(books.day), lambda first, last: _some_orders(books, times, first, last))


def _some_orders(books: Books, times: list[str], first: int, last: int) -> list[dict[str, Any]]:
    columns = (
        *(books.day, books.symbol, books.shares, books.price, books.fee),
        *(books.slippage_cost, books.is_settlement),
    )
    rows = zip(*(column[first:last].tolist() for column in columns), strict=True)
    return [
        {
            "id": str(number),
            "timestamp": times[day],
            "symbol": books.prices.symbols[symbol],
            "action": "Buy" if shares > 0 else "Sell",
            "price": price,
            "shares": abs(shares),
            "fee": fee,
            "slippage_cost": slippage_cost,
            **({"reason": "delisting"} if is_settlement else {}),
        }
        for number, (day, symbol, shares, price, fee, slippage_cost, is_settlement) in enumerate(rows, first + 1)
    ]


def holding_weights_answer(books: Books) -> Rows:
    """Weights right after the fills of each day with fills; symbols not held are left out."""
    days, weights = books.holding_weights()
    times = unix_seconds(books.prices.dates[days])
    symbols = books.prices.symbols

    def some(first: int, last: int) -> list[dict[str, Any]]:
        rows = zip(times[first:last], weights[first:last].tolist(), strict=True)
        return [
            {"time": time, "weights": {symbols[i]: row[i] for i in range(len(symbols)) if row[i] != 0.0}}
            for time, row in rows
        ]

    return Rows(len(times), some)


def benchmark_answer(prices: PriceTable, benchmarks: Benchmarks) -> list[dict[str, Any]] | None:
    """The benchmark scaled to the starting equity, one point per timeline day from its first to its last."""
    if benchmarks.benchmark is None:
        return None
    known = np.isfinite(benchmarks.benchmark)
    points = zip(unix_seconds(prices.dates[known]), benchmarks.benchmark[known].tolist(), strict=True)
    return [{"time": time, "value": value} for time, value in points]


def unfilled_warnings(unfilled: Iterable[Unfilled], prices: PriceTable) -> list[str]:
    """One sentence per stretch: symbol, day or days, reason."""
    return [_unfilled_warning(entry, prices) for entry in unfilled]


def _unfilled_warning(entry: Unfilled, prices: PriceTable) -> str:
    first, last = prices.dates[entry.first_day], prices.dates[entry.last_day]
    if entry.count == 1:
        return f"{entry.symbol} did not fill on {first}: {entry.reason}"
    return f"{entry.symbol} did not fill {entry.count} times from {first} to {last}: {entry.reason}"


def bounded(warnings: list[str]) -> list[str]:
    """The warnings; beyond the limit the first ones and the number of the rest."""
    if len(warnings) <= MAX_WARNINGS:
        return warnings
    return [*warnings[:MAX_WARNINGS], f"{len(warnings) - MAX_WARNINGS} more warnings are not listed"]


def unix_seconds(dates: npt.NDArray[np.datetime64]) -> list[int]:
    """Midnight UTC of each date, in Unix seconds."""
    seconds: list[int] = dates.astype("datetime64[s]").astype(np.int64).tolist()
    return seconds
