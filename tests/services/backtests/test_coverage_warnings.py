"""A run on incomplete data gets warnings with dates; one on complete data gets none."""

from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from src.services.backtests.benchmark import Benchmarks, find_benchmarks
from src.services.backtests.coverage_warnings import period_warnings, window_warnings
from src.services.data_provider.base import PriceTable
from src.services.data_provider.calendar import every_day, sessions
from src.services.data_provider.files.provider import FilesProvider


def write(folder: Path, symbol: str, days: np.ndarray, closes: np.ndarray | float) -> None:
    prices = np.broadcast_to(np.asarray(closes, dtype=np.float64), days.shape)
    columns = dict.fromkeys(("open", "high", "low", "close"), prices)
    pq.write_table(pa.table({"date": days, **columns}), folder / f"{symbol}.parquet")


def walk(days: np.ndarray, seed: int) -> np.ndarray:
    return 100 * np.cumprod(1 + np.random.default_rng(seed).normal(0.0004, 0.01, days.size))


class TestTheWindow:
    def test_spy_from_1980_to_2030_is_shortened_at_both_ends(self, market_folder: Path) -> None:
        start, end = date(1980, 1, 1), date(2030, 12, 31)
        prices = FilesProvider(market_folder).fetch(("SPY",), start, end)
        assert window_warnings(prices, start, end) == [
            "The prices begin on 1993-01-29, but the requested window begins on 1980-01-01.",
            "The prices end on 2026-05-01, but the requested window ends on 2030-12-31.",
        ]

    @pytest.mark.parametrize(
        ("start", "end"),
        [
            (date(2015, 1, 1), date(2016, 1, 3)),  # New Year and a weekend
            (date(2001, 9, 11), date(2001, 9, 23)),  # New York was closed until the 17th
            (date(2026, 4, 1), date(2026, 5, 8)),  # five sessions short: other exchanges have long holidays
        ],
    )
    def test_weekends_holidays_and_a_few_sessions_at_the_ends_give_no_warning(
        self, market_folder: Path, start: date, end: date
    ) -> None:
        prices = FilesProvider(market_folder).fetch(("SPY",), start, end)
        assert window_warnings(prices, start, end) == []

    def test_a_sixth_missing_session_gives_a_warning(self, market_folder: Path) -> None:
        start, end = date(2026, 4, 1), date(2026, 5, 11)
        prices = FilesProvider(market_folder).fetch(("SPY",), start, end)
        assert window_warnings(prices, start, end) == [
            "The prices end on 2026-05-01, but the requested window ends on 2026-05-11."
        ]

    def test_symbols_that_begin_later_than_the_run_are_named(self, market_folder: Path) -> None:
        start, end = date(2004, 1, 2), date(2010, 12, 31)
        prices = FilesProvider(market_folder).fetch(("SPY", "BND", "GLD"), start, end)
        assert window_warnings(prices, start, end) == [
            "Prices that begin after the first day of the run, 2004-01-02: BND on 2007-04-10, GLD on 2004-11-18."
        ]

    def test_many_symbols_that_begin_later_are_counted(self) -> None:
        days = sessions(date(2020, 1, 2), date(2020, 12, 31))
        bars = np.ones((days.size, 30, 5))
        bars[:100, 1:] = np.nan
        symbols = tuple(f"S{number}" for number in range(30))
        (warning,) = window_warnings(PriceTable(days, symbols, bars), date(2020, 1, 1), date(2020, 12, 31))
        assert warning.count(" on ") == 10
        assert warning.endswith(" and 19 more.")


class TestPeriods:
    def test_a_usual_year_gives_no_warning(self) -> None:
        assert period_warnings(sessions(date(2015, 1, 1), date(2019, 12, 31))) == []
        assert period_warnings(every_day(date(2015, 1, 1), date(2019, 12, 31))) == []
        assert period_warnings(every_day(date(2015, 1, 1), date(2015, 1, 5))) == []

    def test_a_warning_explains_an_unusual_count(self) -> None:
        days = every_day(date(2015, 1, 1), date(2018, 12, 31))
        (warning,) = period_warnings(days[(days.astype(int) + 3) % 7 < 6])
        assert warning == (
            "Yearly figures count 313 periods a year: the run has 1252 days from 2015-01-01 to 2018-12-31, which is "
            "near neither 252 nor 365 a year."
        )


class TestYardsticks:
    DAYS = sessions(date(2010, 1, 1), date(2019, 12, 31))

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        write(tmp_path, "RUN", self.DAYS, walk(self.DAYS, 1))
        write(tmp_path, "^IRX", self.DAYS, np.linspace(1, 3, self.DAYS.size))
        return tmp_path

    def find(self, folder: Path, benchmark: str | None = None, rate: float | None = 0.0) -> Benchmarks:
        provider = FilesProvider(folder)
        prices = provider.fetch(("RUN",), date(2010, 1, 1), date(2019, 12, 31))
        found = find_benchmarks(provider, prices, benchmark=benchmark, wants_rate=rate is None)
        return found.of_capital(1000.0, rate)

    def test_a_complete_series_of_yields_gives_no_warning(self, folder: Path) -> None:
        found = self.find(folder, rate=None)
        assert found.warnings == ()
        assert found.risk_free_rate == pytest.approx(0.02)

    def test_five_days_of_yields_for_ten_years_give_a_warning(self, folder: Path) -> None:
        write(folder, "^IRX", self.DAYS[:5], 4.9)
        found = self.find(folder, rate=None)
        assert found.risk_free_rate == pytest.approx(0.049)
        assert found.warnings == (
            "The risk-free rate is the mean of ^IRX over 5 of the run's 2516 trading days, from 2010-01-04 to "
            "2010-01-08; give risk_free_rate to choose another.",
        )

    def test_real_yields_with_their_holidays_give_no_warning(self, market_folder: Path) -> None:
        provider = FilesProvider(market_folder)
        for start in (date(1993, 1, 29), date(2003, 11, 1), date(2010, 10, 1)):
            prices = provider.fetch(("SPY",), start, date(start.year + 1, start.month, 28))
            benchmarks = find_benchmarks(provider, prices, benchmark=None, wants_rate=True)
            assert benchmarks.warnings == ()

    def test_a_benchmark_that_begins_late_and_ends_early_is_known_only_on_its_days(self, folder: Path) -> None:
        write(folder, "MARK", self.DAYS[500:2000], walk(self.DAYS[500:2000], 2))
        found = self.find(folder, "MARK")
        assert np.flatnonzero(np.isfinite(found.benchmark)).tolist() == list(range(500, 2000))
        assert found.benchmark[500] == 1000.0
        assert found.warnings == (
            f"The benchmark MARK begins on {self.DAYS[500]}, the run on 2010-01-04 and ends on {self.DAYS[1999]}, the "
            "run on 2019-12-31; metrics relative to it cover only those days.",
        )

    def test_a_benchmark_from_the_universe_is_treated_the_same(self, folder: Path) -> None:
        write(folder, "LATE", self.DAYS[500:], walk(self.DAYS[500:], 2))
        provider = FilesProvider(folder)
        prices = provider.fetch(("RUN", "LATE"), date(2010, 1, 1), date(2019, 12, 31))
        alone = self.find(folder, "LATE")
        beside = find_benchmarks(provider, prices, benchmark="LATE", wants_rate=False).of_capital(1000.0, 0.0)
        assert alone.hash() == beside.hash()
        assert alone.warnings == beside.warnings != ()

    def test_a_benchmark_that_is_closed_on_weekends_covers_a_run_that_begins_and_ends_on_one(
        self, folder: Path
    ) -> None:
        days = every_day(date(2016, 1, 2), date(2016, 12, 31))  # Saturday to Saturday
        write(folder, "COIN", days, walk(days, 3))
        write(folder, "MARK", self.DAYS, walk(self.DAYS, 2))
        provider = FilesProvider(folder)
        prices = provider.fetch(("COIN",), date(2016, 1, 2), date(2016, 12, 31))
        found = find_benchmarks(provider, prices, benchmark="MARK", wants_rate=False).of_capital(1000.0, 0.0)
        assert found.warnings == ()
        assert np.isfinite(found.benchmark).all()
        assert found.benchmark[:3].tolist() == [1000.0, 1000.0, 1000.0]

    def test_gaps_inside_a_benchmark_are_days_without_a_close(self, folder: Path) -> None:
        days = np.concatenate([self.DAYS[:300], self.DAYS[900:]])
        write(folder, "MARK", days, walk(days, 2))
        found = self.find(folder, "MARK")
        assert found.warnings == ()
        assert (found.benchmark[300:900] == found.benchmark[299]).all()
