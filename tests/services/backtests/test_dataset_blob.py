"""A dataset survives as bytes: everything that decides a result comes back, and equal datasets are equal bytes."""

import hashlib
import json
from dataclasses import fields, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from src.services.backtests.benchmark import BenchmarkData
from src.services.backtests.dataset import DataRequest, Dataset, gather
from src.services.backtests.dataset_blob import DESCRIPTION_KEY, NotADataset, decode, encode
from src.services.data_provider.base import PriceTable, SuspectBar
from src.services.data_provider.files.provider import FilesProvider
from src.services.data_provider.mock.provider import MockProvider
from src.utils.deadline import NO_DEADLINE

WANTED = DataRequest(("B", "A"), date(2015, 1, 1), date(2015, 1, 31), "splits", "Q", True)
NO_DATES = np.array([], "datetime64[D]")
WARM_UP = PriceTable(np.array(["2014-12-30", "2014-12-31"], "datetime64[D]"), ("B", "A"), 2.0 + np.ones((2, 2, 5)))


def full() -> Dataset:
    """A dataset in which every field says something."""
    dates = np.array(["2015-01-02", "2015-01-05", "2015-01-06"], "datetime64[D]")
    bars = 1.0 + np.arange(30.0).reshape(3, 2, 5) / 7
    bars[1, 0], bars[2, 1, 4] = np.nan, np.nan
    prices = PriceTable(
        dates,
        ("B", "A"),
        bars,
        suspects=(SuspectBar("A", date(2015, 1, 5), "a «bar» \ud800 like no other"),),
        fetched_at={"B": datetime(2026, 1, 5, 12, 30, 1, 5, UTC)},
        history_ends={"B": date(2015, 1, 6), "A": date(2020, 1, 1)},
        known_to={"A": date(2026, 1, 2)},
        dividends=np.array([[0.0, 0.1], [0.0, 0.0], [1 / 3, 0.0]]),
        dividend_factors={"B": 0.1 + 0.2, "A": float("nan")},
    )
    closes = np.array([1.5, np.nan, 1.75])
    benchmark = BenchmarkData(closes, (0, 3), date(2015, 1, 6), 1 / 7, ("The benchmark is odd.",))
    return Dataset(WANTED, "files", True, prices, benchmark, {1: 2, 0: 1})


def facts(value: Any) -> Any:
    """Everything in a dataset, comparable; order counts too."""
    if isinstance(value, np.ndarray):
        return str(value.dtype), value.shape, value.tobytes()
    if isinstance(value, Dataset | PriceTable | BenchmarkData):
        return {field.name: facts(getattr(value, field.name)) for field in fields(value)}
    return repr(value)


def test_everything_in_a_dataset_comes_back() -> None:
    dataset = full()
    again = decode(encode(dataset))
    assert facts(again) == facts(dataset)
    assert again.wanted == dataset.wanted
    assert (again.data_hash, again.origins) == (dataset.data_hash, dataset.origins)


@pytest.mark.parametrize(
    "changes",
    [
        {"benchmark": BenchmarkData(risk_free_rate=0.0)},
        {"benchmark": BenchmarkData()},
        {"delistings": {}},
        {"prices": replace(full().prices, dividends=None)},
        {"warm_up": WARM_UP, "wanted": replace(WANTED, warmup_bars=2, bar_size="1w")},
        {"warm_up": WARM_UP, "benchmark": BenchmarkData(), "prices": replace(full().prices, dividends=None)},
        {"warm_up": PriceTable(NO_DATES, ("B", "A"), np.empty((0, 2, 5)))},
    ],
    ids=[
        *("no benchmark", "neither benchmark nor rate", "no delistings", "no dividends"),
        *("but a warm-up", "but a warm-up alone", "but a warm-up without prices"),
    ],
)
def test_what_a_dataset_lacks_it_lacks_afterwards(changes: dict[str, Any]) -> None:
    dataset = replace(full(), **changes)
    assert facts(decode(encode(dataset))) == facts(dataset)


def test_real_prices_come_back(market_folder: Path) -> None:
    wanted = DataRequest(("SPY", "BND"), date(2010, 1, 1), date(2020, 12, 31), "dividends_and_splits", "SPY", True)
    dataset = gather(FilesProvider(market_folder), wanted, NO_DEADLINE)
    assert facts(decode(encode(dataset))) == facts(dataset)


def test_equal_datasets_are_equal_bytes_wherever_their_numbers_lie_in_memory() -> None:
    wanted = DataRequest(("SPY", "COIN-USD"), date(2015, 1, 1), date(2015, 12, 31), "dividends_and_splits", "Q", True)
    provider = MockProvider(lambda: datetime(2026, 1, 5, tzinfo=UTC))
    dataset = gather(provider, wanted, NO_DEADLINE)
    content = encode(dataset)
    longer = gather(provider, replace(wanted, end=date(2016, 12, 31)), NO_DEADLINE)
    window = replace(longer.prices.window(wanted.start, wanted.end), history_ends=dataset.prices.history_ends)
    closes = np.concatenate([longer.benchmark.closes, longer.benchmark.closes])[: window.dates.size]
    benchmark = replace(dataset.benchmark, closes=closes)
    assert encode(replace(dataset, prices=window, benchmark=benchmark)) == content
    assert encode(decode(content)) == content


def test_the_bytes_are_those_of_every_machine() -> None:
    """If an upgrade of pyarrow changes them, stored datasets stay readable and this is the place for the new hash."""
    assert (
        hashlib.sha256(encode(full())).hexdigest() == "a1bdabb43a687bed10818fbadffedca7027d77ac47d470758a7ed93e883d2993"
    )


def test_any_arrow_reader_can_read_the_prices() -> None:
    table = pa.ipc.open_stream(encode(full())).read_all()
    assert table.column_names == ["day", "bars", "dividends", "benchmark"]
    assert table.column("day").to_pylist()[0] == date(2015, 1, 2)
    assert table.column("bars").to_pylist()[0] == full().prices.bars[0].reshape(-1).tolist()


def test_what_was_read_cannot_be_changed() -> None:
    dataset = decode(encode(full()))
    for array in (dataset.prices.bars, dataset.prices.dates, dataset.prices.dividends, dataset.benchmark.closes):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = array[1]


def described(**changes: Any) -> bytes:
    """A dataset whose description is changed."""
    batch = pa.ipc.open_stream(encode(full())).read_next_batch()
    about = json.loads(batch.schema.metadata[DESCRIPTION_KEY]) | changes
    batch = batch.replace_schema_metadata({DESCRIPTION_KEY: json.dumps(about)})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return sink.getvalue().to_pybytes()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"prices",
        encode(full())[:-400],
        encode(full())[:300],
        described(edition=0),
        described(wanted=None),
        described(wanted={"symbols": ["A"]}),
        described(suspects=[1]),
        described(history_ends={"A": "tomorrow"}),
        described(delistings=7),
    ],
)
def test_what_is_no_dataset_is_refused(content: bytes) -> None:
    with pytest.raises(NotADataset):
        decode(content)
