"""Boxes that only compute a strategy's universe take run slots, like all others."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.fakes.application import BACKTEST, RUNS, another, wait_until
from tests.fakes.backtests import FakeBacktests


@pytest.mark.parametrize("places", [1, 2])
def test_there_are_never_more_boxes_than_run_slots(connect, places):
    backtests = FakeBacktests(computes_universe=True, tell_seconds=0.02)
    client = connect(backtests, max_concurrent_runs=places, max_queued_runs=100)
    with ThreadPoolExecutor(12) as threads:
        paths = [(RUNS, BACKTEST)[number % 2] for number in range(24)]
        answers = list(threads.map(lambda n: client.post(paths[n], json=another(n)), range(24)))
    assert {answer.status_code for answer in answers} <= {200, 201}
    wait_until(lambda: len(set(backtests.executed)) == 24 and backtests.n_boxes == 0)
    assert backtests.n_most_boxes == places


def test_a_strategy_that_computes_its_universe_is_accepted_once_a_slot_is_free(connect):
    backtests = FakeBacktests(hangs=True)
    client = connect(backtests, max_concurrent_runs=1)
    client.post(RUNS, json=another(1))
    assert backtests.started.wait(60)
    backtests.computes_universe = True
    with ThreadPoolExecutor(1) as threads:
        posted = threads.submit(client.post, RUNS, json=another(2))
        wait_until(lambda: client.get("/api/v1/health/detailed").json()["queue"]["waiting"] == 1)
        assert not posted.done()
        assert backtests.n_boxes == 1
        backtests.release.set()
        assert posted.result(60).status_code == 201


def test_it_is_refused_when_the_queue_is_full(connect):
    backtests = FakeBacktests(hangs=True)
    client = connect(backtests, max_concurrent_runs=1, max_queued_runs=0)
    client.post(RUNS, json=another(1))
    assert backtests.started.wait(60)
    backtests.computes_universe = True
    answer = client.post(RUNS, json=another(2))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    backtests.release.set()
