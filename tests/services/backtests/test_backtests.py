"""The whole job in one process: the answer to a request, and that a box cannot lie."""

import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from src.engine.ledger import Ledger
from src.engine.simulator import ProtectedWeights
from src.errors import NoPrices, StrategyFailed, StrategyRejected
from src.execution import protocol
from src.execution.reading import policy
from src.execution.reading.reading import read
from src.models.request import BacktestRequest
from src.services.backtests.datasets import Datasets
from src.services.backtests.prepare import Backtests, RunLimits
from src.services.data_provider.base import DataProvider
from src.services.data_provider.files.provider import FilesProvider
from src.services.data_provider.mock.provider import MockProvider
from src.utils.deadline import Deadline
from tests.fakes.blob_store import FakeBlobs
from tests.fakes.engine_box import Forge, engine_script, frames_in
from tests.fakes.sandbox import ScriptedSandbox
from tests.services.backtests.answers import answered, prepared, strategy

SOURCE, DESCRIPTION = strategy("SPY", "BND", timing="CLOSE_TO_NEXT_OPEN")
PROVIDER = MockProvider(lambda: datetime(2026, 1, 5, tzinfo=UTC))


def run(
    forge: Forge = lambda ledger: None,
    description: dict[str, Any] | None = None,
    provider: DataProvider = PROVIDER,
    **changes: Any,
) -> dict[str, Any]:
    request = {"strategy_code": SOURCE, "start_date": "2015-01-01", "end_date": "2015-12-31", **changes}
    sandbox = ScriptedSandbox(engine_script(description or DESCRIPTION, [0.5, 0.5], forge))
    return answered(provider, sandbox, **request)


def test_the_answer_has_the_shape_of_the_wire() -> None:
    answer = run()
    json.dumps(answer, allow_nan=False)
    assert answer["parameters"]["universe"] == ["SPY", "BND"]
    assert answer["job_id"] == answer["run_hash"]
    assert len(answer["candles"]) == 252
    assert answer["orders"][0]["timestamp"] == "2015-01-05T00:00:00Z"
    assert answer["candles"][0]["time"] == 1_420_156_800
    assert answer["equity_stats"]["equity"] == answer["candles"][-1]["close"]
    assert answer["benchmark"][0]["value"] == pytest.approx(10_000.0)
    assert any("synthetic" in warning for warning in answer["warnings"])


def test_the_same_request_gives_the_same_answer_except_for_timings() -> None:
    first, second = run(), run()
    for answer in (first, second):
        del answer["provenance"]["timings_ms"]
    assert first == second


def test_the_analysis_time_and_the_total_include_the_reading_before_the_run() -> None:
    backtests = Backtests(
        datasets=Datasets(PROVIDER, FakeBlobs()),
        sandbox=ScriptedSandbox(engine_script(DESCRIPTION, [0.5, 0.5], lambda ledger: None)),
        limits=RunLimits(),
        read=lambda source: replace(read(source), seconds=0.25),
    )
    request = BacktestRequest.model_validate(
        {"strategy_code": SOURCE, "start_date": "2015-01-01", "end_date": "2015-12-31"}
    )
    with backtests.prepare(request, deadline=Deadline.after(30), reading_seconds=1_000.0) as ready:
        timings = ready.execute().document["provenance"]["timings_ms"]
    assert timings["analysis"] == 1_000_250
    assert timings["total"] > 1_000_000


def inflated_equity(ledger: Ledger) -> None:
    ledger.equity[-1] *= 1.01


def inflated_books(ledger: Ledger) -> None:
    ledger.equity = [value * 1.01 for value in ledger.equity]
    ledger.cash = [cash + value * 0.01 for cash, value in zip(ledger.cash, ledger.equity, strict=True)]


def better_price(ledger: Ledger) -> None:
    ledger.orders.price[0] *= 0.999


def missing_order(ledger: Ledger) -> None:
    for column in ledger.orders:
        del column[3]


def order_of_another_day(ledger: Ledger) -> None:
    ledger.orders.day[0] = 5


def nan_equity(ledger: Ledger) -> None:
    ledger.equity[3] = float("nan")


def symbol_out_of_range(ledger: Ledger) -> None:
    ledger.orders.symbol[0] = 7


@pytest.mark.parametrize(
    "forge",
    [
        inflated_equity,
        inflated_books,
        better_price,
        missing_order,
        order_of_another_day,
        nan_equity,
        symbol_out_of_range,
    ],
)
def test_a_forged_reply_is_rejected_and_the_check_is_named(forge: Forge) -> None:
    with pytest.raises(StrategyFailed, match="audit failed: "):
        run(forge)


def test_a_box_that_trades_a_different_universe_than_its_source_is_refused() -> None:
    with pytest.raises(StrategyFailed, match="the universe in the source is SPY, BND"):
        run(description={**DESCRIPTION, "universe": ["SPY", "TLT"]})
    with pytest.raises(StrategyFailed, match="different cadences"):
        run(description={**DESCRIPTION, "execution": "close_to_close"})


def test_broken_rules_are_reported_all_at_once() -> None:
    with pytest.raises(StrategyRejected) as caught:
        run(strategy_code="import os\nimport sys\n" + SOURCE)
    assert [(v["line"], v["message"]) for v in caught.value.violations] == [
        (1, "Import of 'os' is not allowed"),
        (2, f"Import of 'sys' is not allowed: {policy.INSTEAD['sys']}"),
    ]


def test_an_unknown_ticker_is_named() -> None:
    with pytest.raises(NoPrices, match="UNKNOWNX"):
        run(strategy_code=SOURCE.replace('"BND"', '"UNKNOWNX"'))


def test_a_window_without_prices_is_named() -> None:
    with pytest.raises(NoPrices, match="SPY"):
        run(start_date="1950-01-01", end_date="1950-12-31")


def test_a_benchmark_without_prices_is_a_warning_and_null_metrics() -> None:
    answer = run(benchmark="UNKNOWNY")
    assert answer["benchmark"] is None
    assert answer["metrics"]["beta"] is None
    assert "benchmark" in answer["metrics"]["undefined"]["beta"]
    assert any("UNKNOWNY" in warning for warning in answer["warnings"])


def test_a_window_beyond_the_prices_is_a_warning_with_both_dates() -> None:
    # Mock prices begin in 1990.
    answer = run(start_date="1980-01-01", end_date="1991-12-31")
    assert "The prices begin on 1990-01-02, but the requested window begins on 1980-01-01." in answer["warnings"]
    assert answer["candles"][0]["time"] == 631_238_400


def test_a_benchmark_that_begins_late_begins_late_in_the_answer(tmp_path: Path) -> None:
    prices = PROVIDER.fetch(("SPY", "BND", "QQQ", "^IRX"), date(2015, 1, 1), date(2015, 12, 31))
    for column, symbol in enumerate(prices.symbols):
        first = 100 if symbol == "QQQ" else 0
        names = ("Open", "High", "Low", "Close", "Volume")
        columns = {name: prices.bars[first:, column, at].copy() for at, name in enumerate(names)}
        pq.write_table(pa.table({"Date": prices.dates[first:], **columns}), tmp_path / f"{symbol}.parquet")
    answer = run(provider=FilesProvider(tmp_path), benchmark="QQQ")
    assert [point["time"] for point in answer["benchmark"]] == [candle["time"] for candle in answer["candles"]][100:]
    assert answer["benchmark"][0]["value"] == 10_000.0
    (warning,) = [warning for warning in answer["warnings"] if "benchmark" in warning]
    assert warning.startswith(f"The benchmark QQQ begins on {prices.dates[100]}, the run on 2015-01-02;")
    # By hand: returns of the days after the benchmark's first.
    equity = np.array([candle["close"] for candle in answer["candles"]])[100:]
    value = np.array([point["value"] for point in answer["benchmark"]])
    of_run, of_benchmark = equity[1:] / equity[:-1] - 1, value[1:] / value[:-1] - 1
    covariance = np.cov(of_run, of_benchmark)
    assert answer["metrics"]["beta"] == pytest.approx(covariance[0, 1] / covariance[1, 1], rel=1e-9)


def test_a_request_without_a_benchmark_gets_no_warning() -> None:
    answer = run(benchmark=None)
    assert answer["benchmark"] is None
    assert not any("benchmark" in warning for warning in answer["warnings"])


def test_the_risk_free_rate_is_the_requests_or_that_of_treasury_bills() -> None:
    assert run(risk_free_rate=0.03)["metrics"]["risk_free_rate"] == 0.03
    assert 0.0 < run()["metrics"]["risk_free_rate"] < 0.2


def test_fees_and_slippage_are_reported_separately() -> None:
    stats = run(commission=1.0, slippage=0.001)["equity_stats"]
    assert stats["fees"] == float(len(run(commission=1.0, slippage=0.001)["orders"]))
    assert stats["slippage_cost"] == pytest.approx(stats["volume"] * 0.001, rel=0.01)


def test_protective_exits_are_orders_with_their_reason_and_ambiguous_bars_are_counted() -> None:
    def said(levels: tuple[float, float, float]) -> tuple[set[str], list[str]]:
        weights = ProtectedWeights([0.5, 0.5], [levels] * 2)
        request = {"strategy_code": SOURCE, "start_date": "2015-01-01", "end_date": "2015-12-31"}
        answer = answered(PROVIDER, ScriptedSandbox(engine_script(DESCRIPTION, weights)), **request)
        reasons = {order.get("reason", "signal") for order in answer["orders"]}
        return reasons, [warning for warning in answer["warnings"] if "take profit" in warning]

    reasons, warnings = said((0.002, 0.002, 0.0))
    assert reasons == {"signal", "stop_loss", "take_profit"}
    (warning,) = warnings
    assert re.fullmatch(r"\d+ bars reached both a stop and a take profit of a position: the stop, .*", warning)
    assert said((0.0, 0.0, 0.01)) == ({"signal", "trailing_stop"}, [])


def test_a_requests_universe_overrides_the_strategys() -> None:
    description = {**DESCRIPTION, "universe": ["TLT", "GLD"]}
    sandbox = ScriptedSandbox(engine_script(description, [0.5, 0.5], lambda ledger: None))
    request = {"strategy_code": SOURCE, "start_date": "2015-01-01", "end_date": "2015-12-31"}
    answer = answered(PROVIDER, sandbox, universe=["TLT", "GLD"], **request)
    assert answer["parameters"]["universe"] == ["TLT", "GLD"]
    assert {order["symbol"] for order in answer["orders"]} == {"TLT", "GLD"}
    assert b'"universe":["TLT","GLD"]' in sandbox.boxes[0].heard.replace(b" ", b"")


SPELLINGS = [
    {"parameters": {"b": [1, 2.0], "a": {"y": 3.0, "x": 1}}},
    {"parameters": {"a": {"x": 1.0, "y": 3}, "b": [1.0, 2]}},
    {
        "config_params": {"b": [1, 2], "a": {"x": 1, "y": 3}},
        "seed": 0,
        "initial_capital": 10_000,
        "commission": 0,
        "name": "n",
    },
]


def test_requests_with_the_same_hash_give_the_box_the_same_job() -> None:
    heard = []
    for spelling in SPELLINGS:
        sandbox = ScriptedSandbox(engine_script(DESCRIPTION, [0.5, 0.5]))
        request = {"strategy_code": SOURCE, "start_date": "2015-01-01", "end_date": "2015-12-31", **spelling}
        answer = answered(PROVIDER, sandbox, **request)
        job = json.loads(frames_in(sandbox.boxes[0].heard)[protocol.JOB])
        heard.append(
            (answer["run_hash"], json.dumps(job["parameters"]), json.dumps(answer["parameters"]["parameters"]))
        )
    assert len(set(heard)) == 1


DECLARING = SOURCE.replace("    cadence", '    declared_parameters = {"fast": 10, "slow": 30}\n    cadence')


def test_a_parameter_that_the_strategy_does_not_declare_is_refused_before_a_box_is_opened() -> None:
    sandbox = ScriptedSandbox(engine_script(DESCRIPTION, [0.5, 0.5]))
    request = {"strategy_code": DECLARING, "start_date": "2015-01-01", "end_date": "2015-12-31"}
    with pytest.raises(StrategyRejected) as caught:
        answered(PROVIDER, sandbox, parameters={"fast": 5, "slwo": 20}, **request)
    (violation,) = caught.value.violations
    assert (violation["rule"], violation["line"]) == ("unknown-parameter", 6)
    assert "it declares fast (int), slow (int)" in violation["message"]
    assert sandbox.boxes == []


def test_the_box_gets_declared_defaults_under_the_requests_parameters() -> None:
    sandbox = ScriptedSandbox(engine_script(DESCRIPTION, [0.5, 0.5]))
    request = {"strategy_code": DECLARING, "start_date": "2015-01-01", "end_date": "2015-12-31"}
    answered(PROVIDER, sandbox, parameters={"fast": 5}, **request)
    job = json.loads(frames_in(sandbox.boxes[0].heard)[protocol.JOB])
    assert job["parameters"] == {"fast": 5, "slow": 30}


def hash_of(**changes: Any) -> str:
    request = {"strategy_code": SOURCE, "start_date": "2015-01-01", "end_date": "2015-12-31", **changes}
    with prepared(PROVIDER, ScriptedSandbox(engine_script(DESCRIPTION, [0.5, 0.5])), **request) as ready:
        return ready.run_hash


@pytest.mark.parametrize(
    "changes",
    [
        {"strategy_code": SOURCE + "\n"},
        {"strategy_code": SOURCE.replace('["SPY", "BND"]', '["BND", "SPY"]')},
        {"strategy_code": SOURCE.replace("CLOSE_TO_NEXT_OPEN", "CLOSE_TO_CLOSE")},
        {"strategy_code": SOURCE.replace("DAILY", "WEEKLY")},
        {"start_date": "2015-01-05"},
        {"end_date": "2015-12-30"},
        {"initial_capital": 10_001},
        {"commission": 1},
        {"commission": {"model": "per_order", "amount": 0}},
        {"slippage": 0.0001},
        {"min_trade_value": 2},
        {"seed": 1},
        {"parameters": {"a": 1}},
        {"benchmark": None},
        {"benchmark": "QQQ"},
        {"risk_free_rate": 0.02},
        {"universe": ["SPY", "BND"]},
    ],
)
def test_every_ingredient_changes_the_run_hash(changes: dict[str, Any]) -> None:
    assert hash_of(**changes) != hash_of()


def test_hashing_a_run_needs_no_box_unless_the_strategy_computes_its_universe() -> None:
    request = {"strategy_code": SOURCE, "start_date": "2015-01-01", "end_date": "2015-12-31"}
    sandbox = ScriptedSandbox(engine_script(DESCRIPTION, [0.5, 0.5]))
    with prepared(PROVIDER, sandbox, **request) as named:
        assert sandbox.boxes == []
    computed = request | {"strategy_code": SOURCE.replace('["SPY", "BND"]', 'sorted({"BND", "SPY"}, reverse=True)')}
    with prepared(PROVIDER, sandbox, **computed) as ready:
        assert [box.is_closed for box in sandbox.boxes] == [False]
        assert ready.symbols == named.symbols
        ready.execute()
    assert [box.is_closed for box in sandbox.boxes] == [True], "the box that named it also runs it"


def test_a_box_that_was_opened_but_not_used_is_closed() -> None:
    sandbox = ScriptedSandbox(engine_script({**DESCRIPTION, "universe": ["UNKNOWNX"]}, [1.0]))
    computed = SOURCE.replace('["SPY", "BND"]', "[str(chr(85))]")
    with pytest.raises(NoPrices):
        prepared(PROVIDER, sandbox, strategy_code=computed, start_date="2015-01-01", end_date="2015-12-31")
    assert [box.is_closed for box in sandbox.boxes] == [True]
