"""price_adjustment "splits": orders at the prices that were paid, and dividends as cash in the books."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from src.errors import NoPrices
from src.execution.sandbox.base import Sandbox
from src.services.data_provider.base import DataProvider
from src.services.data_provider.cache.provider import CachedProvider
from src.services.data_provider.calendar import sessions
from src.services.data_provider.files.provider import FilesProvider
from src.services.data_provider.mock.provider import MockProvider
from src.utils.json_bytes import json_bytes
from tests.fakes.engine_box import engine_script
from tests.fakes.histories import FakeSource, history, with_dividend
from tests.fakes.sandbox import ScriptedSandbox
from tests.services.backtests.answers import answered

SOURCE = """
from hqg_algorithms import BarSize, Cadence, ExecutionTiming, Strategy, TargetWeights

class Fixed(Strategy):
    def universe(self):
        return list("?")

    def cadence(self):
        return Cadence(bar_size=BarSize.DAILY, execution=ExecutionTiming.CLOSE_TO_CLOSE)

    def on_data(self, data, portfolio):
        return TargetWeights({"A": 1.0})
"""


def run(
    provider: DataProvider,
    universe: Sequence[str],
    weights: Sequence[float],
    box: Sandbox | None = None,
    **changes: Any,
) -> dict[str, Any]:
    """The answer for fixed weights each day, by the real engine, in a scripted box unless another is given."""
    description = {"universe": list(universe), "bar_size": "1d", "execution": "close_to_close"}
    request = {
        "strategy_code": SOURCE,
        "universe": list(universe),
        "start_date": "2015-01-01",
        "end_date": "2015-12-31",
        "benchmark": None,
        "risk_free_rate": 0.0,
    }
    sandbox = box or ScriptedSandbox(engine_script(description, list(weights)))
    return answered(provider, sandbox, **request | changes)


@pytest.fixture
def pays_two(tmp_path: Path) -> FilesProvider:
    """A at 100, which pays 2 on 2015-06-15 and is worth 98 from then on."""
    days = sessions(date(2015, 1, 1), date(2015, 12, 31))
    is_ex = days >= np.datetime64("2015-06-15")
    prices = np.where(is_ex, 98.0, 100.0)
    rows = dict.fromkeys(("Open", "High", "Low", "Close"), prices)
    frame = pd.DataFrame({"Date": days.astype(str), **rows, "Adj Close": 98.0, "Volume": 1e6})
    frame.to_csv(tmp_path / "A.csv", index=False)
    return FilesProvider(tmp_path)


def test_a_dividend_is_cash_and_reinvested_by_the_strategy(pays_two):
    """100 shares of 100 earn 200, which buy 200 / 98 more; there is no gain or loss."""
    answer = run(pays_two, ["A"], [1.0], price_adjustment="splits")
    assert [(order["price"], order["shares"]) for order in answer["orders"]] == [
        (100.0, 100.0),
        (98.0, pytest.approx(200 / 98)),
    ]
    assert answer["equity_stats"]["dividends"] == pytest.approx(200)
    assert answer["equity_stats"]["equity"] == pytest.approx(10_000)
    assert answer["parameters"]["price_adjustment"] == "splits"


def test_every_kind_of_box_pays_the_same_dividends(sandbox, pays_two):
    scripted, real = (run(pays_two, ["A"], [1.0], box, price_adjustment="splits") for box in (None, sandbox))
    for part in ("orders", "equity_stats", "candles", "metrics", "run_hash"):
        assert json_bytes(real[part]) == json_bytes(scripted[part]), part


def test_by_default_prices_are_adjusted_for_it_without_a_warning(pays_two):
    answer = run(pays_two, ["A"], [1.0])
    assert [order["price"] for order in answer["orders"]] == [98.0]
    assert "dividends" not in answer["equity_stats"]
    assert "price_adjustment" not in answer["parameters"]
    same = run(pays_two, ["A"], [1.0], price_adjustment="dividends_and_splits")
    assert same["run_hash"] == answer["run_hash"]
    other = run(pays_two, ["A"], [1.0], price_adjustment="splits")
    assert other["run_hash"] != answer["run_hash"]
    assert other["provenance"]["data_hash"] != answer["provenance"]["data_hash"]


def test_a_benchmark_includes_dividends_even_if_the_strategy_trades_it(pays_two):
    answer = run(pays_two, ["A"], [1.0], price_adjustment="splits", benchmark="A")
    assert [point["value"] for point in answer["benchmark"]] == pytest.approx([10_000] * len(answer["benchmark"]))


def test_yahoos_prices_and_dividends_are_used_as_reported(tmp_path):
    now = datetime(2016, 1, 4, tzinfo=UTC)
    source = FakeSource(lambda: now)
    told = history("A", sessions(date(2014, 1, 2), date(2015, 12, 31)))
    source.histories["A"] = with_dividend(told, date(2015, 6, 15), 1.25)
    answer = run(CachedProvider(source, tmp_path, lambda: now), ["A"], [0.5], price_adjustment="splits")
    assert answer["orders"][0]["price"] == told.since(date(2015, 1, 1)).rows[0, 3]
    bought = sum(
        order["shares"] if order["action"] == "Buy" else -order["shares"]
        for order in answer["orders"]
        if order["timestamp"] < "2015-06-15"
    )
    assert answer["equity_stats"]["dividends"] == pytest.approx(1.25 * bought)
    assert [warning for warning in answer["warnings"] if "adjusted close" in warning] == []


def test_made_up_prices_refuse_with_a_message_that_they_have_no_dividends():
    provider = MockProvider(lambda: datetime(2016, 1, 4, tzinfo=UTC))
    with pytest.raises(NoPrices, match="Made-up prices have no dividends") as raised:
        run(provider, ["SPY"], [1.0], price_adjustment="splits")
    assert raised.value.http_status == 400


PER_SHARE = {"model": "per_share", "amount": 0.005}


def test_fees_per_share_on_prices_adjusted_for_dividends_give_a_warning_with_the_factor(market_folder):
    raw = FilesProvider(market_folder.parent / "raw")
    window = {"start_date": "1993-01-29", "end_date": "1995-12-29"}
    (warning,) = [w for w in run(raw, ["SPY"], [1.0], commission=PER_SHARE, **window)["warnings"] if "per share" in w]
    first = pd.read_parquet(market_folder.parent / "raw" / "SPY.parquet").iloc[0]
    assert f"up to {first['close'] / first['adj_close']:.3g} times as many of SPY" in warning
    for changes in ({"price_adjustment": "splits"}, {"commission": 0.005}):
        answer = run(raw, ["SPY"], [1.0], **{"commission": PER_SHARE} | changes, **window)
        assert not [w for w in answer["warnings"] if "per share" in w]


@pytest.mark.parametrize(
    ("universe", "weights", "tolerance"),
    [(("SPY",), (1.0,), 1e-3), (("BND",), (1.0,), 1e-3), (("SPY", "TLT"), (0.6, 0.4), 1e-3), (("GLD",), (1.0,), 1e-6)],
)
def test_reinvested_dividends_match_the_total_return_of_adjusted_prices(market_folder, universe, weights, tolerance):
    """Two decades of real prices. An adjusted price reinvests a dividend at the close before its ex-date, less the
    dividend, and a strategy at the close of the ex-date: the difference is the day's return on the dividend."""
    window = {"start_date": "2007-06-01", "end_date": "2026-04-30", "min_trade_value": 0}
    cash = run(FilesProvider(market_folder.parent / "raw"), universe, weights, price_adjustment="splits", **window)
    full = run(FilesProvider(market_folder), universe, weights, **window)
    ratio = cash["equity_stats"]["equity"] / full["equity_stats"]["equity"]
    assert ratio == pytest.approx(1, abs=tolerance)
    paid = cash["equity_stats"]["dividends"]
    assert (paid == 0.0) if universe == ("GLD",) else (paid > 1000)


def test_the_books_of_one_buy_are_its_shares_and_their_dividends(market_folder):
    """SPY at its close of 2019-01-02, by hand: 250.18 per share, and four dividends until the end of the year."""
    raw = FilesProvider(market_folder.parent / "raw")
    frame = pd.read_parquet(market_folder.parent / "raw" / "SPY.parquet").loc["2019-01-02":"2019-12-31"]
    answer = run(
        raw, ["SPY"], [1.0], price_adjustment="splits", start_date="2019-01-01", end_date="2019-12-31",
        min_trade_value=5000,
    )  # fmt: skip
    shares = 10_000 / frame["close"].iloc[0]
    assert [order["shares"] for order in answer["orders"]] == [pytest.approx(shares, rel=1e-12)]
    dividends = answer["equity_stats"]["dividends"]
    assert dividends == pytest.approx(shares * (1.233 + 1.432 + 1.384 + 1.570), rel=1e-3)
    assert answer["equity_stats"]["equity"] == pytest.approx(shares * frame["close"].iloc[-1] + dividends, rel=1e-12)
