"""Renders a result as JSON, straight from its columns and in pieces, so that a long one is never whole in memory."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from operator import add
from typing import TYPE_CHECKING, Any

import orjson

from src.services.results.result import EXIT_REASONS, LINE_DAYS, Daily, Orders, Result
from src.services.results.sections import NOTHING, SECTIONS, Asked, rendered_warnings
from src.utils.json_bytes import json_bytes, json_pieces, object_pieces

if TYPE_CHECKING:
    import numpy.typing as npt

_ISO_TIMES = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z

PIECE_ROWS = 1_000
"""Rows rendered at a time, because no other thread runs meanwhile."""

ORDER_MEMBERS = ("id", "timestamp", "symbol", "action", "price", "shares", "fee", "slippage_cost")


def answer_pieces(result: Result, asked: Asked = NOTHING) -> Iterator[bytes]:
    """A whole BacktestResponse, and the sections that were asked for."""
    return object_pieces(chain(_members(result, asked), section_members(result, asked)))


def _members(result: Result, asked: Asked) -> Iterator[tuple[str, Iterable[bytes]]]:
    for name, value in result.document.items():
        if name == LINE_DAYS:
            continue
        if name == "logs":
            yield "candles", candle_pieces(result.daily)
            yield "orders", order_pieces(result)
            yield "holding_weights", weight_pieces(result)
            yield "benchmark", benchmark_pieces(result.daily)
        said = [*value, *rendered_warnings(result.document)] if asked and name == "warnings" else value
        yield name, json_pieces(said)


def section_members(result: Result, asked: Asked) -> Iterator[tuple[str, Iterable[bytes]]]:
    """Name and JSON of each section that was asked for, in the order of the answer."""
    if not asked:
        return
    from src.services.results.statistics import COMPUTED, metrics_lean, trade_statistics  # noqa: PLC0415 - slow

    for name in SECTIONS:
        if name not in asked.sections:
            continue
        if name == "trades":
            yield name, trade_pieces(result)
            yield "trade_statistics", json_pieces(trade_statistics(result))
        elif name == "plots":
            yield name, plot_pieces(result.daily)
        elif name == "log_lines":
            yield name, json_pieces(log_lines(result.document))
        else:
            yield name, json_pieces(COMPUTED[name](result))
    if asked.is_lean:
        yield "metrics_lean", json_pieces(metrics_lean(result))


def candle_pieces(daily: Daily) -> Iterator[bytes]:
    """One candle per timeline day."""

    def some(rows: slice) -> bytes:
        columns = (_numbers(column) for column in daily.candles[rows].T)
        members = zip(("open", "high", "low", "close"), columns, strict=True)
        return _objects({"time": _seconds(daily.dates[rows]), **dict(members)})

    return _array(len(daily.dates), some)


def plot_pieces(daily: Daily) -> Iterator[bytes]:
    """Each of the strategy's own series with its points."""
    for number, (name, values) in enumerate(daily.plots.items()):
        has_point = values == values  # noqa: PLR0124 - false for NaN
        times, points = _seconds(daily.dates[has_point]), _numbers(values[has_point])
        pairs = b",".join(b"[%b,%b]" % pair for pair in zip(times, points, strict=True))
        yield b'%b{"name":%b,"points":[%b]}' % (b"," if number else b"[", json_bytes(name), pairs)
    yield b"]" if daily.plots else b"[]"


def log_lines(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each printed line with the day on which it was printed, null where that is unknown."""
    times = (time for time, count in document.get(LINE_DAYS, ()) for _ in range(count))
    return [{"time": next(times, None), "line": line} for line in document["logs"]]


def order_pieces(result: Result, names: Mapping[str, str] | None = None) -> Iterator[bytes]:
    """Every fill.

    Args:
        names: some of ORDER_MEMBERS, and another contract's name of each; None gives all of an OrderAnswer.
    """
    orders = result.orders
    symbols = [json_bytes(symbol) for symbol in result.symbols]

    def some(rows: slice) -> bytes:
        is_buy = (orders.shares[rows] > 0).tolist()
        members = {
            "id": [b'"%d"' % number for number in range(rows.start + 1, rows.start + 1 + len(is_buy))],
            "timestamp": _timestamps(result.daily.dates[orders.day[rows]]),
            "symbol": [symbols[index] for index in orders.symbol[rows].tolist()],
            "action": [b'"Buy"' if buys else b'"Sell"' for buys in is_buy],
            "price": _numbers(orders.price[rows]),
            "shares": _numbers(abs(orders.shares[rows])),
            "fee": _numbers(orders.fee[rows]),
            "slippage_cost": _numbers(orders.slippage_cost[rows]),
        }
        if names is not None:
            return _objects({theirs: members[ours] for ours, theirs in names.items()})
        ends = (b',"reason":"%s"},' % name.encode() if name else b"}," for name in order_reasons(orders, rows))
        return _objects(members, list(ends))

    return _array(len(orders), some)


def weight_pieces(result: Result) -> Iterator[bytes]:
    """Weights right after the fills of each day with fills; symbols not held are left out."""
    daily = result.daily
    names = [json_bytes(symbol) + b":" for symbol in result.symbols]

    def some(rows: slice) -> bytes:
        weights = daily.weights[rows]
        is_held = weights != 0.0
        named = [names[index] for index in is_held.nonzero()[1].tolist()]
        entries = list(map(add, named, _numbers(weights[is_held])))
        ends = is_held.sum(axis=1).cumsum().tolist()
        lists = (entries[first:last] for first, last in zip([0, *ends], ends, strict=False))
        held = [b"{" + b",".join(some) + b"}" for some in lists]
        return _objects({"time": _seconds(daily.dates[daily.fill_days[rows]]), "weights": held})

    return _array(len(daily.fill_days), some)


def benchmark_pieces(daily: Daily) -> Iterator[bytes]:
    """The benchmark on each day on which it is known; null without one."""
    if daily.benchmark is None:
        return iter([b"null"])
    is_known = daily.benchmark == daily.benchmark
    dates, values = daily.dates[is_known], daily.benchmark[is_known]

    def some(rows: slice) -> bytes:
        return _objects({"time": _seconds(dates[rows]), "value": _numbers(values[rows])})

    return _array(len(dates), some)


def close_pieces(daily: Daily) -> Iterator[bytes]:
    """Equity at the close of each day, by its ISO date."""

    def some(rows: slice) -> bytes:
        return _objects({"date": _dates(daily.dates[rows]), "equity": _numbers(daily.candles[rows, 3])})

    return _array(len(daily.dates), some)


def order_reasons(orders: Orders, rows: slice) -> list[str | None]:
    """Why each order was made; None for a signal."""
    settled = ["delisting" if is_settlement else None for is_settlement in orders.is_settlement[rows].tolist()]
    if orders.reason is None:
        return settled
    exits = (None, *EXIT_REASONS)
    return [exits[reason] or other for reason, other in zip(orders.reason[rows].tolist(), settled, strict=True)]


def trade_pieces(result: Result) -> Iterator[bytes]:
    """Every round trip by its exit; null if the result was stored before they were recorded."""
    recorded = result.trades
    if recorded is None:
        return iter([b"null"])
    symbols, dates = [json_bytes(symbol) for symbol in result.symbols], result.daily.dates

    def some(rows: slice) -> bytes:
        trades = recorded.chosen(rows)
        return _objects(
            {
                "symbol": [symbols[index] for index in trades.symbol.tolist()],
                "side": [b'"long"' if shares > 0.0 else b'"short"' for shares in trades.shares.tolist()],
                "entry_time": _timestamps(dates[trades.entry_day]),
                "exit_time": _timestamps(dates[trades.exit_day]),
                "entry_price": _numbers(trades.entry_price),
                "exit_price": _numbers(trades.exit_price),
                "shares": _numbers(abs(trades.shares)),
                "pnl": _numbers(trades.pnl),
                "return": _numbers(trades.returns),
                "bars_held": _numbers(trades.bars_held),
                "fees": _numbers(trades.fees),
                "mae": _numbers(trades.mae),
                "mfe": _numbers(trades.mfe),
                "mae_close": _numbers(trades.mae_close),
                "mfe_close": _numbers(trades.mfe_close),
                "exit_reason": [json_bytes(trades.reasons[index]) for index in trades.reason.tolist()],
            }
        )

    return _array(len(recorded), some)


def order_rows(result: Result, first: int, last: int) -> Iterator[tuple[Any, ...]]:
    """The values of ORDER_MEMBERS, and the reason, of the orders from one index up to another."""
    orders, symbols = result.orders, result.symbols
    dates = result.daily.dates[orders.day[first:last]].astype(str).tolist()
    columns = (orders.symbol, orders.shares, orders.price, orders.fee, orders.slippage_cost)
    rows = zip(dates, *(column[first:last].tolist() for column in columns), strict=True)
    reasons = order_reasons(orders, slice(first, last))
    for number, (row, reason) in enumerate(zip(rows, reasons, strict=True), first + 1):
        date, symbol, shares, price, fee, slippage_cost = row
        action = "Buy" if shares > 0 else "Sell"
        yield str(number), f"{date}T00:00:00Z", symbols[symbol], action, price, abs(shares), fee, slippage_cost, reason


def _array(n_rows: int, some: Callable[[slice], bytes]) -> Iterator[bytes]:
    """A JSON array whose elements `some` renders, a slice of the rows at a time."""
    before = b"["
    for first in range(0, n_rows, PIECE_ROWS):
        yield before + some(slice(first, min(first + PIECE_ROWS, n_rows)))
        before = b","
    yield b"]" if n_rows else b"[]"


def _objects(members: Mapping[str, Sequence[bytes]], ends: Sequence[bytes] | None = None) -> bytes:
    """One JSON object a row, with commas between them.

    Args:
        members: each member's name, and its value as JSON in each row.
        ends: what follows the last member in each row.
    """
    width, n_rows = 2 * len(members) + 1, len(next(iter(members.values())))
    parts = [b"},"] * (width * n_rows)
    for place, (name, values) in enumerate(members.items()):
        parts[2 * place :: width] = [(b"," if place else b"{") + json_bytes(name) + b":"] * n_rows
        parts[2 * place + 1 :: width] = values
    if ends is not None:
        parts[width - 1 :: width] = ends
    return b"".join(parts)[:-1]


def _numbers(column: "npt.NDArray[Any]") -> list[bytes]:
    """Each number as JSON; NaN becomes null."""
    if not len(column):
        return []
    return orjson.dumps(column.copy(), option=orjson.OPT_SERIALIZE_NUMPY)[1:-1].split(b",")


def _dates(dates: "npt.NDArray[Any]") -> list[bytes]:
    """Each date as an ISO date."""
    return [b'"%b"' % date for date in dates.astype("datetime64[D]").astype(bytes).tolist()]


def _timestamps(dates: "npt.NDArray[Any]") -> list[bytes]:
    """Midnight UTC of each date in ISO form."""
    try:
        return orjson.dumps(dates.astype("datetime64[s]"), option=_ISO_TIMES)[1:-1].split(b",")
    except TypeError:  # orjson does not know the last day of the year 9999
        return [date[:-1] + b'T00:00:00Z"' for date in _dates(dates)]


def _seconds(dates: "npt.NDArray[Any]") -> list[bytes]:
    """Midnight UTC of each date, in Unix seconds."""
    return _numbers(dates.astype("datetime64[s]").astype("int64"))
