"""Whole runs on Yahoo's prices: provenance, benchmarks that never fail a run, and errors that name the symbol."""

import re
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from src.errors import NoPrices, PriceSourceUnavailable, RunTimedOut
from src.services.data_provider.cache.provider import CachedProvider
from src.services.data_provider.yahoo.provider import YFDataProvider
from tests.fakes.engine_box import engine_script
from tests.fakes.sandbox import ScriptedSandbox
from tests.fakes.yahoo import LONG_SECONDS, Answer, Clock, LoopbackSession, StandInYahoo, made_up, standing_in
from tests.services.backtests.answers import answered, strategy

SOURCE, DESCRIPTION = strategy("QQQ", "BND")
REQUEST = {"strategy_code": SOURCE, "start_date": "2016-01-01", "end_date": "2016-12-31"}


@pytest.fixture
def yahoo() -> Iterator[StandInYahoo]:
    """Has everything that the runs need."""
    with standing_in(Clock(datetime(2021, 3, 3, 12, tzinfo=UTC))) as yahoo:
        for symbol in ("QQQ", "BND", "SPY", "^IRX"):
            yahoo.listings[symbol] = made_up(symbol, date(2015, 6, 1), date(2022, 1, 1))
        yield yahoo


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where yfinance keeps its cookies."""
    return tmp_path_factory.mktemp("yfinance")


@pytest.fixture
def provider(yahoo: StandInYahoo, state: Path, tmp_path: Path) -> CachedProvider:
    session = LoopbackSession(yahoo.base)
    # So long that no limit of its own ends a hanging answer.
    timeout = 2 * LONG_SECONDS
    source = YFDataProvider(yahoo.clock, state, session=session, timeout_seconds=timeout, pause=lambda *_: None)
    return CachedProvider(source, tmp_path, yahoo.clock)


def run(provider: CachedProvider, seconds: float = 30, **changes: Any) -> dict[str, Any]:
    sandbox = ScriptedSandbox(engine_script(DESCRIPTION, [0.5, 0.5]))
    return answered(provider, sandbox, seconds, **REQUEST | changes)


def test_provenance_reports_the_origin_of_the_prices(provider):
    answer = run(provider)
    assert answer["provenance"]["data_source"] == "yahoo"
    assert answer["provenance"]["data"] == [
        {
            "symbol": symbol,
            "first_day": "2016-01-04",
            "last_day": "2016-12-30",
            "rows": 252,
            "fetched_at": "2021-03-03T12:00:00Z",
        }
        for symbol in ("QQQ", "BND")
    ]
    assert answer["warnings"] == []


def test_the_same_prices_are_the_same_run_regardless_of_the_cache(provider, yahoo):
    first = run(provider)
    provider.fetch(("QQQ",), date(2015, 6, 1), date(2021, 3, 2))
    yahoo.clock.now += timedelta(days=100)
    provider.fetch(("QQQ", "BND"), date(2015, 6, 1), date(2021, 6, 1))
    again = run(provider)
    assert first["provenance"]["data"] != again["provenance"]["data"]
    assert first["provenance"]["data_hash"] == again["provenance"]["data_hash"]
    assert first["run_hash"] == again["run_hash"]


def test_a_suspect_bar_is_a_warning_with_symbol_date_and_reason(provider, yahoo):
    yahoo.listings["BND"].row(date(2016, 5, 2))[1] = 1.0
    (warning,) = run(provider)["warnings"]
    assert warning.startswith("BND on 2016-05-02: open ")
    assert warning.endswith("are out of order; kept as they are.")


@pytest.mark.parametrize("failure", ["unknown", "down"])
def test_an_unavailable_benchmark_or_risk_free_rate_is_a_warning(provider, yahoo, failure):
    for symbol in ("SPY", "^IRX"):
        if failure == "unknown":
            del yahoo.listings[symbol]
        else:
            yahoo.instead[symbol] = [Answer(500)] * 20
    answer = run(provider)
    assert answer["benchmark"] is None
    assert answer["metrics"]["beta"] is None
    assert answer["metrics"]["undefined"]["beta"]
    assert answer["metrics"]["total_return"] is not None
    assert [warning.split(":")[0] for warning in answer["warnings"]] == [
        "no benchmark",
        "the risk-free rate is taken as 0",
    ]
    assert "SPY" in answer["warnings"][0]
    assert "^IRX" in answer["warnings"][1]


def test_an_unknown_symbol_is_an_error_of_the_request(provider, yahoo):
    del yahoo.listings["BND"]
    with pytest.raises(NoPrices, match="'BND'") as raised:
        run(provider)
    assert raised.value.http_status == 400


def test_yahoo_down_is_an_error_of_the_service_and_busy_has_a_retry_after(provider, yahoo):
    yahoo.instead["BND"] = [Answer(500)] * 6
    with pytest.raises(PriceSourceUnavailable, match="'BND'") as raised:
        run(provider)
    assert (raised.value.http_status, raised.value.retry_after_seconds) == (502, None)
    yahoo.clock.now += timedelta(minutes=1)
    yahoo.instead["BND"] = [Answer(429, headers={"Retry-After": "33"})] * 2
    with pytest.raises(PriceSourceUnavailable, match="'BND'") as raised:
        run(provider)
    assert raised.value.retry_after_seconds == 33


@pytest.mark.parametrize("symbol", ["BND", "SPY", "^IRX"])
def test_prices_that_do_not_arrive_in_time_are_named(provider, yahoo, symbol):
    yahoo.instead[symbol] = [Answer(delay_seconds=LONG_SECONDS)] * 20
    started = time.monotonic()
    with pytest.raises(RunTimedOut, match=re.escape(f"'{symbol}'")):
        run(provider, seconds=3)
    assert time.monotonic() - started < LONG_SECONDS, "it waited for the answer"
