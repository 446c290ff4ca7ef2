"""allow_short and max_gross: what an answer says of short and leveraged accounts, in every kind of box."""

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from src.engine.ledger import Ledger
from src.errors import StrategyFailed
from src.execution.sandbox.base import Sandbox
from src.models.request import BacktestRequest
from src.models.response import BacktestResponse
from src.services.backtests.datasets import Datasets
from src.services.backtests.prepare import Backtests, RunLimits
from src.services.data_provider.calendar import sessions
from src.services.data_provider.files.provider import FilesProvider
from src.services.results.answer_json import answer_pieces
from src.services.results.sections import NOTHING, Asked
from src.utils.deadline import Deadline
from src.utils.json_bytes import json_bytes, parsed_json
from tests.fakes.blob_store import FakeBlobs
from tests.fakes.engine_box import Forge, engine_script
from tests.fakes.sandbox import ScriptedSandbox

WEIGHTS = (1.2, -0.6)
DIALECTS = {
    "weights": """
from hqg_algorithms import *
from hqg_backtester import Weights

class Mine(Strategy):
    universe = ["UP", "DOWN"]
    cadence = Cadence(bar_size=BarSize("{bar_size}"), execution=ExecutionTiming("{execution}"))

    def on_data(self, data, portfolio):
        return Weights({"UP": 1.2, "DOWN": -0.6})
""",
    "older library": """
from hqg_algorithms import BarSize, Cadence, ExecutionTiming, Strategy

class Mine(Strategy):
    def universe(self):
        return ["UP", "DOWN"]

    def cadence(self):
        return Cadence(bar_size=BarSize("{bar_size}"), execution=ExecutionTiming("{execution}"))

    def on_data(self, data, portfolio):
        return {"UP": 1.2, "DOWN": -0.6}
""",
    "older contract": """
class Mine(Strategy):
    def __init__(self):
        self.universe = ["UP", "DOWN"]
        self.cadence = Cadence(bar_size=BarSize("{bar_size}"), execution=ExecutionTiming("{execution}"))

    def on_data(self, data, portfolio):
        return {"DOWN": -0.6, "UP": 1.2}
""",
}
MARGIN = {"allow_short": True, "max_gross": 2.0, "borrow_rate": 0.02, "margin_rate": 0.05}


@pytest.fixture
def provider(tmp_path: Path) -> FilesProvider:
    """UP rises and DOWN falls by a thousandth a day, until both turn steeply in the autumn."""
    days = sessions(date(2015, 1, 1), date(2015, 12, 31))
    steps = np.where(days < np.datetime64("2015-10-01"), 0.001, -0.03)
    for symbol, sign in (("UP", 1), ("DOWN", -1)):
        closes = 100 * np.exp(np.cumsum(sign * steps))
        opens = closes * np.exp(0.002 * np.sin(np.arange(len(days)) * sign))
        frame = {"Open": opens, "High": closes * 1.01, "Low": closes * 0.99, "Close": closes, "Volume": 1e6}
        pd.DataFrame({"Date": days.astype(str), **frame}).to_csv(tmp_path / f"{symbol}.csv", index=False)
    return FilesProvider(tmp_path)


def run(
    provider: FilesProvider,
    box: Sandbox | None = None,
    *,
    dialect: str = "weights",
    weights: tuple[float, float] = WEIGHTS,
    forge: Forge = lambda ledger: None,
    bar_size: str = "1d",
    execution: str = "close_to_close",
    asked: Asked = NOTHING,
    **changes: Any,
) -> dict[str, Any]:
    """The answer for fixed weights, in a scripted box unless another is given."""
    source = DIALECTS[dialect].replace("{bar_size}", bar_size).replace("{execution}", execution)
    description = {"universe": ["UP", "DOWN"], "bar_size": bar_size, "execution": execution}
    request = {
        "strategy_code": source,
        "start_date": "2015-01-01",
        "end_date": "2015-09-30",
        "benchmark": "UP",
        "risk_free_rate": 0.0,
        **MARGIN,
    }
    sandbox = box or ScriptedSandbox(engine_script(description, list(weights), forge))
    backtests = Backtests(datasets=Datasets(provider, FakeBlobs()), sandbox=sandbox, limits=RunLimits())
    posted = BacktestRequest.model_validate(request | changes)
    with backtests.prepare(posted, deadline=Deadline.after(60)) as prepared:
        answer = parsed_json(b"".join(answer_pieces(prepared.execute(), asked)))
    BacktestResponse.model_validate(answer)
    return answer


@pytest.mark.parametrize(
    ("dialect", "bar_size", "execution"),
    [
        ("weights", "1d", "close_to_close"),
        ("older library", "1w", "close_to_next_open"),
        ("older contract", "1m", "close_to_close"),
    ],
)
def test_every_kind_of_box_and_dialect_gives_the_same_short_and_leveraged_run(
    sandbox: Sandbox, provider: FilesProvider, dialect: str, bar_size: str, execution: str
) -> None:
    terms = {"dialect": dialect, "bar_size": bar_size, "execution": execution, "commission": 1.0, "slippage": 0.0005}
    scripted, real = (run(provider, box, **terms) for box in (None, sandbox))
    for part in ("orders", "equity_stats", "candles", "metrics", "run_hash", "warnings", "holding_weights"):
        assert json_bytes(real[part]) == json_bytes(scripted[part]), part
    assert [order["action"] for order in real["orders"][:2]] == ["Buy", "Sell"]


def test_an_answer_echoes_its_terms_and_says_what_they_cost(provider: FilesProvider) -> None:
    answer = run(provider, execution="close_to_next_open", bar_size="1q")
    assert {name: answer["parameters"][name] for name in MARGIN} == MARGIN
    assert answer["equity_stats"]["charges"] > 0
    assert answer["metrics"]["exposure"] > 1
    assert not [warning for warning in answer["warnings"] if "gross" in warning]


def test_gross_exposure_that_drifts_over_the_limit_is_a_warning_with_the_date_and_the_number(
    provider: FilesProvider, tmp_path: Path
) -> None:
    answer = run(provider, weights=(0.0, 2.0), bar_size="1q", allow_short=False, end_date="2015-09-29")
    (warning,) = [warning for warning in answer["warnings"] if "gross" in warning]
    held = sum(order["shares"] * (1 if order["action"] == "Buy" else -1) for order in answer["orders"])
    closes = pd.read_csv(tmp_path / "DOWN.csv", index_col="Date")["Close"]
    highest = held * closes["2015-09-29"] / answer["candles"][-1]["close"]
    assert warning.startswith("Prices took gross exposure over max_gross of 2 at 125 closes, first on 2015-04-01")
    assert warning.endswith(f"; it was highest on 2015-09-29 at {highest:.4g} times equity.")


def test_a_ruined_account_is_a_result_whose_days_and_metrics_end_there(provider: FilesProvider) -> None:
    answer = run(provider, end_date="2015-12-31", bar_size="1q", weights=(1.0, -1.0))
    ruin = answer["ruin"]
    last = pd.Timestamp(answer["candles"][-1]["time"], unit="s").date().isoformat()
    assert ruin["date"] == last < "2015-12-31"
    assert ruin["shortfall"] > 0
    assert answer["candles"][-1]["close"] == 0
    assert answer["equity_stats"]["equity"] == 0
    assert answer["metrics"]["total_return"] == -1
    assert answer["metrics"]["max_drawdown"] == 1
    assert answer["metrics"]["sharpe_ratio"] < 0
    assert answer["metrics"]["undefined"]["exposure"] == "equity reached zero"
    assert len(answer["benchmark"]) == len(answer["candles"])
    (warning,) = [warning for warning in answer["warnings"] if "ruined" in warning]
    assert f"ruined on {last}: its equity at that close was -{ruin['shortfall']:.10g}" in warning


def test_round_trips_and_charges_are_the_whole_profit(provider: FilesProvider) -> None:
    terms = {"commission": 1.0, "slippage": 0.0005, "bar_size": "1w", "execution": "close_to_next_open"}
    answer = run(provider, asked=Asked(frozenset({"trades", "rolling"})), **terms)
    assert {trade["side"] for trade in answer["trades"]} == {"long", "short"}
    earned = sum(trade["pnl"] for trade in answer["trades"]) - answer["equity_stats"]["charges"]
    assert earned == pytest.approx(answer["equity_stats"]["net_profit"], rel=1e-9)
    days = pd.Series([pd.Timestamp(candle["time"], unit="s").strftime("%Y-%m") for candle in answer["candles"]])
    n_days = days.value_counts()
    months = answer["rolling"]["months"]
    mean = sum(month["gross_exposure"] * n_days[month["month"]] for month in months) / len(days)
    assert mean == pytest.approx(answer["metrics"]["exposure"], rel=1e-9)
    turned = sum(month["turnover"] for month in months)
    assert turned / len(days) * 252 == pytest.approx(answer["metrics"]["turnover"], rel=1e-9)
    assert months[-1]["exposure"] == pytest.approx(1.2 - 0.6, abs=0.05)


def test_what_a_ruined_account_still_held_ended_with_it(provider: FilesProvider) -> None:
    asked = Asked(frozenset({"trades", "rolling", "periods", "benchmark_metrics"}), is_lean=True)
    answer = run(provider, end_date="2015-12-31", bar_size="1q", weights=(1.0, -1.0), asked=asked)
    last = [trade for trade in answer["trades"] if trade["exit_time"].startswith(answer["ruin"]["date"])]
    assert {trade["exit_reason"] for trade in last} == {"ruin"}
    earned = sum(trade["pnl"] for trade in answer["trades"]) - answer["equity_stats"]["charges"]
    assert earned == pytest.approx(-10_000 - answer["ruin"]["shortfall"], rel=1e-9)
    assert answer["metrics_lean"]["drawdown"] == 1.0
    assert answer["periods"]["years"][0]["total"] == -1.0


def double_the_first_order(ledger: Ledger) -> None:
    ledger.orders.shares[0] *= 2


def spare_the_charges(ledger: Ledger) -> None:
    ledger.cash[:] = [ledger.cash[0]] * len(ledger.cash)


def survive(ledger: Ledger) -> None:
    ledger.equity[-1] = 1.0


@pytest.mark.parametrize(
    ("forge", "check"),
    [
        (double_the_first_order, "gross exposure beyond max_gross after an order"),
        (spare_the_charges, "cash that does not follow from orders and prices"),
        (survive, "equity that does not follow from orders and prices"),
    ],
)
def test_forged_books_of_a_short_account_are_no_result(provider: FilesProvider, forge: Forge, check: str) -> None:
    with pytest.raises(StrategyFailed, match=f"audit failed: {check}"):
        run(provider, forge=forge, bar_size="1q", end_date="2015-12-31", weights=(1.0, -1.0))


def test_without_the_fields_an_answer_is_that_of_an_account_without_margin(provider: FilesProvider) -> None:
    defaults = {"allow_short": False, "max_gross": 1.0, "borrow_rate": 0.0, "margin_rate": 0.0}
    answer = run(provider, weights=(0.5, 0.5), **defaults)
    assert not defaults.keys() & answer["parameters"].keys()
    assert not {"charges"} & answer["equity_stats"].keys()
    assert "ruin" not in answer
