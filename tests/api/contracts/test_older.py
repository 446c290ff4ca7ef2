import pytest

from src.api.contracts.older.shapes import OlderAnswer, OlderRefusal
from src.errors import (
    NoPrices,
    PriceSourceUnavailable,
    RunTimedOut,
    SandboxUnavailable,
    StrategyFailed,
    StrategyRejected,
)
from tests.fakes.application import BACKTEST, RUNS
from tests.fakes.backtests import FakeBacktests, real_shaped_answer

OLDER = "/backtest"
REQUEST = {"code": "class S: pass", "start_date": "2015-01-01", "end_date": "2015-12-31"}


def test_the_answer_has_the_older_names_and_percents(connect):
    answer = connect(FakeBacktests()).post(OLDER, json=REQUEST)
    assert answer.status_code == 200
    OlderAnswer.model_validate(answer.json())
    assert answer.json() == {
        "success": True,
        "data": {
            "summary": {"initialCash": 10000.0, "finalEquity": 10100.0, "totalReturn": 1.0, "numTrades": 1},
            "metrics": {"sharpeRatio": None, "maxDrawdown": None, "winRate": None},
            "equityCurve": [{"date": "2015-01-02", "equity": 10000.0}, {"date": "2015-01-05", "equity": 10100.0}],
            "orders": real_shaped_answer()["orders"],
            "warnings": [],
        },
    }


def test_fractions_become_percents(connect):
    shaped = real_shaped_answer()
    shaped["metrics"] |= {"sharpe_ratio": 1.5, "max_drawdown": 0.25, "win_rate": 0.5}
    answer = connect(FakeBacktests(answer=shaped)).post(OLDER, json=REQUEST)
    assert answer.json()["data"]["metrics"] == {"sharpeRatio": 1.5, "maxDrawdown": 25.0, "winRate": 50.0}


def test_both_contracts_accept_the_same_request(connect):
    backtests = FakeBacktests()
    sent = {"tickers": [" spy", "BND", "SPY"], "initial_cash": 5000, "commission_rate": 0.001, "parameters": {"a": 1}}
    assert connect(backtests).post(OLDER, json=REQUEST | sent).status_code == 200
    [request] = backtests.requests
    assert request.universe == ["SPY", "BND"]
    assert (request.initial_capital, request.parameters) == (5000.0, {"a": 1})
    assert request.commission.model_dump() == {"model": "rate", "rate": 0.001}


def test_a_run_with_tickers_can_be_repeated_from_its_stored_request(connect):
    client = connect(FakeBacktests())
    made = client.post(OLDER, json=REQUEST | {"tickers": ["TLT", "GLD"], "commission_rate": 0.001})
    run = f"{RUNS}/{made.headers['X-Run-Hash']}"
    told = client.get(f"{run}/request").json()
    assert told["universe"] == ["TLT", "GLD"]
    assert client.get(f"{run}/artifacts/request.json").json() == told
    again = client.post(BACKTEST, json=told)
    assert (again.status_code, again.headers["X-Run-Reused"]) == (200, "true")
    assert f"{RUNS}/{again.headers['X-Run-Hash']}" == run
    assert again.json()["warnings"] == []


def test_a_stored_answer_gets_the_warnings_of_the_older_request_only(connect):
    client = connect(FakeBacktests(answer=real_shaped_answer() | {"warnings": ["of the run"]}))
    todays = {"strategy_code": REQUEST["code"], "commission": {"model": "rate", "rate": 0}}
    dates = {name: REQUEST[name] for name in ("start_date", "end_date")}
    first = client.post(BACKTEST, json=todays | dates | {"comission": 1})
    assert [warning[:11] for warning in first.json()["warnings"]] == ["'comission'", "of the run"]
    answer = client.post(OLDER, json=REQUEST | {"tikers": None})
    assert answer.headers["X-Run-Reused"] == "true"
    assert [warning[:10] for warning in answer.json()["data"]["warnings"]] == ["'tikers' i", "of the run"]


def test_without_tickers_the_strategy_is_asked(connect):
    backtests = FakeBacktests()
    connect(backtests).post(OLDER, json=REQUEST | {"tickers": None})
    assert backtests.requests[0].universe is None


def test_unknown_fields_are_named(connect):
    answer = connect(FakeBacktests()).post(OLDER, json=REQUEST | {"comission_rate": 0})
    assert answer.json()["data"]["warnings"] == ["'comission_rate' is not a field; did you mean 'commission_rate'?"]


@pytest.mark.parametrize(
    ("error", "status", "kind", "messages"),
    [
        (StrategyRejected([{"rule": "r", "message": "No.", "line": 3}]), 400, "analysis_error", ["No. (line 3)"]),
        (StrategyFailed(["ZeroDivisionError (line 1)"]), 400, "execution_error", ["ZeroDivisionError (line 1)"]),
        (NoPrices(["No prices for 'XYZQ'"]), 400, "data_error", ["No prices for 'XYZQ'"]),
        (PriceSourceUnavailable("no answer"), 502, "data_source_error", ["no answer"]),
        (SandboxUnavailable("no engine"), 503, "unavailable", ["no engine"]),
        (RunTimedOut("too long"), 504, "timeout", ["too long"]),
    ],
)
def test_an_error_has_the_older_shape_and_the_same_status(connect, error, status, kind, messages):
    answer = connect(FakeBacktests(error=error)).post(OLDER, json=REQUEST)
    assert answer.status_code == status
    assert answer.json() == {"success": False, "error": {"type": kind, "messages": messages}}
    OlderRefusal.model_validate(answer.json())
    assert int(answer.headers["Content-Length"]) == len(answer.content)


def test_our_own_fault_has_its_id_and_no_internals(connect):
    answer = connect(FakeBacktests(error=RuntimeError("/secret"))).post(OLDER, json=REQUEST)
    assert answer.status_code == 500
    assert answer.json()["error"]["type"] == "internal_error"
    assert answer.json()["error"]["request_id"] == answer.headers["X-Request-ID"]
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    ("sent", "status", "message"),
    [
        ({"json": {}}, 422, "body.code: Field required"),
        ({"json": REQUEST | {"tickers": ["../x"]}}, 422, "body.tickers.0: Must be a ticker such as SPY"),
        ({"json": REQUEST | {"tickers": []}}, 422, "body.tickers"),
        ({"json": REQUEST | {"tickers": ["A" * 13]}}, 422, "body.tickers.0"),
        ({"json": REQUEST | {"end_date": "2014-01-01"}}, 422, "end_date must be after start_date"),
        ({"json": REQUEST | {"commission_rate": 2}}, 422, "body.commission_rate"),
        ({"content": b"{}"}, 422, "Content-Type"),
        ({"json": REQUEST | {"code": "x" * 5000}}, 413, "2000 bytes"),
    ],
)
def test_errors_before_any_route_have_the_older_shape_too(connect, sent, status, message):
    answer = connect(FakeBacktests(), max_body_bytes=2000).post(OLDER, **sent)
    assert answer.status_code == status
    refusal = OlderRefusal.model_validate(answer.json())
    assert message in refusal.error.messages[0]


def test_other_methods_too(connect):
    answer = connect(FakeBacktests()).get(OLDER)
    assert (answer.status_code, answer.json()["error"]["type"]) == (405, "method_not_allowed")
