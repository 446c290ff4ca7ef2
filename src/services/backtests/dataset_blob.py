"""A dataset as bytes: one Arrow record batch and a description. The same dataset is the same bytes on every machine."""

import io
import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

import numpy as np
import pyarrow as pa

from src.services.backtests.benchmark import BenchmarkData
from src.services.backtests.dataset import DataRequest, Dataset
from src.services.data_provider.arrays import Dates, Float64Array
from src.services.data_provider.base import PriceTable, SuspectBar

EDITION = 1
"""Increased when the format changes; datasets of another edition are prepared again."""

DESCRIPTION_KEY = b"hqg_dataset"


class NotADataset(ValueError):
    """The bytes are not a dataset of this edition; the message says why."""


def encode(dataset: Dataset) -> bytes:
    """The dataset's bytes: an Arrow IPC stream, uncompressed, which is read without copying.

    Its columns are the day, all bars of the day, and where there are any the dividends of the day and the benchmark's
    close. A warm-up is a second batch.
    """
    prices, closes = dataset.prices, dataset.benchmark.closes
    columns = {"day": pa.array(prices.dates, pa.date32()), "bars": _rows(prices.bars)}
    if prices.dividends is not None:
        columns["dividends"] = _rows(prices.dividends)
    if closes is not None:
        columns["benchmark"] = pa.array(closes)
    batch = pa.record_batch(columns).replace_schema_metadata({DESCRIPTION_KEY: json.dumps(_description(dataset))})
    stream = io.BytesIO()
    with pa.ipc.new_stream(stream, batch.schema) as writer:
        writer.write_batch(batch)
        if dataset.warm_up is not None:
            writer.write_batch(_warm_up_batch(dataset.warm_up, batch.schema))
    return stream.getvalue()


def decode(content: bytes) -> Dataset:
    """The dataset of these bytes, which it shares.

    Raises:
        NotADataset
    """
    try:
        with pa.ipc.open_stream(pa.py_buffer(content)) as stream:
            about = json.loads((stream.schema.metadata or {}).get(DESCRIPTION_KEY, b"{}"))
            if about.get("edition") != EDITION:
                raise NotADataset(f"its edition is {about.get('edition')}, not {EDITION}")
            return _dataset(
                about, stream.read_next_batch(), stream.read_next_batch() if about.get("has_warm_up") else None
            )
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError, AttributeError, StopIteration) as error:
        raise error if isinstance(error, NotADataset) else NotADataset(f"it cannot be read ({error})") from error


def _rows(numbers: Float64Array) -> Any:
    """(n_days, …) as one list per day."""
    return pa.FixedSizeListArray.from_arrays(pa.array(numbers.reshape(-1)), int(np.prod(numbers.shape[1:])))


def _description(dataset: Dataset) -> dict[str, Any]:
    prices, benchmark = dataset.prices, dataset.benchmark
    wanted = asdict(dataset.wanted)
    if not dataset.wanted.warmup_bars:
        del wanted["warmup_bars"], wanted["bar_size"]
    return {
        "edition": EDITION,
        "wanted": wanted | {"start": wanted["start"].isoformat(), "end": wanted["end"].isoformat()},
        "source": dataset.source,
        "is_synthetic": dataset.is_synthetic,
        "suspects": [[suspect.symbol, suspect.day.isoformat(), suspect.what] for suspect in prices.suspects],
        "fetched_at": _iso(prices.fetched_at),
        "history_ends": _iso(prices.history_ends),
        "known_to": _iso(prices.known_to),
        "dividend_factors": dict(prices.dividend_factors),
        "covered": benchmark.covered,
        "benchmark_end": benchmark.history_end and benchmark.history_end.isoformat(),
        "risk_free_rate": benchmark.risk_free_rate,
        "benchmark_warnings": benchmark.warnings,
        "delistings": list(dataset.delistings.items()),
        **({} if dataset.warm_up is None else {"has_warm_up": True}),
    }


def _iso(moments: Mapping[str, date]) -> dict[str, str]:
    return {symbol: moment.isoformat() for symbol, moment in moments.items()}


def _dataset(about: dict[str, Any], batch: Any, earlier: Any) -> Dataset:
    wanted = about["wanted"]
    start, end = date.fromisoformat(wanted["start"]), date.fromisoformat(wanted["end"])
    symbols = tuple(wanted["symbols"])
    columns = dict(zip(batch.schema.names, batch.columns, strict=True))
    prices = PriceTable(
        _dates(batch),
        symbols,
        _bars(batch, len(symbols)),
        tuple(SuspectBar(symbol, date.fromisoformat(day), what) for symbol, day, what in about["suspects"]),
        {symbol: datetime.fromisoformat(moment) for symbol, moment in about["fetched_at"].items()},
        _days(about["history_ends"]),
        _days(about["known_to"]),
        columns["dividends"].values.to_numpy().reshape(batch.num_rows, -1) if "dividends" in columns else None,
        about["dividend_factors"],
    )
    benchmark = BenchmarkData(
        columns["benchmark"].to_numpy() if "benchmark" in columns else None,
        tuple(about["covered"]),
        about["benchmark_end"] and date.fromisoformat(about["benchmark_end"]),
        about["risk_free_rate"],
        tuple(about["benchmark_warnings"]),
    )
    return Dataset(
        DataRequest(**wanted | {"symbols": symbols, "start": start, "end": end}),
        about["source"],
        about["is_synthetic"],
        prices,
        benchmark,
        dict(about["delistings"]),
        None if earlier is None else PriceTable(_dates(earlier), symbols, _bars(earlier, len(symbols))),
    )


def _dates(batch: Any) -> Dates:
    dates: Dates = batch.column("day").to_numpy(zero_copy_only=False).astype("datetime64[D]")
    return dates


def _bars(batch: Any, n_symbols: int) -> Float64Array:
    bars: Float64Array = batch.column("bars").values.to_numpy().reshape(batch.num_rows, n_symbols, 5)
    return bars


def _warm_up_batch(prices: PriceTable, schema: Any) -> Any:
    """The days and bars of a warm-up, in the schema of the window; its other columns are null."""
    columns = {"day": pa.array(prices.dates, pa.date32()), "bars": _rows(prices.bars)}
    return pa.record_batch(
        [columns.get(field.name, pa.nulls(len(prices.dates), field.type)) for field in schema], schema=schema
    )


def _days(days: Mapping[str, str]) -> dict[str, date]:
    return {symbol: date.fromisoformat(day) for symbol, day in days.items()}
