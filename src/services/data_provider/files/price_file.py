"""Reads one file of daily prices, parquet or CSV, from any program; reports what it cannot understand."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from src.errors import NoPrices, PriceSourceUnavailable
from src.services.data_provider.arrays import CLOSE, OPEN, Dates, Float64Array
from src.services.data_provider.files.price_csv import TextTable, read_csv
from src.services.data_provider.files.price_dates import WRITE_ISO, read_days
from src.services.data_provider.files.price_numbers import numbers
from src.services.data_provider.files.problem import PriceFileProblem

NAMES = {
    "open": ("open", "opening price"),
    "high": ("high", "highest price"),
    "low": ("low", "lowest price"),
    "close": ("close", "close/last", "closing price", "last", "last price", "price"),
    "volume": ("volume", "vol", "vol."),
    "dividend": ("dividends", "dividend"),
    "adjusted": ("adj close", "adj. close", "adjclose", "adjusted close", "adj close price"),
}
"""Accepted column names, the preferred one first."""

OPTIONAL = ("volume", "dividend", "adjusted")

DATE_NAMES = (
    *("date", "datetime", "timestamp", "time", "day", "trade date", "trading day"),
    *("index", "index level 0", "unnamed: 0", "", "price"),
)
"""Accepted names of the day's column, the preferred one first. yfinance writes its dates below "Price" when it writes
two header rows; pandas calls a nameless index "__index_level_0__", or leaves the name empty in CSV."""

TWO_LEVEL_NAME = re.compile(r"\('([^']*)', '[^']*'\)")
"""How parquet spells a column of yfinance's two header rows: ('Close', 'SPY')."""

DECORATION = re.compile(r"[<>*\ufeff]|\([^)]*\)$")
"""Decoration that some sites add to a name: <CLOSE>, Close*, Open (USD)."""


def read_price_file(path: Path, symbol: str) -> tuple[Dates, Float64Array]:
    """The adjusted rows of a price file, in the file's order: the columns of `read_price_columns` as a table.

    Column names are case-insensitive. With a column "Adj Close" the four prices are scaled by adjusted ÷ close
    (Yahoo's convention); without one they count as already adjusted. For the formats of days and numbers see
    price_dates and price_numbers.

    Returns:
        dates (n_rows,) datetime64[D], and rows (n_rows, 5) float64: open, high, low, close, volume;
        NaN where the file has no value. Rows are neither sorted nor checked; empty rows are left out.

    Raises:
        NoPrices, PriceSourceUnavailable: as `read_price_columns`.
    """
    days, columns = read_price_columns(path, symbol)
    return days, adjusted_rows(columns)


def read_price_columns(
    path: Path, symbol: str, *, with_dividends: bool = False
) -> tuple[Dates, dict[str, Float64Array]]:
    """The columns of a price file, unchanged.

    Args:
        with_dividends: whether to read the dividends too; errors in that column matter only then.

    Returns:
        dates (n_rows,) datetime64[D], and by name (n_rows,) float64: open, high, low, close, and if the file has
        them volume, adjusted (the close adjusted for splits and dividends) and dividend (cash per share).

    Raises:
        NoPrices: the file cannot be understood; names the file, row and column, not its folder. In CSV the first line
            of the file is row 1, in parquet the first row of the table.
        PriceSourceUnavailable: it cannot be opened.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise PriceSourceUnavailable(f"The price file of '{symbol}' cannot be opened.") from error
    table = None
    try:
        if path.suffix == ".csv":
            table = read_csv(content, _recognised)
            dots_may_group = table.delimiter != ","
            return _of_table(table.names, table.columns, dots_may_group, with_dividends)
        return _of_table(*_parquet(content), False, with_dividends)
    except PriceFileProblem as problem:
        where = "".join(f", {place}" for place in _places(problem, table))
        raise NoPrices([f"The price file of '{symbol}' cannot be used: {path.name}{where}: {problem}."]) from problem


def _places(problem: PriceFileProblem, table: TextTable | None) -> list[str]:
    places = []
    if problem.row is not None:
        places.append(f"row {problem.row + 1 if table is None else table.line_of(problem.row)}")
    if problem.column is not None:
        places.append(f"column '{problem.column}'")
    return places


def _parquet(content: bytes) -> tuple[list[str], "list[pa.ChunkedArray[Any]]"]:
    try:
        # Not memory-mapped: a file truncated by another process would kill this one.
        table = pq.ParquetFile(pa.BufferReader(content)).read(use_threads=False)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise PriceFileProblem("it is not a readable parquet file") from error
    columns = [
        pa.chunked_array([chunk.dictionary_decode() for chunk in column.chunks], column.type.value_type)
        if pa.types.is_dictionary(column.type)
        else column
        for column in table.columns
    ]
    return table.column_names, columns


def _of_table(
    spelled: Sequence[str], columns: "Sequence[pa.ChunkedArray[Any]]", dots_may_group: bool, with_dividends: bool
) -> tuple[Dates, dict[str, Float64Array]]:
    names = [_plain(name) for name in spelled]
    places = _positions(names)
    date_position = places.pop("date")
    if not with_dividends:
        places.pop("dividend", None)
    # Original row numbers, so that messages name the place in the file.
    kept = _rows_with_values([columns[position] for position in (date_position, *places.values())])
    try:
        days = _days(columns[date_position].take(kept), spelled[date_position])
        found = numbers(
            {what: columns[position].take(kept) for what, position in places.items()},
            {what: spelled[position] for what, position in places.items()},
            dots_may_group,
        )
    except PriceFileProblem as problem:
        if problem.row is not None:
            problem.row = kept[problem.row].as_py()
        raise
    return days, found


def _positions(names: Sequence[str]) -> dict[str, int]:
    """Positions of the date and number columns.

    Raises:
        PriceFileProblem: a required column is missing, or a name occurs twice.
    """
    date_position = _position(names, DATE_NAMES)
    if date_position is None:
        raise PriceFileProblem(f"it has no date column among {', '.join(names) or 'no columns at all'}")
    places = {"date": date_position}
    for what, wanted in NAMES.items():
        position = _position(names, wanted, other_than=date_position)
        if position is not None:
            places[what] = position
        elif what not in OPTIONAL:
            raise PriceFileProblem(f"it has no column '{what}' among {', '.join(names)}")
    return places


def _position(names: Sequence[str], wanted: Sequence[str], other_than: int | None = None) -> int | None:
    found = [
        position for name in wanted for position, other in enumerate(names) if other == name and position != other_than
    ]
    if len(found) > 1 and names[found[0]] == names[found[1]]:
        raise PriceFileProblem(f"it has several columns called '{names[found[0]]}'")
    return found[0] if found else None


def _recognised(names: Sequence[str]) -> int:
    known = {name for wanted in NAMES.values() for name in wanted} | {name for name in DATE_NAMES if name}
    return len(known & {_plain(name) for name in names})


def _plain(name: str) -> str:
    two_level = TWO_LEVEL_NAME.fullmatch(name)
    bare = DECORATION.sub("", two_level.group(1) if two_level else name)
    return bare.lower().replace("_", " ").strip()


def _rows_with_values(columns: "Sequence[pa.ChunkedArray[Any]]") -> "pa.Array[Any]":
    """Indices of the rows with a value in any of the columns: spreadsheets leave empty rows at the end."""
    is_there = pc.is_valid(columns[0])
    for column in columns[1:]:
        is_there = pc.or_(is_there, pc.is_valid(column))
    return pa.array(np.flatnonzero(is_there.to_numpy()))


def _days(column: "pa.ChunkedArray[Any]", name: str) -> Dates:
    if column.null_count:
        row = int(np.flatnonzero(column.is_null().to_numpy())[0])
        raise PriceFileProblem(f"a row without a date; {WRITE_ISO}", row, name)
    return read_days(column, name)


def adjusted_rows(columns: Mapping[str, Float64Array]) -> Float64Array:
    """(n_rows, 5) open, high, low, close, volume with prices adjusted for splits and dividends."""
    rows = split_adjusted_rows(columns)
    if "adjusted" in columns:
        with np.errstate(all="ignore"):  # a close of zero leaves a row that cleaning reports
            rows[:, OPEN:CLOSE] *= (columns["adjusted"] / rows[:, CLOSE])[:, np.newaxis]
        rows[:, CLOSE] = columns["adjusted"]
    return rows


def split_adjusted_rows(columns: Mapping[str, Float64Array]) -> Float64Array:
    """(n_rows, 5) open, high, low, close, volume as the file has them."""
    rows = np.full((columns["close"].size, 5), np.nan)
    for column, what in enumerate(("open", "high", "low", "close", "volume")):
        if what in columns:
            rows[:, column] = columns[what]
    return rows
