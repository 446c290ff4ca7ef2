"""GET /api/v1/data/{symbol}: what is cached, without asking the source."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from src.services.data_provider.base import DataProvider
from src.services.data_provider.cache import CachedProvider
from src.services.data_provider.calendar import sessions
from src.services.data_provider.mock import MockProvider
from src.services.market_data import MarketData
from tests.fakes.application import make_app
from tests.fakes.backtests import FakeBacktests
from tests.fakes.histories import FakeSource, history
from tests.fakes.yahoo import Clock

CLOCK = Clock(datetime(2021, 2, 27, 12, tzinfo=UTC))


def client(provider: DataProvider) -> TestClient:
    """The real application with that provider."""
    market_data = MarketData(provider)
    return TestClient(make_app(FakeBacktests(), market_data=market_data, data_source=provider.name))


@pytest.fixture
def source() -> FakeSource:
    source = FakeSource(CLOCK)
    for symbol in ("SPY", "^IRX", "BTC-USD"):
        source.histories[symbol] = history(symbol, sessions(date(2015, 6, 1), date(2022, 1, 1)))
    return source


@pytest.fixture
def provider(source: FakeSource, tmp_path: Path) -> CachedProvider:
    return CachedProvider(source, tmp_path, CLOCK)


@pytest.mark.parametrize(("symbol", "path"), [("SPY", "SPY"), ("^IRX", "%5EIRX"), ("BTC-USD", "BTC-USD")])
def test_it_tells_range_rows_age_and_source(provider, source, symbol, path):
    provider.fetch((symbol,), date(2020, 1, 2), date(2021, 2, 26))
    with client(provider) as http:
        answer = http.get(f"/api/v1/data/{path}")
    assert answer.status_code == 200
    assert answer.json() == {
        "symbol": symbol,
        "source": "fake",
        "first_day": "2015-06-01",
        "last_day": "2021-02-26",
        "rows": sessions(date(2015, 6, 1), date(2021, 2, 26)).size,
        "fetched_at": "2021-02-27T12:00:00Z",
        "covered_to": "2021-02-26",
    }
    assert len(source.asked) == 1


def test_what_is_not_cached_is_404_and_not_asked_for(provider, source):
    with client(provider) as http:
        answer = http.get("/api/v1/data/SPY")
    assert (answer.status_code, source.asked) == (404, [])
    assert answer.json() == {"detail": "No prices of 'SPY' are cached by the source fake."}


def test_a_source_without_a_cache_says_404():
    with client(MockProvider(CLOCK)) as http:
        assert http.get("/api/v1/data/SPY").status_code == 404


@pytest.mark.parametrize("path", ["spy", "..%2FSPY", "%2Fetc%2Fpasswd", "SPY%0A", "SPY%00", "A" * 30, ".SPY"])
def test_what_is_no_ticker_is_refused_before_any_file_is_touched(provider, path):
    with client(provider) as http:
        assert http.get(f"/api/v1/data/{path}").status_code in {404, 422}
    assert provider.held("SPY") is None


def test_a_damaged_file_counts_as_nothing(provider, tmp_path):
    provider.fetch(("SPY",), date(2020, 1, 2), date(2021, 2, 26))
    (tmp_path / "SPY.parquet").write_bytes(b"damaged")
    with client(provider) as http:
        assert http.get("/api/v1/data/SPY").status_code == 404
