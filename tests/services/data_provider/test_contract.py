"""The contract suite, on every provider."""

from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from src.services.data_provider.cache.provider import CachedProvider
from src.services.data_provider.files.provider import FilesProvider
from src.services.data_provider.mock.provider import MockProvider
from src.services.data_provider.yahoo.provider import YFDataProvider
from tests.fakes.histories import ProviderHistories
from tests.fakes.yahoo import Clock, LoopbackSession, StandInYahoo, made_up
from tests.services.data_provider.contract import Case, DataProviderContract

START, END = date(2019, 6, 3), date(2020, 2, 28)
EMPTY = (date(1950, 1, 2), date(1950, 12, 29))
UNKNOWN = ("NOPE1", "UNKNOWN2")


def _clock() -> datetime:
    return datetime(2021, 3, 3, 12, tzinfo=UTC)


class TestMock(DataProviderContract):
    @pytest.fixture
    def case(self) -> Case:
        return Case(MockProvider(_clock), ("SPY", "BND", "AAPL"), START, END, UNKNOWN, EMPTY)


class TestFilesOfMadeUpPrices(DataProviderContract):
    @pytest.fixture
    def case(self, tmp_path: Path) -> Case:
        symbols = ("SPY", "^IRX", "BRK-B")
        made_up = MockProvider(_clock).fetch(symbols, date(2019, 1, 2), date(2020, 6, 30))
        for column, symbol in enumerate(symbols):
            bars = made_up.bars[:, column]
            names = ("Open", "High", "Low", "Close", "Volume")
            columns = {name: bars[:, position] for position, name in enumerate(names)}
            table = pa.table({"Date": made_up.dates.astype("datetime64[s]"), **columns})
            if symbol == "SPY":
                lines = [",".join(table.column_names)]
                lines += [",".join(map(str, row.values())) for row in table.to_pylist()]
                (tmp_path / f"{symbol}.csv").write_text("\n".join(lines))
            else:
                pq.write_table(table, tmp_path / f"{symbol}.parquet")
        return Case(FilesProvider(tmp_path), symbols, START, END, UNKNOWN, EMPTY)

    def test_a_file_returns_the_written_values_to_the_last_bit(self, case: Case) -> None:
        from_files = case.provider.fetch(case.known, START, END)
        made_up = MockProvider(_clock).fetch(case.known, START, END)
        np.testing.assert_array_equal(from_files.bars, made_up.bars)


class TestFilesOfRealPrices(DataProviderContract):
    @pytest.fixture
    def case(self, daily_prices: Path) -> Case:
        return Case(FilesProvider(daily_prices), ("SPY", "BND", "AAPL"), START, END, UNKNOWN, EMPTY)


@pytest.fixture
def listed(yahoo: StandInYahoo) -> StandInYahoo:
    """A stand-in for Yahoo with three symbols, one of which pays dividends and is split."""
    yahoo.clock.now = _clock()
    for symbol in ("SPY", "AAPL", "^IRX"):
        yahoo.listings[symbol] = made_up(symbol, date(2018, 6, 1), date(2022, 1, 1))
    yahoo.listings["AAPL"].pay_dividend(date(2019, 8, 9), 0.5)
    yahoo.listings["AAPL"].split(date(2020, 1, 31), 4)
    return yahoo


class TestYahoo(DataProviderContract):
    @pytest.fixture
    def case(self, listed: StandInYahoo, yahoo_state: Path) -> Case:
        provider = YFDataProvider(listed.clock, yahoo_state, session=LoopbackSession(listed.base))
        return Case(provider, ("SPY", "AAPL", "^IRX"), START, END, UNKNOWN, EMPTY)


class TestCacheAroundYahoo(DataProviderContract):
    @pytest.fixture
    def case(self, listed: StandInYahoo, yahoo_state: Path, tmp_path: Path) -> Case:
        source = YFDataProvider(listed.clock, yahoo_state, session=LoopbackSession(listed.base))
        provider = CachedProvider(source, tmp_path / "cache", listed.clock)
        return Case(provider, ("SPY", "AAPL", "^IRX"), START, END, UNKNOWN, EMPTY)


class TestCacheAroundMock(DataProviderContract):
    @pytest.fixture
    def case(self, tmp_path: Path) -> Case:
        provider = CachedProvider(ProviderHistories(MockProvider(_clock)), tmp_path, _clock)
        return Case(provider, ("SPY", "BND", "AAPL"), START, END, UNKNOWN, EMPTY)

    def test_the_cache_returns_the_values_of_its_source_to_the_last_bit(self, case: Case) -> None:
        cached = case.provider.fetch(case.known, START, END)
        assert cached.data_hash() == MockProvider(_clock).fetch(case.known, START, END).data_hash()


class TestCacheAroundFiles(DataProviderContract):
    @pytest.fixture
    def case(self, daily_prices: Path, tmp_path: Path) -> Case:
        clock = Clock(datetime(2026, 11, 20, 12, tzinfo=UTC))
        provider = CachedProvider(ProviderHistories(FilesProvider(daily_prices)), tmp_path, clock)
        return Case(provider, ("SPY", "BND", "AAPL"), START, END, UNKNOWN, EMPTY)


class TestCacheWithoutMemory(DataProviderContract):
    @pytest.fixture
    def case(self, tmp_path: Path) -> Case:
        source = ProviderHistories(MockProvider(_clock))
        return Case(CachedProvider(source, tmp_path, _clock, 0), ("SPY", "BND", "AAPL"), START, END, UNKNOWN, EMPTY)
