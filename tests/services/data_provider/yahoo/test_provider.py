"""The real yfinance against a stand-in for Yahoo: its good days, its bad days, and its traps."""

import os
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from src.errors import NoPrices, PriceSourceUnavailable, RunCancelled, RunTimedOut
from src.services.data_provider.cache.provider import CachedProvider
from src.services.data_provider.files.provider import FilesProvider
from src.services.data_provider.history import ADJ_CLOSE, CLOSE, DIVIDEND, SPLIT
from src.services.data_provider.waiting import price_deadline
from src.services.data_provider.yahoo.provider import YFDataProvider
from src.services.data_provider.yahoo.session import YahooSession
from src.utils.deadline import Deadline
from tests.fakes.application import wait_until
from tests.fakes.yahoo import (
    LONG_SECONDS,
    Answer,
    LoopbackSession,
    StandInYahoo,
    error_body,
    from_raw,
    made_up,
    new_york_days,
)

ROOT = Path(__file__).resolve().parents[4]
FIRST, LAST = date(2015, 6, 1), date(2022, 1, 1)
START, END = date(2020, 1, 2), date(2021, 3, 2)

Make = Callable[..., YFDataProvider]

ASK_ONCE = """
import sys
from datetime import datetime
from pathlib import Path
from src.services.data_provider.yahoo.provider import YFDataProvider
from tests.fakes.yahoo import Clock, LoopbackSession
base, state, now = sys.argv[1:]
YFDataProvider(Clock(datetime.fromisoformat(now)), Path(state), session=LoopbackSession(base)).history("SPY")
"""


@pytest.fixture
def pauses() -> list[float]:
    """The seconds that the provider waited between its attempts."""
    return []


@pytest.fixture
def make(yahoo: StandInYahoo, yahoo_state: Path, pauses: list[float]) -> Make:
    """Makes a provider for the stand-in, which knows SPY and BTC-USD."""
    yahoo.listings["SPY"] = made_up("SPY", FIRST, LAST)
    yahoo.listings["BTC-USD"] = made_up("BTC-USD", FIRST, LAST)

    def make(**options: float) -> YFDataProvider:
        session = LoopbackSession(yahoo.base)

        def pause(_: Deadline, seconds: float) -> None:
            pauses.append(seconds)

        return YFDataProvider(yahoo.clock, yahoo_state, session=session, pause=pause, **options)

    return make


@pytest.fixture
def provider(make: Make) -> YFDataProvider:
    return make()


@pytest.fixture
def cached(provider: YFDataProvider, yahoo: StandInYahoo, tmp_path: Path) -> CachedProvider:
    return CachedProvider(provider, tmp_path / "cache", yahoo.clock)


class TestHistories:
    def test_every_column_equals_yahoos_answer(self, provider, yahoo):
        listing = yahoo.listings["SPY"]
        listing.pay_dividend(date(2020, 6, 19), 1.25)
        listing.split(date(2020, 8, 31), 4)
        history = provider.history("SPY")
        n_days = history.dates.size
        np.testing.assert_array_equal(history.dates, listing.dates[:n_days])
        np.testing.assert_allclose(history.rows[:, :5], listing.rows[:n_days, :5], rtol=1e-15)
        np.testing.assert_array_equal(history.rows[:, 5], listing.rows[:n_days, 5].astype(np.int64))
        assert {
            day: amount for day, amount in zip(history.dates.tolist(), history.rows[:, DIVIDEND], strict=True) if amount
        } == {date(2020, 6, 19): 1.25}
        assert {
            day: ratio for day, ratio in zip(history.dates.tolist(), history.rows[:, SPLIT], strict=True) if ratio
        } == {date(2020, 8, 31): 4.0}
        assert history.first_trade_day == FIRST

    def test_the_unfinished_bar_of_today_is_left_out(self, provider, yahoo):
        for hour, minute, last in [(9, 31, 2), (15, 59, 2), (16, 30, 2), (17, 0, 3), (23, 59, 3)]:
            yahoo.clock.set(2021, 3, 3, hour, minute)
            assert provider.history("SPY").dates[-1].item() == date(2021, 3, last)

    def test_a_day_that_ends_while_yahoo_answers_is_not_final_yet(self, yahoo, yahoo_state):
        class Slow(LoopbackSession):
            """An hour passes until the answer arrives."""

            def send(self, *args: Any, **options: Any) -> Any:
                response = super().send(*args, **options)
                yahoo.clock.set(2021, 3, 3, 17, 30)
                return response

        yahoo.listings["SPY"] = made_up("SPY", FIRST, LAST)
        yahoo.clock.set(2021, 3, 3, 16, 30)
        provider = YFDataProvider(yahoo.clock, yahoo_state, session=Slow(yahoo.base))
        assert provider.history("SPY").dates[-1].item() == date(2021, 3, 2)
        assert provider.history("SPY").dates[-1].item() == date(2021, 3, 3)

    def test_a_coins_unfinished_day_is_left_out_too(self, provider, yahoo):
        yahoo.clock.set(2021, 3, 7, 23, 59, zone="UTC")
        history = provider.history("BTC-USD")
        assert history.dates[-1].item() == date(2021, 3, 6)
        assert history.market.trades_weekends

    def test_a_tail_begins_on_the_requested_day(self, provider):
        for start in (date(2021, 2, 1), date(2021, 2, 6), date(2021, 2, 7)):
            expected = new_york_days(start, END)[0]
            assert provider.history("SPY", start).dates[0].item() == expected
        assert provider.history("BTC-USD", date(2021, 2, 6)).dates[0].item() == date(2021, 2, 6)

    def test_days_are_in_the_exchanges_time_zone(self, provider, yahoo):
        yahoo.listings["7203.T"] = made_up("7203.T", FIRST, LAST, zone="Asia/Tokyo", instrument="EQUITY")
        yahoo.listings["BHP.AX"] = made_up("BHP.AX", FIRST, LAST, zone="Australia/Sydney", instrument="EQUITY")
        for symbol in ("7203.T", "BHP.AX"):
            history = provider.history(symbol)
            listing = yahoo.listings[symbol]
            np.testing.assert_array_equal(history.dates, listing.dates[: history.dates.size])
            assert not history.market.has_new_york_sessions

    def test_two_rows_of_one_day_are_reported(self, cached, yahoo):
        listing = yahoo.listings["SPY"]
        listing.dates = np.insert(listing.dates, 700, listing.dates[700])
        listing.rows = np.insert(listing.rows, 700, listing.rows[700] * 1.001, axis=0)
        day = listing.dates[700].item()
        (warning,) = cached.fetch(("SPY",), FIRST, END).warnings()
        assert warning == f"SPY on {day}: 2 rows for this day; one of them is used."

    def test_suspect_bars_are_reported_and_kept_or_left_out_never_repaired(self, cached, yahoo):
        listing = yahoo.listings["SPY"]
        listing.row(date(2020, 3, 16))[1] = 1.0  # a high below the low
        listing.row(date(2020, 3, 17))[3] = 0.0
        listing.row(date(2020, 3, 18))[:] = np.nan
        listing.row(date(2020, 3, 19))[0] = -5.0
        table = cached.fetch(("SPY",), START, END)
        assert [(suspect.day, suspect.what.split(";")[-1].strip()) for suspect in table.suspects] == [
            (date(2020, 3, 16), "kept as they are"),
            (date(2020, 3, 17), "the day is left out"),
            (date(2020, 3, 18), "the day is left out"),
            (date(2020, 3, 19), "the day is left out"),
        ]
        high = table.high[np.flatnonzero(table.dates == np.datetime64("2020-03-16"))[0], 0]
        assert high == pytest.approx(1.0)

    def test_yields_may_be_negative(self, cached, yahoo):
        yahoo.listings["^IRX"] = made_up("^IRX", FIRST, LAST, instrument="INDEX")
        yahoo.listings["^IRX"].rows[:, :5] -= 100.0
        yields = cached.fetch_yields("^IRX", START, END)
        assert yields.percent.max() < 0
        assert yields.dates.tolist() == new_york_days(START, END)

    @pytest.mark.parametrize("symbol", ["SPY", "BND", "TLT", "GLD", "AAPL"])
    def test_real_prices_are_adjusted_like_the_real_adjusted_ones(
        self, cached, yahoo, raw_prices, daily_prices, symbol
    ):
        yahoo.clock.now = datetime(2026, 5, 2, 12, tzinfo=UTC)
        yahoo.listings[symbol] = from_raw(raw_prices / f"{symbol}.parquet")
        end = min(date(2026, 5, 1), yahoo.listings[symbol].dates[-1].item())
        real = FilesProvider(daily_prices).fetch((symbol,), date(1970, 1, 1), end)
        table = cached.fetch((symbol,), real.dates[0].item(), end)
        np.testing.assert_array_equal(table.dates, real.dates)
        np.testing.assert_allclose(table.bars, real.bars, rtol=1e-6, atol=0)


class TestBetweenTwoRequests:
    def test_a_dividend_that_appears_adjusts_the_whole_series_alike(self, cached, yahoo):
        before = cached.fetch(("SPY",), START, END)
        yahoo.clock.now += timedelta(days=7)
        yahoo.listings["SPY"].pay_dividend(date(2021, 3, 5), 1.5)
        after = cached.fetch(("SPY",), START, date(2021, 3, 9))
        ratio = after.window(START, END).close / before.close
        assert ratio.max() < 1
        assert np.ptp(ratio) < 1e-9
        assert [first.year for first, _ in yahoo.asked_for("SPY")] == [1899, 2021, 1899]

    def test_a_split_that_appears_restates_the_whole_series(self, cached, yahoo, make, tmp_path):
        before = cached.fetch(("SPY",), START, END)
        yahoo.clock.now += timedelta(days=7)
        yahoo.listings["SPY"].split(date(2021, 3, 5), 10)
        after = cached.fetch(("SPY",), START, date(2021, 3, 9))
        np.testing.assert_allclose(after.window(START, END).close, before.close / 10, rtol=1e-9)
        np.testing.assert_allclose(after.window(START, END).volume, before.volume * 10, rtol=1e-6)
        fresh = CachedProvider(make(), tmp_path / "fresh", yahoo.clock)
        assert fresh.fetch(("SPY",), START, date(2021, 3, 9)).data_hash() == after.data_hash()

    def test_without_an_event_only_the_tail_is_requested(self, cached, yahoo, make, tmp_path):
        cached.fetch(("SPY",), START, END)
        yahoo.clock.now += timedelta(days=7)
        after = cached.fetch(("SPY",), START, date(2021, 3, 9))
        assert [first.year for first, _ in yahoo.asked_for("SPY")] == [1899, 2021]
        fresh = CachedProvider(make(), tmp_path / "fresh", yahoo.clock)
        assert fresh.fetch(("SPY",), START, date(2021, 3, 9)).data_hash() == after.data_hash()


class TestDeadline:
    """Ten attempts of ten seconds each, unless the request's deadline ends them."""

    @pytest.fixture
    def hanging(self, make, yahoo, tmp_path) -> CachedProvider:
        yahoo.always = Answer(delay_seconds=LONG_SECONDS)
        return CachedProvider(make(attempts=10, timeout_seconds=2 * LONG_SECONDS), tmp_path / "cache", yahoo.clock)

    def test_a_request_that_times_out_learns_which_prices_did_not_arrive(self, make, yahoo):
        yahoo.always = Answer(delay_seconds=LONG_SECONDS)
        with ends_early(), pytest.raises(RunTimedOut, match="'SPY'"):
            provider = make(attempts=10, timeout_seconds=2 * LONG_SECONDS)
            provider.history("SPY", deadline=Deadline.after(0.5))
        assert yahoo.asked_for("SPY")

    def test_attempts_that_fail_at_once_also_end_with_the_deadline(self, yahoo, yahoo_state):
        yahoo.always = Answer(500)
        provider = YFDataProvider(yahoo.clock, yahoo_state, session=LoopbackSession(yahoo.base), attempts=10)
        with pytest.raises(RunTimedOut, match="'SPY'"):
            provider.history("SPY", deadline=Deadline.after(0.5))

    @pytest.mark.parametrize("symbols", [("SPY",), ("SPY", "BTC-USD")])
    def test_a_cancelled_request_ends_in_the_middle_of_an_answer(self, hanging, yahoo, symbols):
        cancel = threading.Event()
        with ThreadPoolExecutor(1) as threads:
            fetching = threads.submit(hanging.fetch, symbols, START, END, Deadline(cancel=cancel))
            wait_until(lambda: bool(yahoo.asked))
            cancel.set()
            with ends_early(), pytest.raises(RunCancelled, match="'SPY'"):
                fetching.result()

    def test_yields_have_the_same_deadline(self, hanging):
        with ends_early(), pytest.raises(RunTimedOut, match=r"'\^IRX'"):
            hanging.fetch_yields("^IRX", START, END, Deadline.after(0.2))

    def test_no_request_waits_beyond_its_deadline_for_another_ones_fetch(self, hanging, yahoo):
        cancel = threading.Event()
        with ThreadPoolExecutor(1) as threads:
            fetching = threads.submit(hanging.fetch, ("SPY",), START, END, Deadline(cancel=cancel))
            wait_until(lambda: bool(yahoo.asked))
            with ends_early(), pytest.raises(RunTimedOut, match="'SPY'"):
                hanging.fetch(("SPY",), START, END, Deadline.after(0.2))
            cancel.set()
            assert isinstance(fetching.exception(), RunCancelled)

    def test_one_requests_timeout_does_not_affect_the_next(self, hanging, yahoo):
        with pytest.raises(RunTimedOut):
            hanging.fetch(("SPY",), START, END, Deadline.after(0.2))
        yahoo.always = None
        assert hanging.fetch(("SPY",), START, END).dates[-1].item() == END

    def test_a_request_reserves_time_to_report_missing_prices(self):
        now = time.monotonic()
        assert price_deadline(Deadline(now + 600)).ends_at == now + 599
        short = price_deadline(Deadline(now + 2)).ends_at
        least_left = now + 2 - time.monotonic()
        assert now + 2 - 0.2 <= short <= now + 2 - 0.1 * max(0.0, least_left)
        assert price_deadline(Deadline(now - 1)).is_over


@contextmanager
def ends_early() -> Iterator[None]:
    """What is in the block does not wait for the answer that hangs."""
    started = time.monotonic()
    yield
    assert time.monotonic() - started < LONG_SECONDS


class TestBadDays:
    BROKEN = (
        Answer(500, b"oops"),
        Answer(503, b"{}"),
        Answer(403, b"forbidden"),
        Answer(401, error_body("Unauthorized", "Invalid Crumb")),
        Answer(200, b"<html>not JSON</html>"),
        Answer(200, b'{"chart": {"result": [{"meta"'),
        Answer(200, b"null"),
        Answer(200, b"[]"),
        Answer(200, b'{"chart": {"result": [], "error": null}}'),
        Answer(200, b'{"chart": {"result": [{"meta": {}}], "error": null}}'),
        Answer(200, b"Will be right back..."),
    )

    @pytest.mark.parametrize("answer", BROKEN, ids=range(len(BROKEN)))
    def test_yahoo_is_tried_again_and_then_given_up_naming_the_symbol(self, provider, yahoo, pauses, answer):
        yahoo.always = answer
        with pytest.raises(PriceSourceUnavailable, match="'SPY'") as raised:
            provider.history("SPY")
        assert raised.value.retry_after_seconds is None
        assert pauses == [0.5, 1.0]

    @pytest.mark.parametrize("answer", BROKEN, ids=range(len(BROKEN)))
    def test_one_bad_answer_is_forgotten_when_a_good_one_follows(self, provider, yahoo, pauses, answer):
        # yfinance itself tries once more after an error status.
        yahoo.instead["SPY"] = [answer] * (2 if answer.status >= 400 else 1)
        assert provider.history("SPY").dates[-1].item() == END
        assert pauses == [0.5]

    def test_too_many_requests_gives_a_retry_after(self, provider, yahoo, pauses):
        yahoo.always = Answer(429, b"Too Many Requests")
        with pytest.raises(PriceSourceUnavailable, match="'SPY'") as raised:
            provider.history("SPY")
        assert raised.value.retry_after_seconds == 60
        assert pauses == [0.5, 1.0]

    def test_a_retry_after_is_forwarded_at_once(self, provider, yahoo, pauses):
        yahoo.always = Answer(429, b"", {"Retry-After": "17"})
        with pytest.raises(PriceSourceUnavailable) as raised:
            provider.history("SPY")
        assert raised.value.retry_after_seconds == 17
        assert pauses == []

    @pytest.mark.parametrize(("said", "understood"), [("Fri, 20 Nov 2026", 60), ("-5", 60), ("999999", 3600)])
    def test_an_odd_retry_after_does_no_harm(self, make, yahoo, said, understood):
        yahoo.always = Answer(429, b"", {"Retry-After": said})
        with pytest.raises(PriceSourceUnavailable) as raised:
            make(attempts=1).history("SPY")
        assert raised.value.retry_after_seconds == understood

    def test_no_request_is_sent_until_the_retry_after_has_passed(self, provider, yahoo):
        yahoo.always = Answer(429, b"", {"Retry-After": "17"})
        with pytest.raises(PriceSourceUnavailable):
            provider.history("SPY")
        n_asked, yahoo.always = len(yahoo.asked), None
        yahoo.clock.now += timedelta(seconds=10)
        with pytest.raises(PriceSourceUnavailable, match="'BTC-USD'") as raised:
            provider.history("BTC-USD")
        assert raised.value.retry_after_seconds == 8
        assert len(yahoo.asked) == n_asked
        yahoo.clock.now += timedelta(seconds=8)
        assert provider.history("BTC-USD").dates.size > 0

    def test_an_answer_that_takes_too_long_is_given_up(self, make, yahoo):
        yahoo.always = Answer(200, b"late", delay_seconds=20.0)
        with pytest.raises(PriceSourceUnavailable, match=r"'SPY'.*did not answer"):
            make(timeout_seconds=0.2, attempts=1).history("SPY")

    def test_a_missing_answer_is_reported(self, provider, yahoo):
        yahoo.close()
        with pytest.raises(PriceSourceUnavailable, match=r"cannot be reached for the prices of 'SPY'"):
            provider.history("SPY")

    def test_an_unknown_symbol_is_not_requested_again(self, provider, pauses):
        with pytest.raises(NoPrices, match="'XYZQ'"):
            provider.history("XYZQ")
        assert pauses == []

    def test_bars_that_are_not_daily_are_refused(self, make, yahoo):
        yahoo.listings["SPY"].granularity = "1mo"
        with pytest.raises(PriceSourceUnavailable, match="1mo"):
            make(attempts=1).history("SPY")

    def test_an_answer_that_stops_before_the_last_trade_is_refused(self, make, yahoo):
        whole = yahoo.listings["SPY"]
        cut = made_up("SPY", FIRST, date(2019, 6, 28))
        yahoo.listings["SPY"] = cut
        truth = yahoo.answer("SPY", -(2**31), 2**31)
        traded = int(datetime(2021, 3, 2, 21, tzinfo=UTC).timestamp())
        said = int(datetime(2019, 6, 28, 13, 30, tzinfo=UTC).timestamp())
        body = truth.body.replace(f'"regularMarketTime":{said}'.encode(), f'"regularMarketTime":{traded}'.encode())
        assert body != truth.body
        yahoo.always = Answer(200, body)
        with pytest.raises(PriceSourceUnavailable, match="2019-06-28"):
            make(attempts=1).history("SPY")
        yahoo.always, yahoo.listings["SPY"] = None, whole
        assert make().history("SPY").dates[-1].item() == END

    def test_a_delisted_symbols_answer_is_complete(self, provider, yahoo):
        yahoo.listings["SPY"] = made_up("SPY", FIRST, date(2019, 6, 28))
        assert provider.history("SPY").dates[-1].item() == date(2019, 6, 28)

    def test_a_cache_that_covers_the_window_answers_while_yahoo_is_down(self, cached, yahoo):
        before = cached.fetch(("SPY", "BTC-USD"), START, END).data_hash()
        yahoo.close()
        yahoo.clock.now += timedelta(days=20)
        assert cached.fetch(("SPY", "BTC-USD"), START, END).data_hash() == before
        with pytest.raises(PriceSourceUnavailable, match="'SPY'"):
            cached.fetch(("SPY", "BTC-USD"), START, END + timedelta(days=10))


class TestTraps:
    @pytest.mark.parametrize("symbol", ["../../v1/test", "SPY?x=1", "SPY/..", "spy", "", "^", "A" * 21])
    def test_only_tickers_reach_an_address(self, provider, yahoo, symbol):
        with pytest.raises(NoPrices):
            provider.history(symbol)
        assert yahoo.asked == []

    def test_a_securities_number_is_not_looked_up_elsewhere(self, provider, yahoo):
        with pytest.raises(NoPrices, match="securities number"):
            provider.history("US0378331005")
        assert yahoo.asked == []

    def test_a_symbol_costs_one_request(self, provider, yahoo):
        provider.history("SPY")
        assert len(yahoo.asked) == 1

    def test_the_same_request_is_sent_again_each_time(self, provider, yahoo):
        before = provider.history("SPY")
        yahoo.listings["SPY"].row(date(2020, 1, 2))[[CLOSE, ADJ_CLOSE]] *= 1.01
        after = provider.history("SPY")
        assert int((before.rows != after.rows).any(axis=1).sum()) == 1

    def test_its_deprecation_warnings_never_become_errors(self, provider):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            provider.history("SPY")

    @pytest.mark.slow
    def test_its_state_stays_out_of_the_home_folder(self, yahoo, tmp_path):
        yahoo.listings["SPY"] = made_up("SPY", FIRST, LAST)
        home, state = tmp_path / "home", tmp_path / "state"
        home.mkdir()
        environment = {"HOME": os.fspath(home), "PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
        arguments = [yahoo.base, os.fspath(state), yahoo.clock.now.isoformat()]
        # In a separate process, since yfinance keeps the first folder it was given.
        subprocess.run([sys.executable, "-c", ASK_ONCE, *arguments], cwd=ROOT, env=environment, check=True)
        assert len(yahoo.asked) == 1
        assert (state / "cookies.db").is_file()
        assert list(home.iterdir()) == []

    def test_requests_go_only_to_yahoo(self):
        session = YahooSession()
        for url in ("http://query1.finance.yahoo.com/", "https://example.com/", "https://yahoo.com.evil.example/"):
            with pytest.raises(ValueError, match="only to Yahoo"):
                session.get(url)
        session.close()

    def test_importing_the_provider_does_not_import_yfinance(self):
        code = "import sys, src.services.data_provider.selection; sys.exit('yfinance' in sys.modules)"
        assert subprocess.run([sys.executable, "-c", code], check=False, cwd=ROOT).returncode == 0
