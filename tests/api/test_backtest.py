import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.fakes.application import BACKTEST, REQUEST, another, wait_until
from tests.fakes.backtests import FakeBacktests, real_shaped_answer


def test_a_posted_strategy_comes_back_as_the_services_answer(connect):
    backtests = FakeBacktests()
    answer = connect(backtests).post(BACKTEST, json=REQUEST | {"slippage": 0.0005})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == real_shaped_answer(answer.headers["X-Run-Hash"])
    assert [(r.strategy_code, r.slippage) for r in backtests.requests] == [("class S: pass", 0.0005)]


def test_an_unknown_field_is_tolerated_and_named(connect):
    answer = connect(FakeBacktests()).post(BACKTEST, json=REQUEST | {"comission": 1})
    assert answer.json()["warnings"] == ["'comission' is not a field; did you mean 'commission'?"]


def test_the_run_is_given_the_deadline_of_its_request(connect):
    backtests = FakeBacktests()
    before = time.monotonic()
    connect(backtests, max_request_time=50).post(BACKTEST, json=REQUEST)
    assert before + 50 <= backtests.deadlines[0].ends_at <= time.monotonic() + 50


def test_text_that_utf8_cannot_encode_still_comes_back_as_json(connect):
    backtests = FakeBacktests(answer=real_shaped_answer() | {"logs": ["half \ud800 a pair"]})
    answer = connect(backtests).post(BACKTEST, json=REQUEST)
    assert answer.status_code == 200
    assert answer.json()["logs"] == ["half \ud800 a pair"]


def test_more_runs_than_may_run_wait_and_more_than_may_wait_are_refused(connect):
    backtests = FakeBacktests(hangs=True)
    client = connect(backtests, max_concurrent_runs=2, max_queued_runs=1)
    with ThreadPoolExecutor(8) as clients:
        answers = [clients.submit(client.post, BACKTEST, json=another(number)) for number in range(6)]
        wait_until(lambda: sum(answer.done() for answer in answers) == 3)
        refused = [answer.result() for answer in answers if answer.done()]
        backtests.release.set()
        statuses = sorted(answer.result().status_code for answer in answers)
    assert statuses == [200, 200, 200, 503, 503, 503]
    assert backtests.n_most_running == 2
    for answer in refused:
        assert int(answer.headers["Retry-After"]) > 0
        assert answer.json() == {"detail": "2 backtests are running, 1 wait: try again in a few seconds"}


@pytest.mark.parametrize("ignores_deadline", [True, False])
def test_a_run_that_takes_too_long_is_answered_with_504_after_it_has_stopped(connect, ignores_deadline):
    backtests = FakeBacktests(hangs=True, ignores_deadline=ignores_deadline)
    client = connect(backtests, max_request_time=0.3, max_concurrent_runs=1, max_queued_runs=0)
    answer = client.post(BACKTEST, json=REQUEST)
    assert answer.status_code == 504
    assert isinstance(answer.json()["detail"], str)
    assert backtests.n_running == 0
    assert client.post(BACKTEST, json=REQUEST).status_code == 504, "its place was not given back"


def test_waiting_in_the_queue_counts_towards_the_time_limit(connect):
    backtests = FakeBacktests(hangs=True, ignores_deadline=True)
    client = connect(backtests, max_request_time=0.3, max_concurrent_runs=1, max_queued_runs=5)
    with ThreadPoolExecutor(2) as clients:
        answers = [clients.submit(client.post, BACKTEST, json=another(number)) for number in range(2)]
        assert [answer.result().status_code for answer in answers] == [504, 504]


def test_the_log_has_one_line_per_request_one_per_run_and_no_user_code(connect, caplog):
    code = "SECRET_ALPHA"
    client = connect(FakeBacktests())
    with caplog.at_level(logging.DEBUG):
        answer = client.post(BACKTEST, json=REQUEST | {"strategy_code": code, "name": code, code: 1})
        client.post(BACKTEST, json=REQUEST | {"start_date": code, "strategy_code": code})
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("src.")]
    assert len(ours) == 3
    assert ours[0].startswith("run completed in ")
    assert ours[1].startswith(f"request {answer.headers['X-Request-ID']} POST {BACKTEST} 200 ")
    assert " 422 " in ours[2]
    assert code not in caplog.text


def test_the_threads_of_runs_are_bounded(connect):
    client = connect(FakeBacktests(), max_concurrent_runs=2)
    for number in range(10):
        client.post(BACKTEST, json=another(number))
    names = [thread.name for thread in threading.enumerate() if thread.name.startswith("run_")]
    assert len(names) <= 2
