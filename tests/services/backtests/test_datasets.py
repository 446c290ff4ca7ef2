"""A dataset is gathered once, for as long as the prices that decide it stay the same."""

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from src.errors import NoPrices
from src.services.backtests.dataset import DataRequest, Dataset
from src.services.backtests.datasets import Datasets
from src.services.data_provider.base import DataProvider
from src.services.data_provider.cache.provider import CachedProvider
from src.services.data_provider.files.provider import FilesProvider
from src.services.data_provider.mock.provider import MockProvider
from src.utils.deadline import NO_DEADLINE
from tests.fakes.blob_store import FakeBlobs
from tests.fakes.counted_provider import CountedProvider
from tests.fakes.histories import ProviderHistories
from tests.fakes.price_files import write_random_prices
from tests.fakes.yahoo import Clock

WANTED = DataRequest(("SPY", "BND"), date(2015, 1, 2), date(2015, 12, 31), "dividends_and_splits", "QQQ", True)
SYMBOLS = ("SPY", "BND", "QQQ", "^IRX")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for symbol in SYMBOLS:
        write_random_prices(tmp_path, symbol)
    return tmp_path


def prepared(datasets: Datasets, wanted: DataRequest = WANTED) -> Dataset:
    return datasets.prepare(wanted, NO_DEADLINE)


def test_a_dataset_is_gathered_once(folder: Path) -> None:
    provider = CountedProvider(FilesProvider(folder))
    datasets = Datasets(provider, FakeBlobs())
    first = prepared(datasets)
    n_asked = provider.n_asked
    assert n_asked == 3
    assert prepared(datasets) is first
    assert provider.n_asked == n_asked


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_a_changed_price_file_is_noticed(folder: Path, symbol: str) -> None:
    datasets = Datasets(FilesProvider(folder), FakeBlobs())
    before = prepared(datasets)
    write_random_prices(folder, symbol, seed=1)
    after = prepared(datasets)
    assert facts(after) != facts(before)
    assert facts(after) == facts(prepared(Datasets(FilesProvider(folder), FakeBlobs())))


def facts(dataset: Dataset) -> tuple[str, str]:
    return dataset.data_hash, dataset.benchmark.of_capital(1.0, None).hash()


def test_a_price_file_replaced_by_one_of_the_same_size_and_time_is_noticed(folder: Path) -> None:
    datasets, path = Datasets(FilesProvider(folder), FakeBlobs()), folder / "SPY.parquet"
    before, status = prepared(datasets), path.stat()
    path.rename(folder / "earlier")
    write_random_prices(folder, "SPY", seed=1)
    assert path.stat().st_size == status.st_size
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert prepared(datasets).data_hash != before.data_hash


def test_a_price_file_that_goes_is_noticed(folder: Path) -> None:
    datasets = Datasets(FilesProvider(folder), FakeBlobs())
    prepared(datasets)
    (folder / "SPY.parquet").unlink()
    with pytest.raises(NoPrices, match="SPY"):
        prepared(datasets)
    (folder / "QQQ.parquet").unlink()
    write_random_prices(folder, "SPY")
    assert "no benchmark" in prepared(datasets).benchmark.warnings[0]


@pytest.mark.parametrize("symbol", ["QQQ", "^IRX"])
def test_a_dataset_without_a_benchmark_or_rate_is_gathered_once_until_the_file_is_there(
    folder: Path, symbol: str
) -> None:
    (folder / f"{symbol}.parquet").unlink()
    provider = CountedProvider(FilesProvider(folder))
    datasets = Datasets(provider, FakeBlobs())
    without = prepared(datasets)
    n_asked = provider.n_asked
    assert prepared(datasets) is without
    assert provider.n_asked == n_asked
    write_random_prices(folder, symbol)
    assert len(prepared(datasets).benchmark.warnings) == len(without.benchmark.warnings) - 1


def _mock(clock: Callable[[], datetime], _folder: Path) -> DataProvider:
    return MockProvider(clock)


def _cached(clock: Callable[[], datetime], folder: Path) -> DataProvider:
    return CachedProvider(ProviderHistories(MockProvider(clock)), folder, clock)


@pytest.mark.parametrize("provider_of", [_mock, _cached])
def test_a_new_day_is_noticed(provider_of: Callable[..., DataProvider], tmp_path: Path) -> None:
    clock = Clock(datetime(2021, 3, 3, 12, tzinfo=UTC))
    provider = CountedProvider(provider_of(clock, tmp_path))
    datasets, wanted = Datasets(provider, FakeBlobs()), replace(WANTED, end=date(2021, 12, 31))
    prepared(datasets, wanted)
    before, n_asked = prepared(datasets, wanted), provider.n_asked
    assert prepared(datasets, wanted) is before
    assert provider.n_asked == n_asked
    clock.now += timedelta(days=1)
    after = prepared(datasets, wanted)
    assert [dataset.prices.dates[-1].item() for dataset in (before, after)] == [date(2021, 3, 2), date(2021, 3, 3)]


def test_every_part_of_a_request_has_its_own_dataset(folder: Path) -> None:
    datasets = Datasets(FilesProvider(folder), FakeBlobs())
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
            prepared(Datasets(FilesProvider(folder), FakeBlobs()), wanted)
        )
    assert len({facts_of_rate(prepared(datasets, wanted)) for wanted in (WANTED, *others)}) == 1 + len(others)


def facts_of_rate(dataset: Dataset) -> tuple[Any, ...]:
    closes = dataset.benchmark.closes
    return dataset.data_hash, dataset.benchmark.risk_free_rate, None if closes is None else closes.tobytes()


def test_the_memory_for_datasets_is_bounded(folder: Path) -> None:
    provider = CountedProvider(FilesProvider(folder))
    size = prepared(Datasets(provider, FakeBlobs())).size_bytes
    datasets = Datasets(provider, FakeBlobs(), cache_bytes=size - 1)
    n_asked = provider.n_asked
    assert prepared(datasets) is not prepared(datasets)
    assert provider.n_asked == n_asked + 6


def of_folder(folder: Path, blobs: FakeBlobs) -> tuple[CountedProvider, Datasets]:
    """As a process opens them that has nothing in memory yet."""
    provider = CountedProvider(FilesProvider(folder))
    return provider, Datasets(provider, blobs)


def test_a_stored_dataset_is_found_by_its_hash_without_asking_the_provider(folder: Path) -> None:
    blobs = FakeBlobs()
    _, datasets = of_folder(folder, blobs)
    before = prepared(datasets)
    name = datasets.store(before)
    write_random_prices(folder, "SPY", seed=1)
    for provider, service in ((None, datasets), of_folder(folder, blobs)):
        after = service.prepare(WANTED, NO_DEADLINE, stored=name)
        assert facts(after) == facts(before)
        assert provider is None or provider.n_asked == 0
        assert service.store(after) == name
    assert list(blobs.contents) == [name]


def test_a_dataset_is_stored_once(folder: Path) -> None:
    blobs = FakeBlobs()
    _, datasets = of_folder(folder, blobs)
    names = {datasets.store(prepared(datasets)) for _ in range(3)}
    names.add(of_folder(folder, blobs)[1].store(prepared(datasets)))
    assert names == set(blobs.contents)
    assert len(names) == 1


def test_a_dataset_that_was_removed_is_stored_again(folder: Path) -> None:
    blobs = FakeBlobs()
    _, datasets = of_folder(folder, blobs)
    name = datasets.store(prepared(datasets))
    blobs.contents.clear()
    assert datasets.store(prepared(datasets), stored=name) == name
    assert list(blobs.contents) == [name]


def test_an_equal_dataset_that_is_still_stored_is_named_instead(folder: Path) -> None:
    blobs = FakeBlobs()
    _, datasets = of_folder(folder, blobs)
    equal = blobs.put(b"equal")
    assert datasets.store(prepared(datasets), stored=equal) == equal
    assert list(blobs.contents) == [equal]


def _remove(blobs: FakeBlobs, name: str) -> None:
    del blobs.contents[name]


def _damage(blobs: FakeBlobs, name: str) -> None:
    blobs.contents[name] = blobs.contents[name][:-1] + b"?"


def _truncate(blobs: FakeBlobs, name: str) -> None:
    blobs.contents[name] = blobs.contents[name][:100]


@pytest.mark.parametrize("spoil", [_remove, _damage, _truncate])
def test_a_stored_dataset_that_is_gone_or_damaged_is_prepared_again(
    folder: Path, spoil: Callable[[FakeBlobs, str], None], caplog: pytest.LogCaptureFixture
) -> None:
    blobs = FakeBlobs()
    _, datasets = of_folder(folder, blobs)
    before = prepared(datasets)
    name = datasets.store(before)
    spoil(blobs, name)
    provider, other = of_folder(folder, blobs)
    after = other.prepare(WANTED, NO_DEADLINE, stored=name)
    assert (facts(after), provider.n_asked) == (facts(before), 3)
    assert name in caplog.text


@pytest.mark.parametrize("stored", ["", "../../etc/passwd", "A" * 64, "0" * 64])
def test_a_name_that_no_dataset_has_means_preparing_it(folder: Path, stored: str) -> None:
    provider, datasets = of_folder(folder, FakeBlobs())
    datasets.prepare(WANTED, NO_DEADLINE, stored=stored)
    assert provider.n_asked == 3


def test_a_blob_that_is_no_dataset_or_another_one_means_preparing_it(folder: Path) -> None:
    blobs = FakeBlobs()
    _, datasets = of_folder(folder, blobs)
    other = datasets.store(prepared(datasets, replace(WANTED, end=date(2015, 11, 30))))
    for stored in (blobs.put(b"not a dataset"), other):
        provider, datasets = of_folder(folder, blobs)
        assert datasets.prepare(WANTED, NO_DEADLINE, stored=stored).wanted == WANTED
        assert provider.n_asked == 3


def test_a_full_disk_leaves_a_run_without_a_stored_dataset_and_a_warning(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blobs = FakeBlobs()
    blobs.is_full = True
    _, datasets = of_folder(folder, blobs)
    assert datasets.store(prepared(datasets)) is None
    assert "no space is left" in caplog.text
