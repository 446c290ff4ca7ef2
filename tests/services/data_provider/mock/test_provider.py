"""Mock prices are always the same on every machine, and look like prices."""

import hashlib
from datetime import UTC, date, datetime

import numpy as np
import pytest

from src.errors import NoPrices
from src.services.data_provider.calendar import sessions
from src.services.data_provider.mock import provider as mock
from src.services.data_provider.mock.provider import MockProvider

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)  # a Wednesday before New York opens
EVERYTHING = (date(1900, 1, 1), date(2100, 1, 1))
DECADE = (date(2010, 1, 1), date(2020, 12, 31))
STOCKS = ["SPY", "QQQ", "AAPL", "MSFT", "XOM", "JNJ", "BRK-B", "TSLA", "A", "ZZZZ"]


def provider(now: datetime = NOON) -> MockProvider:
    return MockProvider(lambda: now)


def returns(symbol: str) -> np.ndarray:
    close = provider().fetch([symbol], *EVERYTHING).close[:, 0]
    return np.diff(close) / close[:-1]


def test_the_prices_are_these_on_every_machine():
    """Golden values recorded from this code. A different value means that users' results change."""
    table = provider().fetch(["SPY", "BND", "BTC-USD", "^IRX"], *DECADE)
    assert table.data_hash() == "ede156492c0a0e4bd4ae69a053f28485b0065ae6518d7c95a1c554fc87eb0bae"


def test_most_symbols_trade_on_new_york_days_and_coins_every_day():
    table = provider().fetch(["SPY"], *DECADE)
    np.testing.assert_array_equal(table.dates, sessions(*DECADE))
    assert not table.has_weekend_days()
    crypto = provider().fetch(["BTC-USD"], *DECADE)
    assert crypto.dates.size == (DECADE[1] - DECADE[0]).days + 1
    assert crypto.has_weekend_days()


def test_a_stock_beside_a_coin_has_no_bars_on_weekends():
    table = provider().fetch(["SPY", "BTC-USD"], date(2020, 1, 3), date(2020, 1, 6))
    assert np.isnan(table.close[:, 0]).tolist() == [False, True, True, False]
    assert not np.isnan(table.close[:, 1]).any()


def test_the_first_day_is_the_second_of_january_1990():
    assert provider().fetch(["SPY"], *EVERYTHING).origins[0].first_day == date(1990, 1, 2)
    with pytest.raises(NoPrices, match="run from 1990-01-02 to 2026-03-03"):
        provider().fetch(["SPY"], date(1980, 1, 1), date(1989, 12, 29))


def test_the_last_day_is_the_last_finished_one():
    assert provider().fetch(["SPY"], *EVERYTHING).origins[0].last_day == date(2026, 3, 3)
    assert provider().fetch(["BTC-USD"], *EVERYTHING).origins[0].last_day == date(2026, 3, 3)
    evening = provider(datetime(2026, 3, 4, 21, tzinfo=UTC))
    assert evening.fetch(["SPY"], *EVERYTHING).origins[0].last_day == date(2026, 3, 4)
    assert evening.fetch(["BTC-USD"], *EVERYTHING).origins[0].last_day == date(2026, 3, 3)


@pytest.mark.parametrize("symbol", ["SPY", "AAPL", "BTC-USD", "^IRX"])
def test_time_adds_days_without_changing_earlier_ones(symbol):
    earlier = provider().fetch([symbol], *EVERYTHING)
    later = provider(datetime(2031, 7, 9, 23, tzinfo=UTC)).fetch([symbol], *EVERYTHING)
    assert later.dates.size > earlier.dates.size
    np.testing.assert_array_equal(later.bars[: earlier.dates.size], earlier.bars)


def test_one_provider_follows_its_clock():
    now = [NOON]
    ticking = MockProvider(lambda: now[0])
    assert ticking.fetch(["SPY"], *EVERYTHING).dates[-1].item() == date(2026, 3, 3)
    now[0] = datetime(2026, 3, 6, 23, tzinfo=UTC)
    assert ticking.fetch(["SPY"], *EVERYTHING).dates[-1].item() == date(2026, 3, 6)


def test_prices_are_computed_once_a_day(monkeypatch):
    made = []
    make = mock.made_up_bars
    monkeypatch.setattr(mock, "made_up_bars", lambda *given: made.append(given[0]) or make(*given))
    one = provider()
    for _ in range(3):
        one.fetch(["SPY", "BND"], *DECADE)
    assert made == ["SPY", "BND"]


def test_every_symbol_exists_except_the_deliberately_unknown_ones():
    names = [f"{hashlib.sha256(str(n).encode()).hexdigest()[:6].upper()}" for n in range(20)]
    assert provider().fetch(names, date(2020, 1, 2), date(2020, 1, 31)).symbols == tuple(names)
    with pytest.raises(NoPrices) as raised:
        provider().fetch(["NOPE", "SPY", "UNKNOWN.X"], *DECADE)
    assert len(raised.value.errors) == 2


@pytest.mark.parametrize("symbol", [*STOCKS, "BND", "TLT", "GLD", "^GSPC", "BTC-USD", "ETH-USD", "^IRX", "^TNX"])
def test_bars_are_well_formed(symbol):
    table = provider().fetch([symbol], *EVERYTHING)
    body = np.maximum(table.open, table.close), np.minimum(table.open, table.close)
    assert (table.high >= body[0]).all()
    assert (table.low <= body[1]).all()
    assert (table.low > 0).all()
    assert (table.volume == np.floor(table.volume)).all()
    assert (table.volume > 0).all() or symbol in ("^IRX", "^TNX")


@pytest.mark.parametrize("symbol", [*STOCKS, *(f"T{n}" for n in range(40)), "BND", "TLT", "^GSPC"])
def test_prices_stay_plausible_over_all_years(symbol):
    close = provider().fetch([symbol], *EVERYTHING).close[:, 0]
    assert close.min() > 1.0
    assert close.max() < 10_000.0
    assert np.abs(np.diff(close) / close[:-1]).max() < 0.3
    assert 0.0 < (close[-1] / close[0]) ** (252 / close.size) - 1 < 0.2


def test_stocks_move_together_and_bonds_do_not():
    market = returns("SPY")
    for symbol in STOCKS[1:]:
        assert 0.25 < np.corrcoef(market, returns(symbol))[0, 1] < 0.95, symbol
    assert np.corrcoef(market, returns("TLT"))[0, 1] < 0.0


def test_bonds_are_calmer_than_stocks():
    yearly = {symbol: returns(symbol).std() * np.sqrt(252) for symbol in ["SHY", "BND", "TLT", "SPY", "AAPL"]}
    assert yearly["SHY"] < yearly["BND"] < yearly["TLT"] < yearly["SPY"] < yearly["AAPL"]
    assert 0.10 < yearly["SPY"] < 0.22
    assert yearly["BND"] < 0.08


def test_the_treasury_yield_is_in_percent():
    level = provider().fetch(["^IRX"], *EVERYTHING).close
    assert level.min() >= 0.01
    assert 1.0 < level.mean() < 5.0
    assert level.max() < 12.0


def test_two_names_have_different_prices():
    assert abs(np.corrcoef(returns("^IRX"), returns("^TNX"))[0, 1]) < 0.1
    table = provider().fetch(["AAA", "AAB"], *DECADE)
    assert not (table.close[:, 0] == table.close[:, 1]).any()
