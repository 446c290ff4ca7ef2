"""One cached history as a parquet file: written atomically, trusted only when intact."""

import json
import os
import zlib
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from src.services.data_provider.base import SuspectBar
from src.services.data_provider.history import COLUMNS, History
from src.services.data_provider.trading_hours import TradingHours

EDITION = 1
"""Increased when the file format changes; files of another edition are fetched again."""

RECORD_KEY = b"hqg_history"


@dataclass(frozen=True, slots=True)
class Record:
    """When a history was fetched and the days it covers.

    Attributes:
        source: name of the source.
        fetched_at: when the source was last asked, with a time zone.
        whole_at: when it was last asked for the whole history.
        covered_to: the history is complete up to this day.
    """

    source: str
    fetched_at: datetime
    whole_at: datetime
    covered_to: date


class NotIntact(ValueError):
    """The file is damaged or not ours; the message says why."""


def write(path: Path, history: History, record: Record) -> None:
    """Replace the file. The path always holds either the old history or the new one.

    Allows only one writer of a path at a time.

    Raises:
        OSError: it could not be written; the old file is untouched.
    """
    content = encode(history, record)
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        with unfinished.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # or a power cut may lose the new name
    finally:
        os.close(folder)


def encode(history: History, record: Record) -> bytes:
    """The file's content."""
    about: dict[str, Any] = {
        "edition": EDITION,
        "symbol": history.symbol,
        "market": asdict(history.market),
        "first_trade_day": history.first_trade_day and history.first_trade_day.isoformat(),
        "notes": [[note.day.isoformat(), note.what] for note in history.notes],
        "source": record.source,
        "fetched_at": record.fetched_at.isoformat(),
        "whole_at": record.whole_at.isoformat(),
        "covered_to": record.covered_to.isoformat(),
    }
    days = history.dates.astype(np.int32)
    about["checksum"] = _checksum(about, days, history.rows)
    columns = {name: pa.array(np.ascontiguousarray(history.rows[:, column])) for column, name in enumerate(COLUMNS)}
    table = pa.table({"day": pa.array(days, pa.date32()), **columns})
    table = table.replace_schema_metadata({RECORD_KEY: json.dumps(about, sort_keys=True).encode()})
    sink = pa.BufferOutputStream()
    # Neither compressed nor encoded: prices hardly shrink, and reads are far more frequent than writes.
    pq.write_table(table, sink, compression="none", use_dictionary=False, write_statistics=False)
    return bytes(sink.getvalue())


def read(path: Path, symbol: str) -> tuple[History, Record]:
    """The history of that symbol and its record.

    Raises:
        NotIntact: the file is damaged, of another edition or symbol, or not ours.
        OSError: it cannot be read.
    """
    content = path.read_bytes()  # not memory-mapped: a truncated file would kill the whole process
    try:
        table = pq.ParquetFile(pa.BufferReader(content)).read(use_threads=False)
        about = json.loads((table.schema.metadata or {}).get(RECORD_KEY, b"{}"))
        if about.get("edition") != EDITION or table.column_names != ["day", *COLUMNS]:
            raise NotIntact("it was not written by this edition of the cache")
        if about["symbol"] != symbol:
            raise NotIntact(f"it holds the prices of {about['symbol']}")
        return _decode(about, table)
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise error if isinstance(error, NotIntact) else NotIntact(f"it cannot be read ({error})") from error


def _decode(about: dict[str, Any], table: pa.Table) -> tuple[History, Record]:
    days = table.column("day").cast(pa.int32()).to_numpy()
    rows = np.empty((days.size, len(COLUMNS)), order="F")  # a file holds columns
    for position, name in enumerate(COLUMNS):
        rows[:, position] = table.column(name).to_numpy()
    if about.pop("checksum") != _checksum(about, days, rows):
        raise NotIntact("its content has changed since it was written")
    first = about["first_trade_day"]
    history = History(
        about["symbol"],
        days.astype("datetime64[D]"),
        rows,
        TradingHours(**about["market"]),
        first and date.fromisoformat(first),
        tuple(SuspectBar(about["symbol"], date.fromisoformat(day), what) for day, what in about["notes"]),
    )
    record = Record(
        source=about["source"],
        fetched_at=datetime.fromisoformat(about["fetched_at"]),
        whole_at=datetime.fromisoformat(about["whole_at"]),
        covered_to=date.fromisoformat(about["covered_to"]),
    )
    return history, record


def _checksum(about: dict[str, Any], days: np.ndarray[Any, Any], rows: np.ndarray[Any, Any]) -> int:
    """Covers the record and all numbers: parquet's page checksums leave out the record."""
    checksum = zlib.crc32(json.dumps(about, sort_keys=True).encode())
    checksum = zlib.crc32(np.ascontiguousarray(days, "<i4").data, checksum)
    return zlib.crc32(np.ascontiguousarray(rows.T, "<f8").data, checksum)
