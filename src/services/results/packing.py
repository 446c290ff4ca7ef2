"""Results as they are stored: two Arrow files and a JSON document, and back."""

import hashlib
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq

from src.errors import BacktesterError, StrategyFailed
from src.services.results.earlier import read_earlier
from src.services.results.result import EXIT_REASONS, Daily, Orders, Result
from src.services.storage.records.results import EarlierResult, StoredResult
from src.utils.json_bytes import json_bytes, parsed_json
from src.utils.return_stats import Float64Array
from src.utils.round_trips import EXITS, RoundTrips

WRITING = pa.ipc.IpcWriteOptions(compression="zstd", use_threads=False)
READING = pa.ipc.IpcReadOptions(use_threads=False)
CANDLE = ("open", "high", "low", "close")
FLOATS = ("shares", "price", "fee", "slippage_cost")
FLOATS_OF_TRADES = ("shares", "entry_price", "exit_price", "fees", "mae", "mfe", "mae_close", "mfe_close")
OPTIONAL_OF_DAYS = ("benchmark", "income", "gross_value")
PLOT = "plot: "
"""What the column of a strategy's own series is called, before its name."""
TIME = pa.timestamp("ms", tz="UTC")


class ResultDamaged(BacktesterError):
    """A stored result was changed behind our back."""

    code = "result_damaged"


def packed(result: Result, max_bytes: int = sys.maxsize) -> StoredResult:
    """The result's stored form.

    Args:
        max_bytes: maximum size of the result as JSON, see Result.approximate_json_length.

    Raises:
        StrategyFailed: it is larger.
    """
    metrics = result.document["metrics"]
    document = json_bytes({name: value for name, value in result.document.items() if name != "metrics"})
    length = result.approximate_json_length(len(document))
    if length > max_bytes:
        what = f"limit of {max_bytes / 1e6:,.1f} MB for the answer of a run exceeded"
        raise StrategyFailed([f"{what}: trade less often or fewer symbols, or choose a shorter window"])
    daily, orders = _file(_daily_table(result.daily)), _file(_order_table(result))
    trades = None if result.trades is None else _file(trade_table(result, result.trades))
    sha256 = _sha256(document, metrics, daily, orders, trades)
    return StoredResult(document, metrics, daily, orders, sha256, length, trades)


def unpacked(stored: StoredResult | EarlierResult) -> Result:
    """The result that was stored.

    Raises:
        ResultDamaged
    """
    if isinstance(stored, EarlierResult):
        try:
            return read_earlier(stored)
        except (ValueError, LookupError, TypeError) as error:
            raise ResultDamaged(f"a result stored by an earlier version cannot be read: {error}") from error
    _check(stored)
    document = _document(stored)
    daily = _daily(_table(stored.daily), len(document["parameters"]["universe"]))
    trades = None if stored.trades is None else _trades(_table(stored.trades), daily)
    return Result(document, daily, _orders(_table(stored.orders), daily), trades)


def sealed_parts(stored: StoredResult | EarlierResult) -> dict[str, bytes]:
    """The files that are sealed, by name.

    Raises:
        ResultDamaged
    """
    if isinstance(stored, EarlierResult):
        stored = packed(unpacked(stored))
    _check(stored)
    parts = {"document.json": json_bytes(_document(stored)), "daily.arrow": stored.daily, "orders.arrow": stored.orders}
    return parts if stored.trades is None else parts | {"trades.arrow": stored.trades}


def orders_parquet(result: Result) -> bytes:
    """The columns of orders.arrow as Parquet."""
    return parquet(_order_table(result))


def parquet(table: pa.Table) -> bytes:
    """A table as a Parquet file."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _check(stored: StoredResult) -> None:
    if _sha256(stored.document, stored.metrics, stored.daily, stored.orders, stored.trades) != stored.sha256:
        raise ResultDamaged("a stored result does not have the hash that was stored with it")


def _document(stored: StoredResult) -> dict[str, Any]:
    """The document with its metrics, in the order of the answer."""
    document: dict[str, Any] = {}
    for name, value in parsed_json(stored.document).items():
        if name == "equity_stats":
            document["metrics"] = stored.metrics
        document[name] = value
    return document


def _sha256(document: bytes, metrics: Mapping[str, Any], daily: bytes, orders: bytes, trades: bytes | None) -> str:
    parts = [document, json_bytes(dict(metrics)), daily, orders, *([] if trades is None else [trades])]
    digests = [hashlib.sha256(part).digest() for part in parts]
    return hashlib.sha256(b"".join(digests)).hexdigest()


def _file(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema, options=WRITING) as writer:
        writer.write_table(table)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _table(content: bytes) -> pa.Table:
    return pa.ipc.open_file(pa.BufferReader(content), options=READING).read_all()


def _daily_table(daily: Daily) -> pa.Table:
    n_days, n_symbols = len(daily.dates), daily.weights.shape[1]
    columns = {"time": _times(daily.dates)}
    columns |= {name: pa.array(np.ascontiguousarray(daily.candles[:, at])) for at, name in enumerate(CANDLE)}
    for name in OPTIONAL_OF_DAYS:
        if getattr(daily, name) is not None:
            columns[name] = pa.array(getattr(daily, name), from_pandas=True)
    columns |= {PLOT + name: pa.array(values, from_pandas=True) for name, values in daily.plots.items()}
    is_fill_day = np.zeros(n_days, dtype=bool)
    is_fill_day[daily.fill_days] = True
    ends = np.concatenate(([0], np.cumsum(is_fill_day) * n_symbols))
    columns["weights"] = pa.LargeListArray.from_arrays(ends, daily.weights.ravel(), mask=pa.array(~is_fill_day))
    return pa.table(columns)


def _daily(table: pa.Table, n_symbols: int) -> Daily:
    candles = np.column_stack([_floats(table, name) for name in CANDLE])
    optional = {name: _floats(table, name) for name in OPTIONAL_OF_DAYS if name in table.column_names}
    weights = table.column("weights").combine_chunks()
    fill_days = np.flatnonzero(weights.is_valid().to_numpy(zero_copy_only=False)).astype(np.int32)
    flat = weights.flatten().to_numpy(zero_copy_only=False)
    named: dict[str, Any] = {"benchmark": None, **optional}
    plots = {name.removeprefix(PLOT): _floats(table, name) for name in table.column_names if name.startswith(PLOT)}
    return Daily(_dates(table), candles, fill_days=fill_days, weights=flat.reshape(-1, n_symbols), plots=plots, **named)


def _order_table(result: Result) -> pa.Table:
    orders = result.orders
    columns = {"time": _times(result.daily.dates[orders.day]), "symbol": _named(orders.symbol, result.symbols)}
    columns |= {name: pa.array(getattr(orders, name)) for name in FLOATS}
    columns["is_settlement"] = pa.array(orders.is_settlement)
    if orders.reason is not None:
        indexes = pa.array(orders.reason - 1, mask=orders.reason == 0)
        columns["reason"] = pa.DictionaryArray.from_arrays(indexes, pa.array(EXIT_REASONS))
    return pa.table(columns)


def _orders(table: pa.Table, daily: Daily) -> Orders:
    day = np.searchsorted(daily.dates, _dates(table)).astype(np.int32)
    is_settlement = table.column("is_settlement").to_numpy()
    floats = {name: _floats(table, name) for name in FLOATS}
    return Orders(day, _indices(table, "symbol"), **floats, is_settlement=is_settlement, reason=_reason(table))


def _reason(table: pa.Table) -> Any:
    if "reason" not in table.column_names:
        return None
    indexes = table.column("reason").combine_chunks().indices.fill_null(-1)
    return indexes.to_numpy(zero_copy_only=False).astype(np.int8) + np.int8(1)


def trade_table(result: Result, trades: RoundTrips) -> pa.Table:
    """The columns of trades.arrow."""
    dates = result.daily.dates
    columns = {
        "symbol": _named(trades.symbol, result.symbols),
        "entry_time": _times(dates[trades.entry_day]),
        "exit_time": _times(dates[trades.exit_day]),
    }
    columns |= {name: pa.array(getattr(trades, name), from_pandas=True) for name in FLOATS_OF_TRADES}
    return pa.table(columns | {"exit_reason": _named(trades.reason, EXITS)})


def _trades(table: pa.Table, daily: Daily) -> RoundTrips:
    return RoundTrips(
        symbol=_indices(table, "symbol"),
        entry_day=np.searchsorted(daily.dates, _dates(table, "entry_time")).astype(np.int32),
        exit_day=np.searchsorted(daily.dates, _dates(table, "exit_time")).astype(np.int32),
        **{name: _floats(table, name) for name in FLOATS_OF_TRADES},
        reason=_indices(table, "exit_reason"),
    )


def _named(indices: Any, names: Sequence[str]) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(indices.astype(np.int32), pa.array(list(names)))


def _indices(table: pa.Table, name: str) -> Any:
    return table.column(name).combine_chunks().indices.to_numpy(zero_copy_only=False)


def _times(dates: Any) -> pa.Array:
    return pa.array(dates.astype("datetime64[ms]"), type=TIME)


def _dates(table: pa.Table, name: str = "time") -> Any:
    return table.column(name).to_numpy().astype("datetime64[D]")


def _floats(table: pa.Table, name: str) -> Float64Array:
    """A column of numbers, NaN where it has none."""
    values: Float64Array = table.column(name).to_numpy()
    return values
