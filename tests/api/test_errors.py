import logging

import pytest
from starlette.testclient import TestClient

from src.errors import (
    BacktesterError,
    NoPrices,
    PriceSourceUnavailable,
    RunCancelled,
    RunTimedOut,
    SandboxUnavailable,
    StrategyFailed,
    StrategyRejected,
)
from src.models.problems import BadRequest, MalformedRequest, OwnFault, Refusal
from tests.fakes.application import BACKTEST, REQUEST, RUNS, FakeSandbox, make_app
from tests.fakes.backtests import FakeBacktests

IMPORT_OF_OS = {
    "rule": "import",
    "message": "Import of 'os' is not allowed",
    "line": 3,
    "column": 1,
    "end_line": 3,
    "end_column": 10,
}


def answer_to(connect, error: BaseException):
    return connect(FakeBacktests(error=error)).post(BACKTEST, json=REQUEST)


def test_broken_rules_are_named_with_their_lines_and_as_data(connect):
    whole = IMPORT_OF_OS | {"message": "No class extends Strategy", "line": None}
    answer = answer_to(connect, StrategyRejected([IMPORT_OF_OS, whole]))
    assert answer.status_code == 400
    assert answer.json() == {
        "detail": {
            "analysis_errors": ["Import of 'os' is not allowed (line 3)", "No class extends Strategy"],
            "violations": [IMPORT_OF_OS, whole],
        }
    }
    BadRequest.model_validate(answer.json())


def test_a_failed_strategy_gets_its_errors_and_logs(connect):
    error = StrategyFailed(["ZeroDivisionError: division by zero (line 17, on_data, 2015-03-02)"], "…", ["a"])
    answer = answer_to(connect, error)
    assert answer.status_code == 400
    assert answer.json() == {
        "detail": {"execution_errors": error.errors, "traceback": "…", "logs": ["a"]},
    }
    BadRequest.model_validate(answer.json())


def test_missing_prices_are_named(connect):
    answer = answer_to(connect, NoPrices(["No prices for 'XYZQ' between 2015-01-01 and 2015-12-31"]))
    assert answer.status_code == 400
    assert answer.json() == {"detail": {"data_errors": ["No prices for 'XYZQ' between 2015-01-01 and 2015-12-31"]}}
    BadRequest.model_validate(answer.json())


@pytest.mark.parametrize(
    ("error", "status", "retry_after"),
    [
        (PriceSourceUnavailable("the source did not answer"), 502, None),
        (PriceSourceUnavailable("the source is busy", retry_after_seconds=30), 503, "30"),
        (SandboxUnavailable("no Docker engine answers"), 503, "5"),
        (RunTimedOut("it took too long"), 504, None),
        (RunCancelled("the service stops"), 503, None),
    ],
)
def test_a_temporary_failure_is_explained_in_a_sentence(connect, error, status, retry_after):
    answer = answer_to(connect, error)
    assert (answer.status_code, answer.headers.get("Retry-After")) == (status, retry_after)
    assert answer.json() == {"detail": str(error)}
    Refusal.model_validate(answer.json())


@pytest.mark.parametrize(
    "error",
    [RuntimeError("/secret/path"), BacktesterError("/secret/path"), MemoryError(), KeyError("secret")],
)
def test_an_internal_error_reveals_only_its_request_id(connect, caplog, error):
    with caplog.at_level(logging.ERROR):
        answer = answer_to(connect, error)
    assert answer.status_code == 500
    body = answer.json()
    assert set(body) == {"detail", "request_id"}
    assert body["request_id"] == answer.headers["X-Request-ID"]
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    assert [body["request_id"] in record.getMessage() for record in caplog.records] == [True]
    OwnFault.model_validate(body)


def test_an_answer_that_cannot_be_json_is_an_internal_error(connect):
    answer = connect(FakeBacktests(answer={"candles": {1, 2}})).post(BACKTEST, json=REQUEST)
    assert answer.status_code == 500
    assert answer.json()["request_id"] == answer.headers["X-Request-ID"]


def test_a_new_error_below_a_known_one_is_answered_like_it(connect):
    class IndexGone(NoPrices):
        pass

    assert answer_to(connect, IndexGone(["gone"])).json() == {"detail": {"data_errors": ["gone"]}}


def test_a_validation_error_does_not_repeat_what_was_sent(connect):
    sent = REQUEST | {"strategy_code": ["SECRET_ALPHA"], "commission": "SECRET_ALPHA", "seed": "SECRET_ALPHA"}
    answer = connect(FakeBacktests()).post(BACKTEST, json=sent)
    assert answer.status_code == 422
    MalformedRequest.model_validate(answer.json())
    assert [problem["loc"] for problem in answer.json()["detail"]] == [
        ["body", "strategy_code"],
        ["body", "commission"],
        ["body", "seed"],
    ]
    assert {tuple(problem) for problem in answer.json()["detail"]} == {("type", "loc", "msg")}
    assert "SECRET_ALPHA" not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/nowhere", 404), ("GET", BACKTEST, 405), ("POST", "/health", 405)]
)
def test_plain_http_errors_have_a_detail_and_an_id(connect, method, path, status):
    answer = connect(FakeBacktests()).request(method, path)
    assert answer.status_code == status
    assert list(answer.json()) == ["detail"]
    assert answer.headers["X-Request-ID"]


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        (BACKTEST, "POST"),
        (f"{RUNS}/x", "DELETE, GET"),
        (RUNS, "GET, POST"),
        (f"{RUNS}/x/result", "GET, HEAD"),
        (f"{RUNS}/x/cancel", "POST"),
        ("/presets/x", "DELETE, GET"),
    ],
)
def test_a_wrong_method_gets_the_allowed_ones(connect, path, allowed):
    answer = connect(FakeBacktests()).put(path)
    assert (answer.status_code, answer.headers["Allow"]) == (405, allowed)


def test_without_a_sandbox_health_reports_it():
    sandbox = FakeSandbox("none", "no Docker engine answers")
    backtests = FakeBacktests(error=SandboxUnavailable("no Docker engine answers"))
    with TestClient(make_app(backtests, sandbox)) as client:
        assert client.get("/health").json() == {
            "status": "healthy",
            "sandbox": {
                "name": "none",
                "available": False,
                "reason": "no Docker engine answers",
                "memory_limited_by": None,
                "processes_limited_by": None,
            },
        }
        assert client.post(BACKTEST, json=REQUEST).status_code == 503


def test_with_a_sandbox_health_names_it(connect):
    answer = connect(FakeBacktests()).get("/health")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "healthy",
        "sandbox": {
            "name": "docker",
            "available": True,
            "reason": None,
            "memory_limited_by": "container",
            "processes_limited_by": "container",
        },
    }
