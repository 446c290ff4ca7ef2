"""GET …/statistics over HTTP."""

import pytest

from src.models.statistics import RunStatistics
from tests.fakes.application import BACKTEST, REQUEST, RUNS, another
from tests.fakes.backtests import FakeBacktests


@pytest.fixture
def client(connect, storage):
    return connect(FakeBacktests(), storage=storage)


@pytest.fixture
def path(client) -> str:
    """Where the statistics of a finished run are."""
    return f"{RUNS}/{client.post(BACKTEST, json=REQUEST).headers['X-Run-Hash']}/statistics"


def test_a_finished_run_has_statistics_of_its_result(client, path):
    statistics = client.get(path).json()
    RunStatistics.model_validate(statistics)
    assert statistics["run_hash"] in path
    assert statistics["drawdown"] == [0.0, 0.0]
    assert statistics["drawdown_periods"] == []
    total = pytest.approx(0.01)
    assert statistics["years"] == [{"year": 2015, "months": [total, *[None] * 11], "total": total}]


def test_statistics_that_the_client_has_are_not_sent_again(client, path):
    first = client.get(path)
    assert first.headers["Cache-Control"] == "private, no-cache"
    again = client.get(path, headers={"If-None-Match": f'"x", W/{first.headers["ETag"]}'})
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    other = client.post(BACKTEST, json=another(1)).headers["X-Run-Hash"]
    known = {"If-None-Match": first.headers["ETag"]}
    assert client.get(f"{RUNS}/{other}/statistics", headers=known).status_code == 200


def test_a_run_under_way_has_none_yet(connect, storage):
    backtests = FakeBacktests(hangs=True)
    client = connect(backtests, storage=storage)
    run_hash = client.post(RUNS, json=REQUEST).json()["run_hash"]
    assert backtests.started.wait(30)
    answer = client.get(f"{RUNS}/{run_hash}/statistics")
    assert (answer.status_code, "running" in answer.json()["detail"]) == (409, True)
    client.post(f"{RUNS}/{run_hash}/cancel")
    assert client.get(f"{RUNS}/{run_hash}/statistics").status_code == 409
