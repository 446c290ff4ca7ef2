"""A dataset is gathered once, for as long as the prices that decide it stay the same."""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from src.errors import NoPrices
from src.services.backtests.dataset import DataRequest, Dataset
from src.services.backtests.datasets import Datasets
from src.services.data_provider.base import DataProvider, PriceTable, Yields
from src.services.data_provider.cache.provider import CachedProvider
from src.services.data_provider.calendar import sessions
from src.services.data_provider.files.provider import FilesProvider
from src.services.data_provider.mock.provider import MockProvider
from src.utils.deadline import NO_DEADLINE
from tests.fakes.histories import ProviderHistories
from tests.fakes.yahoo import Clock

WANTED = DataRequest(("SPY", "BND"), date(2015, 1, 2), date(2015, 12, 31), "dividends_and_splits", "QQQ", True)
SYMBOLS = ("SPY", "BND", "QQQ", "^IRX")
DAYS = sessions(date(2014, 1, 2), date(2016, 12, 30))


class Counted:
    """A provider that counts what it is asked for."""

    def __init__(self, provider: DataProvider) -> None:
        self._provider = provider
        self.name, self.is_synthetic, self.version = provider.name, provider.is_synthetic, provider.version
        self.n_asked = 0

    def fetch(self, symbols: Sequence[str], *arguments: Any, **options: Any) -> PriceTable:
        self.n_asked += 1
        return self._provider.fetch(symbols, *arguments, **options)

    def fetch_yields(self, symbol: str, *arguments: Any) -> Yields:
        self.n_asked += 1
        return self._provider.fetch_yields(symbol, *arguments)


def write(folder: Path, symbol: str, seed: int = 0) -> None:
    prices = 100 * np.exp(np.cumsum(np.random.default_rng([seed, *symbol.encode()]).normal(0, 0.01, DAYS.size)))
    columns = dict.fromkeys(("Open", "High", "Low", "Close"), prices) | {"Volume": np.full(DAYS.size, 1e6)}
    pq.write_table(pa.table({"Date": DAYS, **columns}), folder / f"{symbol}.parquet")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for symbol in SYMBOLS:
        write(tmp_path, symbol)
    return tmp_path


def prepared(datasets: Datasets, wanted: DataRequest = WANTED) -> Dataset:
    return datasets.prepare(wanted, NO_DEADLINE)


def test_a_dataset_is_gathered_once(folder: Path) -> None:
    provider = Counted(FilesProvider(folder))
    datasets = Datasets(provider)
    first = prepared(datasets)
    n_asked = provider.n_asked
    assert n_asked == 3
    assert prepared(datasets) is first
    assert provider.n_asked == n_asked


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_a_changed_price_file_is_noticed(folder: Path, symbol: str) -> None:
    datasets = Datasets(FilesProvider(folder))
    before = prepared(datasets)
    write(folder, symbol, seed=1)
    after = prepared(datasets)
    assert facts(after) != facts(before)
    assert facts(after) == facts(prepared(Datasets(FilesProvider(folder))))


def facts(dataset: Dataset) -> tuple[str, str]:
    return dataset.data_hash, dataset.benchmark.of_capital(1.0, None).hash()


def test_a_price_file_replaced_by_one_of_the_same_size_and_time_is_noticed(folder: Path) -> None:
    datasets, path = Datasets(FilesProvider(folder)), folder / "SPY.parquet"
    before, status = prepared(datasets), path.stat()
    path.rename(folder / "earlier")
    write(folder, "SPY", seed=1)
    assert path.stat().st_size == status.st_size
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert prepared(datasets).data_hash != before.data_hash


def test_a_price_file_that_goes_is_noticed(folder: Path) -> None:
    datasets = Datasets(FilesProvider(folder))
    prepared(datasets)
    (folder / "SPY.parquet").unlink()
    with pytest.raises(NoPrices, match="SPY"):
        prepared(datasets)
    (folder / "QQQ.parquet").unlink()
    write(folder, "SPY")
    assert "no benchmark" in prepared(datasets).benchmark.warnings[0]


@pytest.mark.parametrize("symbol", ["QQQ", "^IRX"])
def test_a_dataset_without_a_benchmark_or_rate_is_gathered_once_until_the_file_is_there(
    folder: Path, symbol: str
) -> None:
    (folder / f"{symbol}.parquet").unlink()
    provider = Counted(FilesProvider(folder))
    datasets = Datasets(provider)
    without = prepared(datasets)
    n_asked = provider.n_asked
    assert prepared(datasets) is without
    assert provider.n_asked == n_asked
    write(folder, symbol)
    assert len(prepared(datasets).benchmark.warnings) == len(without.benchmark.warnings) - 1


def _mock(clock: Callable[[], datetime], _folder: Path) -> DataProvider:
    return MockProvider(clock)


def _cached(clock: Callable[[], datetime], folder: Path) -> DataProvider:
    return CachedProvider(ProviderHistories(MockProvider(clock)), folder, clock)


@pytest.mark.parametrize("provider_of", [_mock, _cached])
def test_a_new_day_is_noticed(provider_of: Callable[..., DataProvider], tmp_path: Path) -> None:
    clock = Clock(datetime(2021, 3, 3, 12, tzinfo=UTC))
    provider = Counted(provider_of(clock, tmp_path))
    datasets, wanted = Datasets(provider), replace(WANTED, end=date(2021, 12, 31))
    prepared(datasets, wanted)
    before, n_asked = prepared(datasets, wanted), provider.n_asked
    assert prepared(datasets, wanted) is before
    assert provider.n_asked == n_asked
    clock.now += timedelta(days=1)
    after = prepared(datasets, wanted)
    assert [dataset.prices.dates[-1].item() for dataset in (before, after)] == [date(2021, 3, 2), date(2021, 3, 3)]


def test_every_part_of_a_request_has_its_own_dataset(folder: Path) -> None:
    datasets = Datasets(FilesProvider(folder))
    others = [
        replace(WANTED, symbols=("BND", "SPY")),
        replace(WANTED, start=date(2015, 2, 2)),
        replace(WANTED, end=date(2015, 11, 30)),
        replace(WANTED, benchmark="BND"),
        replace(WANTED, benchmark=None),
        replace(WANTED, wants_rate=False),
    ]
    for wanted in (WANTED, *others):
        assert facts_of_rate(prepared(datasets, wanted)) == facts_of_rate(
            prepared(Datasets(FilesProvider(folder)), wanted)
        )
    assert len({facts_of_rate(prepared(datasets, wanted)) for wanted in (WANTED, *others)}) == 1 + len(others)


def facts_of_rate(dataset: Dataset) -> tuple[Any, ...]:
    closes = dataset.benchmark.closes
    return dataset.data_hash, dataset.benchmark.risk_free_rate, None if closes is None else closes.tobytes()


def test_the_memory_for_datasets_is_bounded(folder: Path) -> None:
    provider = Counted(FilesProvider(folder))
    size = prepared(Datasets(provider)).size_bytes
    datasets = Datasets(provider, cache_bytes=size - 1)
    n_asked = provider.n_asked
    assert prepared(datasets) is not prepared(datasets)
    assert provider.n_asked == n_asked + 6
