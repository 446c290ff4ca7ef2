"""Reads one file of daily prices in Yahoo's columns, parquet or CSV, whoever wrote it."""

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from src.errors import PriceSourceUnavailable
from src.services.data_provider.arrays import CLOSE, OPEN, Dates, Float64Array

PRICE_COLUMNS = ("open", "high", "low", "close")
ADJUSTED_NAMES = ("adj close", "adjclose", "adjusted close")
DATE_NAMES = ("date", "datetime", "timestamp", "index", "index level 0", "unnamed: 0", "", "price")
"""Column names that can hold the day, the best first. yfinance writes its dates below "Price" when it
downloads into two header rows, pandas calls a nameless index "__index_level_0__", or nothing in CSV."""

TWO_LEVEL_NAME = re.compile(r"\('([^']*)', '[^']*'\)")
"""How parquet spells a column of yfinance's two header rows: ('Close', 'SPY')."""

ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}(?!\d)", re.ASCII)


def read_price_file(path: Path, symbol: str) -> tuple[Dates, Float64Array]:
    """The rows of a price file as they stand there, adjusted, in the file's order.

    Column names are matched without regard to case. With a column "Adj Close" the four prices
    are scaled by adjusted ÷ close (Yahoo's convention); without one they count as adjusted already.
    A time stamp stands for the calendar day it shows in its own time zone.

    Returns:
        dates (n_rows,) datetime64[D], and rows (n_rows, 5) float64: open, high, low, close, volume;
        NaN where the file says nothing. Nothing is sorted, checked or left out.

    Raises:
        PriceSourceUnavailable: the file cannot be read; names the symbol, not the path.
    """
    try:
        content = path.read_bytes()
        table = _parse_csv(content) if path.suffix == ".csv" else _parse_parquet(content)
        names = [_plain(name) for name in table.column_names]
        return _dates(table.column(_date_position(names))), _adjusted(table, names)
    except _Unreadable as error:
        raise PriceSourceUnavailable(f"The price file of '{symbol}' cannot be used: {error}.") from error
    except (OSError, ValueError, KeyError, pa.ArrowException, csv.Error) as error:
        kind = path.suffix.removeprefix(".")
        raise PriceSourceUnavailable(f"The price file of '{symbol}' is not a readable {kind} file.") from error


class _Unreadable(ValueError):
    """The file is well-formed, but not a table of daily prices; the message says why."""


def _parse_parquet(content: bytes) -> pa.Table:
    # Not memory-mapped: a file cut short by somebody else would kill the whole process.
    return pq.ParquetFile(pa.BufferReader(content)).read(use_threads=False)


def _parse_csv(content: bytes) -> pa.Table:
    text = io.StringIO(content[:65536].decode("utf-8-sig", errors="replace"), newline="")
    header, *below = [row for row, _ in zip(csv.reader(text), range(3), strict=False)] or [[]]
    is_two_level = bool(below) and below[0][:1] == ["Ticker"]
    date_name = header[_date_position([_plain(name) for name in header])]
    return pa_csv.read_csv(
        io.BytesIO(content),
        read_options=pa_csv.ReadOptions(use_threads=False, skip_rows_after_names=len(below) if is_two_level else 0),
        # Read as text, because a parsed time stamp would already be in another time zone's day.
        convert_options=pa_csv.ConvertOptions(column_types={date_name: pa.string()}),
    )


def _plain(name: str) -> str:
    two_level = TWO_LEVEL_NAME.fullmatch(name)
    return (two_level.group(1) if two_level else name).lower().replace("_", " ").strip()


def _position(names: Sequence[str], wanted: Sequence[str]) -> int | None:
    found = [position for name in wanted for position, other in enumerate(names) if other == name]
    if len(found) > 1 and names[found[0]] == names[found[1]]:
        raise _Unreadable(f"it has several columns called '{names[found[0]]}'")
    return found[0] if found else None


def _date_position(names: Sequence[str]) -> int:
    position = _position(names, DATE_NAMES)
    if position is None:
        raise _Unreadable(f"it has no date column among {', '.join(names) or 'no columns at all'}")
    return position


def _dates(column: "pa.ChunkedArray[Any]") -> Dates:
    if column.null_count:
        raise _Unreadable("it has a row without a date")
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        texts = [str(text) for text in column.to_pylist()]
        if not all(ISO_DAY.match(text) for text in texts):
            raise _Unreadable("its dates are not all written as YYYY-MM-DD")
        return np.array([text[:10] for text in texts], dtype="datetime64[D]")
    if pa.types.is_timestamp(column.type) and column.type.tz is not None:
        # By pandas: pyarrow wants the system's time zone files, which slim images lack.
        local = column.to_pandas().dt.tz_localize(None).to_numpy()
        return np.asarray(local, dtype="datetime64[D]")
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        return np.asarray(column.to_numpy(), dtype="datetime64[D]")
    raise _Unreadable(f"its dates are of type {column.type}")


def _adjusted(table: pa.Table, names: Sequence[str]) -> Float64Array:
    rows = np.full((table.num_rows, 5), np.nan)
    for column, name in enumerate((*PRICE_COLUMNS, "volume")):
        position = _position(names, [name])
        if position is not None:
            rows[:, column] = _numbers(table.column(position))
        elif name != "volume":
            raise _Unreadable(f"it has no column '{name}'")
    adjusted_position = _position(names, ADJUSTED_NAMES)
    if adjusted_position is not None:
        adjusted_close = _numbers(table.column(adjusted_position))
        with np.errstate(all="ignore"):  # a close of zero leaves a row that screening will name
            rows[:, OPEN:CLOSE] *= (adjusted_close / rows[:, CLOSE])[:, np.newaxis]
        rows[:, CLOSE] = adjusted_close
    return rows


def _numbers(column: "pa.ChunkedArray[Any]") -> Float64Array:
    return np.asarray(column.cast(pa.float64(), safe=False).to_numpy(), dtype=np.float64)
