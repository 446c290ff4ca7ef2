"""Reads results that were stored before results were columns: the whole answer as gzip-compressed JSON."""

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import orjson

from src.services.results.result import Daily, Orders, Result
from src.services.storage.records.results import EarlierResult
from src.utils.json_bytes import parsed_json
from src.utils.return_stats import Float64Array

GZIP_WINDOW = 31
PIECE_BYTES = 1024 * 1024
"""Bytes parsed at a time; as Python values they take about ten times that."""

CANDLE = ("open", "high", "low", "close")
BETWEEN = b"},{"
"""Two elements of an array: the arrays that are cut here hold symbols and numbers, and no text of a client."""

Values = Callable[[Mapping[str, Any]], Sequence[float | None]]


def read_earlier(stored: EarlierResult) -> Result:
    """The result in columns.

    In memory are the JSON and the columns, but only few rows as Python values.

    Raises:
        ValueError, LookupError, TypeError: it was damaged.
    """
    try:
        raw = zlib.decompress(stored.gzip_bytes, wbits=GZIP_WINDOW, bufsize=stored.json_length)
    except zlib.error as error:
        raise ValueError(str(error)) from error
    return result_from_json(raw)


def result_from_json(raw: bytes) -> Result:
    """The columns of a whole BacktestResponse, as src.services.results.answer_json writes it.

    Raises:
        ValueError, LookupError, TypeError: it is none.
    """
    # From the end, because after the orders no object of a client follows, in which such names might occur.
    names = ("candles", "orders", "holding_weights", "benchmark", "logs")
    starts = [raw.rindex(f',"{name}":'.encode()) for name in names]
    parts = {name: slice(first, last) for name, first, last in zip(names, starts, starts[1:], strict=False)}
    document = parsed_json(raw[: starts[0]] + raw[starts[-1] :])
    index_of = {symbol: index for index, symbol in enumerate(document["parameters"]["universe"])}
    candles = _columns(_rows(raw, parts["candles"]), lambda row: [row[name] for name in ("time", *CANDLE)], 5)
    dates = candles[:, 0].astype("datetime64[s]").astype("datetime64[D]")
    benchmark = None
    if not raw[parts["benchmark"]].endswith(b":null"):
        points = _columns(_rows(raw, parts["benchmark"]), lambda row: [row["time"], row["value"]], 2)
        benchmark = np.full(len(dates), np.nan)
        benchmark[np.searchsorted(candles[:, 0], points[:, 0])] = points[:, 1]
    held = _columns(_rows(raw, parts["holding_weights"]), lambda row: _weights(row, index_of), 1 + len(index_of))
    fill_days = np.searchsorted(candles[:, 0], held[:, 0]).astype(np.int32)
    daily = Daily(dates, candles[:, 1:], benchmark, fill_days, held[:, 1:])
    day_of = {f"{date}T00:00:00Z": day for day, date in enumerate(dates.astype(str).tolist())}
    orders = _columns(_rows(raw, parts["orders"]), lambda row: _order(row, day_of, index_of), 7)
    day, symbol, shares, price, fee, slippage_cost, is_settlement = orders.T
    places = (day.astype(np.int32), symbol.astype(np.int32))
    return Result(document, daily, Orders(*places, shares, price, fee, slippage_cost, is_settlement.astype(bool)))


def _rows(raw: bytes, part: slice) -> Iterator[list[dict[str, Any]]]:
    """The elements of an array of objects, many at a time."""
    at, end = raw.index(b":", part.start) + 2, part.stop - 1
    while at < end:
        cut = end if end - at <= PIECE_BYTES else raw.rindex(BETWEEN, at, at + PIECE_BYTES) + 1
        yield orjson.loads(b"[" + raw[at:cut] + b"]")
        at = cut + 1


def _columns(pieces: Iterator[list[dict[str, Any]]], values: Values, n_columns: int) -> Float64Array:
    """(n_rows, n_columns) numbers; null becomes NaN."""
    arrays = [np.array([values(row) for row in rows], dtype=np.float64) for rows in pieces]
    return np.concatenate(arrays) if arrays else np.empty((0, n_columns))


def _weights(row: Mapping[str, Any], index_of: Mapping[str, int]) -> list[float]:
    weights = [0.0] * len(index_of)
    for symbol, weight in row["weights"].items():
        weights[index_of[symbol]] = weight
    return [row["time"], *weights]


def _order(row: Mapping[str, Any], day_of: Mapping[str, int], index_of: Mapping[str, int]) -> list[float]:
    shares = row["shares"] if row["action"] == "Buy" else -row["shares"]
    place = (day_of[row["timestamp"]], index_of[row["symbol"]])
    return [*place, shares, row["price"], row["fee"], row["slippage_cost"], row.get("reason") is not None]
