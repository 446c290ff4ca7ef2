"""The dashboard's job contract, field by field: a program that we do not change reads it."""

import json
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from src.api.contracts.dashboard.shapes import JobAnswer
from src.api.contracts.dashboard.translation import job_answer, job_metrics, job_pieces
from src.services.results.earlier import result_from_json
from src.services.storage.records.runs import RunError, RunKey, RunRecord, RunStatus
from src.utils.json_bytes import json_bytes
from tests.fakes.backtests import real_shaped_answer

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
RUN = RunRecord(
    key=RunKey("local", "5f" * 32),
    name=None,
    status=RunStatus.QUEUED,
    symbols=("SPY",),
    start_date="2015-01-01",
    end_date="2015-12-31",
    submitted_at=AT,
    started_at=None,
    finished_at=None,
    attempt=0,
    position=0,
    progress=None,
    metrics=None,
    error=None,
    is_cancel_requested=False,
    has_result=False,
    recomputed=None,
    first_event=1,
    last_event=1,
)
NAMES = [
    *("final_portfolio_value", "fees", "net_profit", "volume", "sharpe", "sortino", "calmar", "psr"),
    *("total_pct_return", "annualized_return", "ann_vol", "max_drawdown", "max_drawdown_duration"),
    *("var_95", "cvar_95", "alpha", "beta", "total_orders"),
]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (RunStatus.QUEUED, "PENDING"),
        (RunStatus.RUNNING, "RUNNING"),
        (RunStatus.FAILED, "FAILED"),
        (RunStatus.TIMED_OUT, "FAILED"),
        (RunStatus.CANCELLED, "CANCELLED"),
        (RunStatus.SUCCEEDED, "COMPLETED"),
    ],
)
def test_every_status_has_the_dashboards_name(status, expected):
    answer = job_answer(replace(RUN, status=status))
    assert answer["status"] == expected
    JobAnswer.model_validate(answer)


def test_a_waiting_job_has_every_field_and_no_result():
    assert job_answer(RUN) == {
        "job_id": "5f" * 32,
        "status": "PENDING",
        "submitted_at": "2026-01-02T03:04:05Z",
        "started_at": None,
        "completed_at": None,
        "result": None,
        "error": None,
        "logs": [],
    }


def test_times_are_in_utc_regardless_of_the_database():
    local = AT.astimezone(timezone(timedelta(hours=5)))
    assert job_answer(replace(RUN, submitted_at=local))["submitted_at"] == "2026-01-02T03:04:05Z"


def test_a_failed_job_says_why_in_a_sentence_with_its_logs():
    error = RunError("strategy_failed", ("ZeroDivisionError (line 3)", "and more"), "…", ("a",))
    answer = job_answer(replace(RUN, status=RunStatus.FAILED, error=error))
    assert (answer["error"], answer["logs"]) == ("ZeroDivisionError (line 3); and more", ["a"])


def test_a_result_has_the_dashboards_names():
    shaped = real_shaped_answer()
    result = result_from_json(json_bytes(shaped | {"logs": ["x"]}))
    answer = json.loads(b"".join(job_pieces(replace(RUN, status=RunStatus.SUCCEEDED), result)))
    assert list(answer) == list(job_answer(RUN))
    result = answer["result"]
    assert set(result) == {"parameters", "metrics", "candles", "orders", "holding_weights"}
    assert (result["parameters"], result["candles"]) == (shaped["parameters"], shaped["candles"])
    assert result["orders"] == [
        {
            "id": "1",
            "timestamp": "2015-01-05T00:00:00Z",
            "ticker": "SPY",
            "type": "Buy",
            "shares": 49.99,
            "price": 200.04,
        }
    ]
    assert answer["logs"] == ["x"]
    JobAnswer.model_validate(answer)


def test_every_measure_is_present_and_only_two_may_be_null():
    metrics = job_metrics({}, real_shaped_answer()["equity_stats"])
    assert list(metrics) == NAMES
    assert [name for name, value in metrics.items() if value is None] == ["calmar", "annualized_return"]
    assert {type(metrics[name]) for name in ("max_drawdown_duration", "total_orders")} == {int}
    assert all(math.isfinite(value) for value in metrics.values() if value is not None)


def test_measures_keep_their_values_and_units():
    ours = {"sharpe_ratio": 1.5, "total_return": 0.25, "annual_volatility": 0.1, "max_drawdown": 0.2, "calmar": 2.0}
    metrics = job_metrics(ours | {"max_drawdown_duration": 12}, real_shaped_answer()["equity_stats"])
    assert (metrics["sharpe"], metrics["total_pct_return"], metrics["ann_vol"]) == (1.5, 0.25, 0.1)
    assert (metrics["max_drawdown"], metrics["calmar"], metrics["max_drawdown_duration"]) == (0.2, 2.0, 12)
    assert (metrics["final_portfolio_value"], metrics["net_profit"]) == (10100.0, 100.0)
