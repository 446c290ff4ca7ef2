import pytest

from src.models.problems import MalformedRequest
from tests.fakes.application import BACKTEST, REQUEST, make_app
from tests.fakes.backtests import FakeBacktests, real_shaped_answer

SOURCE = "class S:\n    name = 'Zürich'\n"
POSTED = SOURCE.encode()
WINDOW = {"start_date": "2015-01-01", "end_date": "2015-12-31"}
PYTHON = {"Content-Type": "text/x-python"}


def post(client, source=POSTED, query=WINDOW, content_type="text/x-python"):
    return client.post(BACKTEST, content=source, params=query, headers={"Content-Type": content_type})


@pytest.mark.parametrize("content_type", ["text/x-python", "text/x-python; charset=utf-8", "application/x-python"])
def test_the_source_itself_may_be_posted_with_the_other_fields_in_the_query(connect, content_type):
    backtests = FakeBacktests()
    answer = post(connect(backtests), content_type=content_type)
    assert answer.status_code == 200
    assert answer.json() == real_shaped_answer(answer.headers["X-Run-Hash"])
    [request] = backtests.requests
    assert request.strategy_code == SOURCE
    assert (str(request.start_date), str(request.end_date)) == ("2015-01-01", "2015-12-31")


def test_every_field_can_be_given_in_the_query(connect):
    backtests = FakeBacktests()
    query = WINDOW | {
        "universe": '["SPY"]',
        "name": "2015",
        "initial_capital": "5000",
        "commission": '{"model": "rate", "rate": 0.001}',
        "slippage": "0.0005",
        "benchmark": "",
        "risk_free_rate": "null",
        "min_trade_value": "2.5",
        "seed": "7",
        "parameters": '{"days": 21}',
    }
    assert post(connect(backtests), query=query).status_code == 200
    said = backtests.requests[0].model_dump(mode="json", exclude={"strategy_code", "start_date", "end_date"})
    assert said == {
        "universe": ["SPY"],
        "name": "2015",
        "initial_capital": 5000.0,
        "commission": {"model": "rate", "rate": 0.001},
        "slippage": 0.0005,
        "benchmark": None,
        "risk_free_rate": None,
        "min_trade_value": 2.5,
        "seed": 7,
        "parameters": {"days": 21},
    }


def test_an_unknown_name_in_the_query_is_tolerated_and_named(connect):
    answer = post(connect(FakeBacktests()), query=WINDOW | {"comission": "1"})
    assert answer.json()["warnings"] == ["'comission' is not a field; did you mean 'commission'?"]


@pytest.mark.parametrize(
    ("source", "query", "place", "message"),
    [
        (POSTED, {}, ["query", "start_date"], "Field required"),
        (POSTED, {**WINDOW, "end_date": "2014-01-01"}, ["query", "end_date"], "after start_date"),
        (POSTED, {**WINDOW, "slippage": "much"}, ["query", "slippage"], "number"),
        (POSTED, {**WINDOW, "seed": "1.5"}, ["query", "seed"], "integer"),
        (POSTED, {**WINDOW, "parameters": "[1]"}, ["query", "parameters"], "dictionary"),
        (POSTED, {**WINDOW, "initial_capital": "NaN"}, ["query", "initial_capital"], "number"),
        (POSTED, {**WINDOW, "strategy_code": "x"}, ["query", "strategy_code"], "The code is the body"),
        (POSTED, [*WINDOW.items(), ("seed", "1"), ("seed", "2")], ["query", "seed"], "more than once"),
        (b"\xff\xfe\xfd", WINDOW, ["body"], "not UTF-8"),
        (b"", WINDOW, ["body"], "Field required"),
    ],
)
def test_an_error_names_its_place(connect, source, query, place, message):
    backtests = FakeBacktests()
    answer = post(connect(backtests), source, query)
    assert answer.status_code == 422, answer.text
    problem = MalformedRequest.model_validate(answer.json()).detail[0]
    assert problem.loc[: len(place)] == place
    assert message in problem.msg
    assert backtests.requests == []


def test_a_query_with_a_json_body_is_refused(connect):
    client = connect(FakeBacktests())
    answer = client.post(BACKTEST, json=REQUEST, params={"slippage": "0.01"})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["query", "slippage"]
    assert client.post(BACKTEST, json=REQUEST, params={"_": "1"}).status_code == 200


def test_curl_without_a_header_gets_both_content_types_in_the_error(connect):
    answer = post(connect(FakeBacktests()), content_type="application/x-www-form-urlencoded")
    [problem] = answer.json()["detail"]
    assert "send 'Content-Type: application/json', or 'Content-Type: text/x-python'" in problem["msg"]


def test_the_documentation_names_the_other_way_and_every_field_of_the_query():
    operation = make_app(FakeBacktests()).openapi()["paths"][BACKTEST]["post"]
    assert set(operation["requestBody"]["content"]) == {"application/json", "text/x-python"}
    assert {parameter["name"] for parameter in operation["parameters"]} >= {"start_date", "commission", "parameters"}
    assert all(parameter["description"] for parameter in operation["parameters"])
