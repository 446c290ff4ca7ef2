"""?include= and ?conventions= over HTTP, on every route that answers with a result."""

import pytest

from src.services.results.sections import SECTIONS
from tests.fakes.application import BACKTEST, REQUEST, RUNS, another
from tests.fakes.backtests import FakeBacktests

ALL = {"include": ",".join(SECTIONS), "conventions": "lean"}
PARTS = {*SECTIONS, "trade_statistics", "metrics_lean"}
OLDER = {"code": REQUEST["strategy_code"], "start_date": "2015-01-01", "end_date": "2015-12-31"}


@pytest.fixture
def client(connect, storage):
    return connect(FakeBacktests(), storage=storage)


def test_every_answer_has_what_was_asked_for_and_nothing_else(client):
    run_hash = client.post(BACKTEST, json=REQUEST).json()["run_hash"]
    asked = [
        (lambda query: client.post(BACKTEST, json=REQUEST, params=query).json()),
        (lambda query: client.get(f"{RUNS}/{run_hash}/result", params=query).json()),
        (lambda query: client.get(f"{BACKTEST}/{run_hash}", params=query).json()["result"]),
        (lambda query: client.post("/backtest", json=OLDER, params=query).json()["data"]),
    ]
    for answer in asked:
        plain = answer({})
        assert not PARTS & set(plain)
        assert set(answer(ALL)) - set(plain) == PARTS
        assert set(answer({"include": ["periods", "rolling"]})) - set(plain) == {"periods", "rolling"}


def test_an_unknown_name_is_refused_with_those_that_exist(client):
    for method, path, body in (("POST", BACKTEST, REQUEST), ("GET", f"{RUNS}/{'0' * 64}/result", None)):
        answer = client.request(method, path, json=body, params={"include": "tardes"})
        assert answer.status_code == 422
        problem = answer.json()["detail"][0]
        assert problem["loc"] == ["query", "include"]
        assert problem["msg"].startswith("'tardes' is not a part of the answer; did you mean 'trades'? There are: ")
        assert all(name in problem["msg"] for name in SECTIONS)
    assert client.post(BACKTEST, json=REQUEST, params={"conventions": "leen"}).status_code == 422


def test_each_choice_has_an_etag_of_its_own(client):
    path = f"{RUNS}/{client.post(BACKTEST, json=REQUEST).json()['run_hash']}/result"
    plain, more = client.get(path), client.get(path, params=ALL)
    assert plain.headers["ETag"] != more.headers["ETag"]
    assert client.get(path, params=ALL, headers={"If-None-Match": more.headers["ETag"]}).status_code == 304
    assert client.get(path, headers={"If-None-Match": more.headers["ETag"]}).status_code == 200


def test_conventions_are_a_way_of_showing_and_no_part_of_the_run(client):
    plain = client.post(BACKTEST, json=REQUEST).json()
    lean = client.post(BACKTEST, json=REQUEST | {"conventions": "lean"}).json()
    assert lean["run_hash"] == plain["run_hash"]
    assert set(lean) - set(plain) == {"metrics_lean"}
    assert lean["parameters"] == plain["parameters"]
    assert "conventions" not in client.get(f"{RUNS}/{plain['run_hash']}/request").json()
    assert client.post(BACKTEST, json=REQUEST | {"conventions": "other"}).status_code == 422


def test_a_body_of_plain_source_may_be_asked_for_parts_too(client):
    source = another(1)["strategy_code"].encode()
    query = {"start_date": "2015-01-01", "end_date": "2015-12-31", **ALL}
    answer = client.post(BACKTEST, content=source, params=query, headers={"Content-Type": "text/x-python"}).json()
    assert set(answer) >= PARTS
    assert not [text for text in answer["warnings"] if "is not a field" in text]
