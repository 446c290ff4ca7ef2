"""The contract suite, on every provider."""

from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from src.services.data_provider.files import FilesProvider
from src.services.data_provider.mock import MockProvider
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

    def test_a_file_gives_back_what_was_written_to_the_last_bit(self, case: Case) -> None:
        from_files = case.provider.fetch(case.known, START, END)
        made_up = MockProvider(_clock).fetch(case.known, START, END)
        np.testing.assert_array_equal(from_files.bars, made_up.bars)


class TestFilesOfRealPrices(DataProviderContract):
    @pytest.fixture
    def case(self, daily_prices: Path) -> Case:
        return Case(FilesProvider(daily_prices), ("SPY", "BND", "AAPL"), START, END, UNKNOWN, EMPTY)
