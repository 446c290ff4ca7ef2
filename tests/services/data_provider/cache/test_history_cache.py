"""The cache asks when the calendar shows that days are missing, and never mixes two answers."""

import errno
import logging
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from src.errors import NoPrices, PriceSourceUnavailable
from src.services.data_provider.cache import history_file
from src.services.data_provider.cache.provider import CachedProvider
from src.services.data_provider.calendar import every_day, sessions
from src.services.data_provider.history import CLOSE, History
from tests.fakes.histories import EVERY_DAY_MARKET, FakeSource, history, with_dividend, with_split
from tests.fakes.yahoo import Clock

LISTED, FOREVER = date(2015, 6, 1), date(2024, 12, 31)
START = date(2020, 1, 2)
FRIDAY = date(2021, 2, 26)


@pytest.fixture
def clock() -> Clock:
    """Saturday, so that Friday's bar is final."""
    return Clock(datetime(2021, 2, 27, 12, tzinfo=UTC))


@pytest.fixture
def source(clock: Clock) -> FakeSource:
    """Knows SPY, listed in 2015, and BTC-USD, which trades every day."""
    source = FakeSource(clock)
    source.histories["SPY"] = history("SPY", sessions(LISTED, FOREVER))
    source.histories["BTC-USD"] = history("BTC-USD", every_day(LISTED, FOREVER), EVERY_DAY_MARKET, seed=1)
    return source


@pytest.fixture
def provider(source: FakeSource, clock: Clock, tmp_path: Path) -> CachedProvider:
    return CachedProvider(source, tmp_path, clock)


def whole_answer(source: FakeSource, clock: Clock, folder: Path, end: date) -> str:
    """The data hash from an empty cache."""
    return CachedProvider(source, folder, clock).fetch(("SPY",), START, end).data_hash()


class TestWhenItAsks:
    def test_earlier_days_of_a_symbol_listed_in_2015_are_requested_only_once(self, provider, source):
        for start in (date(2000, 1, 3), date(1995, 1, 2), date(2016, 1, 4), date(2000, 1, 3)):
            provider.fetch(("SPY",), start, FRIDAY)
        with pytest.raises(NoPrices, match="2015-06-01"):
            provider.fetch(("SPY",), date(2000, 1, 3), date(2000, 12, 29))
        assert source.asked == [("SPY", None)]

    def test_weekends_and_the_hours_before_the_close_cause_no_request(self, provider, source, clock):
        provider.fetch(("SPY",), START, FRIDAY)
        for moment in [(2021, 2, 28, 3, 0), (2021, 3, 1, 9, 31), (2021, 3, 1, 15, 59), (2021, 3, 1, 16, 59)]:
            clock.set(*moment)
            provider.fetch(("SPY",), START, date(2021, 3, 1))
        assert len(source.asked) == 1
        clock.set(2021, 3, 1, 17, 0)
        assert provider.fetch(("SPY",), START, date(2021, 3, 1)).dates[-1].item() == date(2021, 3, 1)
        assert len(source.asked) == 2

    def test_a_holiday_causes_no_request(self, provider, source, clock):
        clock.set(2021, 4, 2, 9, 0)
        provider.fetch(("SPY",), START, date(2021, 4, 1))
        clock.set(2021, 4, 3, 9, 0)  # Good Friday is over
        provider.fetch(("SPY",), START, date(2021, 4, 2))
        assert len(source.asked) == 1

    def test_a_half_day_is_over_an_hour_after_its_early_close(self, provider, source, clock):
        clock.set(2020, 11, 27, 9, 0)
        provider.fetch(("SPY",), START, date(2020, 11, 27))
        clock.set(2020, 11, 27, 13, 59)
        assert provider.fetch(("SPY",), START, date(2020, 11, 27)).dates[-1].item() == date(2020, 11, 25)
        clock.set(2020, 11, 27, 14, 0)
        assert provider.fetch(("SPY",), START, date(2020, 11, 27)).dates[-1].item() == date(2020, 11, 27)
        assert len(source.asked) == 2

    def test_a_window_that_ended_long_ago_needs_no_new_days(self, provider, source, clock):
        provider.fetch(("SPY",), START, date(2020, 12, 31))
        clock.now += timedelta(days=300)
        provider.fetch(("SPY",), START, date(2020, 12, 31))
        assert len(source.asked) == 1

    def test_only_the_tail_is_requested_with_a_month_of_known_days(self, provider, source, clock):
        provider.fetch(("SPY",), START, FRIDAY)
        clock.now += timedelta(days=7)
        provider.fetch(("SPY",), START, date(2021, 3, 5))
        assert source.asked[1:] == [("SPY", sessions(LISTED, FRIDAY)[-20].item())]

    def test_a_symbol_that_trades_every_day_is_requested_on_a_sunday(self, provider, source, clock):
        clock.set(2021, 2, 28, 0, 59, zone="UTC")
        table = provider.fetch(("BTC-USD",), START, date(2021, 2, 28))
        assert table.dates[-1].item() == date(2021, 2, 26)
        clock.set(2021, 2, 28, 1, 0, zone="UTC")
        table = provider.fetch(("BTC-USD",), START, date(2021, 2, 28))
        assert table.dates[-1].item() == date(2021, 2, 27)
        clock.set(2021, 3, 1, 0, 59, zone="UTC")
        provider.fetch(("BTC-USD",), START, date(2021, 2, 28))
        assert len(source.asked) == 2

    def test_an_unknown_symbol_is_remembered_for_an_hour(self, provider, source, clock):
        for _ in range(3):
            with pytest.raises(NoPrices, match="'XYZQ'"):
                provider.fetch(("XYZQ",), START, FRIDAY)
        assert len(source.asked) == 1
        source.histories["XYZQ"] = history("XYZQ", sessions(LISTED, FOREVER))
        clock.now += timedelta(hours=1)
        assert provider.fetch(("XYZQ",), START, FRIDAY).dates.size > 0

    def test_a_late_bar_is_requested_again_only_after_a_while(self, provider, source, clock):
        whole = source.histories["SPY"]
        monday = date(2021, 3, 1)
        source.answer = lambda told: told.until(FRIDAY)
        clock.set(2021, 3, 1, 17, 0)
        assert provider.fetch(("SPY",), START, monday).dates[-1].item() == FRIDAY
        clock.set(2021, 3, 1, 17, 14)
        provider.fetch(("SPY",), START, monday)
        assert len(source.asked) == 1
        source.answer = None
        clock.set(2021, 3, 1, 17, 15)
        assert provider.fetch(("SPY",), START, monday).dates[-1].item() == monday
        assert len(source.asked) == 2
        assert whole.until(monday).dates[-1].item() == monday

    def test_a_day_without_prices_is_requested_again(self, provider, source, clock, tmp_path):
        monday = date(2021, 3, 1)

        def not_yet(told: History) -> History:
            rows = told.rows.copy()
            rows[told.dates == np.datetime64(monday), :5] = np.nan
            return History("SPY", told.dates, rows, told.market)

        source.answer = not_yet
        clock.set(2021, 3, 1, 17, 0)
        early = provider.fetch(("SPY",), START, monday)
        assert early.dates[-1].item() == FRIDAY
        assert [suspect.day for suspect in early.suspects] == [monday]
        source.answer = None
        clock.set(2021, 3, 1, 17, 15)
        late = provider.fetch(("SPY",), START, monday)
        assert late.suspects == ()
        assert late.data_hash() == whole_answer(source, clock, tmp_path / "fresh", monday)

    def test_a_missing_day_is_requested_for_a_few_hours_only(self, provider, source, clock):
        source.answer = lambda told: told.until(date(2021, 2, 19))  # delisted
        provider.fetch(("SPY",), START, FRIDAY)
        for hours in (1, 5, 20, 40):
            clock.now += timedelta(hours=hours)
            if clock.now.weekday() >= 5:
                provider.fetch(("SPY",), START, FRIDAY)
        assert len(source.asked) == 1

    def test_a_clock_that_ran_ahead_leaves_no_gap_behind(self, provider, source, clock):
        source.answer = lambda told: told.until(FRIDAY)  # the source does not run ahead
        right = clock.now
        clock.now = right + timedelta(days=900)
        provider.fetch(("SPY",), START, FRIDAY)
        clock.now = right + timedelta(days=9)
        source.answer = None
        assert provider.fetch(("SPY",), START, date(2021, 3, 5)).dates[-1].item() == date(2021, 3, 5)


class TestRestatements:
    def test_a_dividend_restates_everything_before_it(self, provider, source, clock, tmp_path):
        before = provider.fetch(("SPY",), START, FRIDAY)
        clock.now += timedelta(days=7)
        source.histories["SPY"] = with_dividend(source.histories["SPY"], date(2021, 3, 3), 1.5)
        after = provider.fetch(("SPY",), START, date(2021, 3, 5))
        assert after.window(START, FRIDAY).data_hash() != before.data_hash()
        assert after.data_hash() == whole_answer(source, clock, tmp_path / "fresh", date(2021, 3, 5))
        ratios = after.window(START, FRIDAY).close / before.close
        assert np.ptp(ratios) < 1e-12  # one adjustment for the whole series

    def test_a_split_restates_everything_before_it(self, provider, source, clock, tmp_path):
        before = provider.fetch(("SPY",), START, FRIDAY)
        clock.now += timedelta(days=7)
        source.histories["SPY"] = with_split(source.histories["SPY"], date(2021, 3, 3), 4)
        after = provider.fetch(("SPY",), START, date(2021, 3, 5))
        np.testing.assert_allclose(after.window(START, FRIDAY).close, before.close / 4, rtol=1e-12)
        assert after.data_hash() == whole_answer(source, clock, tmp_path / "fresh", date(2021, 3, 5))

    def test_a_dividend_whose_adjustment_comes_a_day_late_is_detected(self, provider, source, clock, tmp_path):
        provider.fetch(("SPY",), START, FRIDAY)
        plain = source.histories["SPY"]
        paid = with_dividend(plain, date(2021, 3, 3), 1.5)
        late = plain.rows.copy()
        late[:, 6:] = paid.rows[:, 6:]
        source.histories["SPY"] = History("SPY", plain.dates, late, plain.market)
        clock.set(2021, 3, 3, 18, 0)
        provider.fetch(("SPY",), START, date(2021, 3, 3))
        source.histories["SPY"] = paid
        clock.set(2021, 3, 4, 18, 0)
        after = provider.fetch(("SPY",), START, date(2021, 3, 4))
        assert after.data_hash() == whole_answer(source, clock, tmp_path / "fresh", date(2021, 3, 4))

    def test_a_corrected_close_is_detected(self, provider, source, clock, tmp_path):
        provider.fetch(("SPY",), START, FRIDAY)
        old = source.histories["SPY"]
        rows = old.rows.copy()
        rows[old.dates == np.datetime64("2021-02-12"), CLOSE] *= 1.00001
        source.histories["SPY"] = History("SPY", old.dates, rows, old.market)
        clock.now += timedelta(days=7)
        after = provider.fetch(("SPY",), START, date(2021, 3, 5))
        assert after.data_hash() == whole_answer(source, clock, tmp_path / "fresh", date(2021, 3, 5))

    def test_an_old_correction_is_detected_within_a_month(self, provider, source, clock, tmp_path):
        provider.fetch(("SPY",), START, FRIDAY)
        old = source.histories["SPY"]
        rows = old.rows.copy()
        rows[old.dates == np.datetime64("2020-02-12"), 1] *= 1.5
        source.histories["SPY"] = History("SPY", old.dates, rows, old.market)
        for _ in range(5):
            clock.now += timedelta(days=7)
            end = clock.now.date() - timedelta(days=1)
            after = provider.fetch(("SPY",), START, end)
        assert after.data_hash() == whole_answer(source, clock, tmp_path / "fresh", end)
        assert [start for _, start in source.asked[:6]].count(None) == 2

    def test_an_unchanged_past_keeps_its_hash(self, provider, source, clock):
        before = provider.fetch(("SPY",), START, FRIDAY).data_hash()
        for _ in range(60):
            clock.now += timedelta(days=1)
            provider.fetch(("SPY",), START, clock.now.date())
        assert provider.fetch(("SPY",), START, FRIDAY).data_hash() == before

    def test_an_answer_that_lost_days_is_rejected(self, provider, source, clock):
        before = provider.fetch(("SPY",), START, FRIDAY).data_hash()
        clock.now += timedelta(days=40)
        source.answer = lambda told: told.since(date(2018, 1, 2))
        with pytest.raises(PriceSourceUnavailable, match="'SPY'"):
            provider.fetch(("SPY",), START, date(2021, 4, 1))
        assert provider.fetch(("SPY",), START, FRIDAY).data_hash() == before


class TestWhenTheSourceFails:
    @pytest.fixture
    def broken(self, source: FakeSource) -> FakeSource:
        source.error = PriceSourceUnavailable("No answer for 'SPY'.")
        return source

    def test_a_cached_window_is_answered(self, provider, source, clock):
        before = provider.fetch(("SPY",), START, FRIDAY).data_hash()
        source.error = PriceSourceUnavailable("down")
        clock.now += timedelta(days=30)
        assert provider.fetch(("SPY",), START, FRIDAY).data_hash() == before
        assert provider.fetch_yields("SPY", START, FRIDAY).dates.size > 0
        assert len(source.asked) == 1

    def test_a_window_that_is_not_cached_raises_the_sources_error(self, provider, source, clock):
        provider.fetch(("SPY",), START, FRIDAY)
        source.error = PriceSourceUnavailable("busy with 'SPY'", 17)
        clock.now += timedelta(days=30)
        with pytest.raises(PriceSourceUnavailable, match="'SPY'") as raised:
            provider.fetch(("SPY",), START, date(2021, 3, 5))
        assert raised.value.retry_after_seconds == 17

    def test_a_failure_is_not_repeated_for_each_waiting_request(self, provider, broken, clock):
        for _ in range(5):
            with pytest.raises(PriceSourceUnavailable):
                provider.fetch(("SPY",), START, FRIDAY)
        assert len(broken.asked) == 1
        broken.error = None
        clock.now += timedelta(seconds=30)
        assert provider.fetch(("SPY",), START, FRIDAY).dates.size > 0

    def test_after_one_symbol_has_failed_the_others_are_not_requested(self, provider, broken):
        symbols = tuple(f"S{number}" for number in range(60))
        broken.delay_seconds = 0.01
        with pytest.raises(PriceSourceUnavailable):
            provider.fetch(symbols, START, FRIDAY)
        assert len(broken.asked) < 20

    def test_a_cached_symbol_that_the_source_no_longer_knows_is_not_reported_as_unknown(self, provider, source, clock):
        provider.fetch(("SPY",), START, FRIDAY)
        del source.histories["SPY"]
        clock.now += timedelta(days=7)
        with pytest.raises(PriceSourceUnavailable, match="no longer knows 'SPY'"):
            provider.fetch(("SPY",), START, date(2021, 3, 5))
        assert provider.fetch(("SPY",), START, FRIDAY).dates.size > 0

    def test_a_symbol_without_a_finished_day_is_a_failure_that_names_it(self, provider, source):
        source.answer = lambda told: told.until(date(1990, 1, 1))
        with pytest.raises(PriceSourceUnavailable, match="'SPY'"):
            provider.fetch(("SPY",), START, FRIDAY)


class TestDamagedFiles:
    @pytest.fixture
    def before(self, provider: CachedProvider) -> str:
        """The hash of the prices that a cache file holds."""
        return provider.fetch(("SPY",), START, FRIDAY).data_hash()

    @pytest.mark.parametrize("content", [b"", b"PAR1", b"not a parquet file", bytes(5000)])
    def test_rubbish_is_set_aside_logged_and_fetched_again(self, provider, before, source, tmp_path, caplog, content):
        (tmp_path / "SPY.parquet").write_bytes(content)
        with caplog.at_level(logging.WARNING):
            assert provider.fetch(("SPY",), START, FRIDAY).data_hash() == before
        assert "setting SPY.parquet aside" in caplog.text
        assert (tmp_path / "set-aside" / "SPY.parquet").read_bytes() == content
        assert len(source.asked) == 2

    def test_a_truncated_file_is_fetched_again(self, provider, before, source, tmp_path):
        path = tmp_path / "SPY.parquet"
        path.write_bytes(path.read_bytes()[:-2000])
        assert provider.fetch(("SPY",), START, FRIDAY).data_hash() == before
        assert len(source.asked) == 2

    def test_another_symbols_file_is_fetched_again(self, provider, before, source, tmp_path):
        source.histories["QQQ"] = history("QQQ", sessions(LISTED, FOREVER), seed=5)
        (tmp_path / "QQQ.parquet").write_bytes((tmp_path / "SPY.parquet").read_bytes())
        assert provider.fetch(("QQQ",), START, FRIDAY).data_hash() != before
        assert source.count() == {"SPY": 1, "QQQ": 1}

    def test_when_the_source_is_down_a_damaged_file_is_not_used(self, provider, before, source, tmp_path):
        assert before
        (tmp_path / "SPY.parquet").write_bytes(b"damaged")
        source.error = PriceSourceUnavailable("down")
        with pytest.raises(PriceSourceUnavailable):
            provider.fetch(("SPY",), START, FRIDAY)

    def test_a_file_replaced_by_another_process_is_read_again(self, provider, before, source, clock, tmp_path):
        assert before
        clock.now += timedelta(days=7)
        source.histories["SPY"] = with_dividend(source.histories["SPY"], date(2021, 3, 3), 1.5)
        other = CachedProvider(source, tmp_path, clock).fetch(("SPY",), START, date(2021, 3, 5))
        n_asked = len(source.asked)
        assert provider.fetch(("SPY",), START, date(2021, 3, 5)).data_hash() == other.data_hash()
        assert len(source.asked) == n_asked


class TestDisksThatFail:
    def test_a_full_disk_costs_the_cache_but_not_the_answer(
        self, provider, source, clock, tmp_path, monkeypatch, caplog
    ):
        provider.fetch(("SPY",), START, FRIDAY)
        kept = (tmp_path / "SPY.parquet").read_bytes()

        def full(_number: int) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(history_file.os, "fsync", full)
        clock.now += timedelta(days=7)
        table = provider.fetch(("SPY",), START, date(2021, 3, 5))
        assert table.dates[-1].item() == date(2021, 3, 5)
        assert "cannot be stored" in caplog.text
        assert (tmp_path / "SPY.parquet").read_bytes() == kept
        assert [path.name for path in tmp_path.iterdir() if "unfinished" in path.name] == []

    def test_a_folder_that_cannot_be_created_is_reported(self, source, clock, tmp_path):
        (tmp_path / "file").write_text("in the way")
        with pytest.raises(PriceSourceUnavailable, match=r"'SPY'.*DATA_CACHE_DIR"):
            CachedProvider(source, tmp_path / "file" / "cache", clock).fetch(("SPY",), START, FRIDAY)


class TestReportsOnPrices:
    def test_origins_report_range_rows_and_age_of_the_prices_used(self, provider, clock):
        table = provider.fetch(("SPY", "BTC-USD"), date(2021, 1, 1), FRIDAY)
        spy, bitcoin = table.origins
        assert spy.as_json() == {
            "symbol": "SPY",
            "first_day": "2021-01-04",
            "last_day": "2021-02-26",
            "rows": 38,
            "fetched_at": "2021-02-27T12:00:00Z",
        }
        assert (bitcoin.rows, bitcoin.first_day) == (57, date(2021, 1, 1))
        (part,) = provider.fetch(("SPY",), START, FRIDAY).window(START, date(2020, 1, 31)).origins
        assert (part.rows, part.last_day, part.fetched_at) == (21, date(2020, 1, 31), clock.now)

    def test_the_hash_does_not_depend_on_origins(self, provider, clock, source, tmp_path):
        clock.now += timedelta(hours=3)
        later = CachedProvider(source, tmp_path / "later", clock).fetch(("SPY",), START, FRIDAY)
        clock.now -= timedelta(hours=3)
        earlier = provider.fetch(("SPY",), START, FRIDAY)
        assert earlier.origins != later.origins
        assert earlier.data_hash() == later.data_hash()

    def test_a_series_that_begins_long_after_its_trading_is_suspect(self, provider, source):
        whole = source.histories["SPY"]
        source.histories["SPY"] = History("SPY", whole.dates, whole.rows, whole.market, date(1993, 1, 29))
        (warning,) = provider.fetch(("SPY",), LISTED, FRIDAY).warnings()
        assert warning.startswith(
            "SPY on 2015-06-01: the first bar, although the source says that trading began on 1993-01-29"
        )
        assert provider.fetch(("SPY",), START, FRIDAY).warnings() == []

    def test_suspect_bars_survive_the_cache(self, provider, source, clock, tmp_path):
        whole = source.histories["SPY"]
        rows = whole.rows.copy()
        rows[whole.dates == np.datetime64("2020-03-16"), 1] = 1.0  # a high below the low
        rows[whole.dates == np.datetime64("2020-03-17"), 3] = 0.0
        rows[whole.dates == np.datetime64("2020-03-18"), 0] = np.nan
        source.histories["SPY"] = History("SPY", whole.dates, rows, whole.market)
        first = provider.fetch(("SPY",), START, FRIDAY)
        again = CachedProvider(source, tmp_path, clock).fetch(("SPY",), START, FRIDAY)
        assert len(source.asked) == 1
        assert first.warnings() == again.warnings()
        assert [suspect.day.day for suspect in again.suspects] == [16, 17, 18]
        assert np.datetime64("2020-03-16") in again.dates
        assert np.datetime64("2020-03-17") not in again.dates

    def test_stored_prices_are_reported_without_asking_the_source(self, provider, source, clock):
        assert provider.held("SPY") is None
        provider.fetch(("SPY",), START, FRIDAY)
        clock.now += timedelta(days=50)
        held = provider.held("SPY")
        assert (held.source, held.first_day, held.last_day) == ("fake", LISTED, FRIDAY)
        assert held.rows == sessions(LISTED, FRIDAY).size
        assert len(source.asked) == 1
        with pytest.raises(NoPrices):
            provider.held("../SPY")

    def test_negative_yields_are_kept(self, provider, source):
        whole = source.histories["SPY"]
        rows: Any = whole.rows.copy()
        rows[:, :5] -= rows[:, :5].max() + 1
        source.histories["^IRX"] = History("^IRX", whole.dates, rows, whole.market)
        yields = provider.fetch_yields("^IRX", START, FRIDAY)
        assert yields.percent.max() < 0
        assert yields.dates.tolist() == sessions(START, FRIDAY).tolist()
