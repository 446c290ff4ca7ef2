import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from src.api.routes.health import LOOK_SECONDS, DetailedHealth
from src.errors import NoPrices, SandboxUnavailable, StrategyFailed
from tests.fakes.application import BACKTEST, REQUEST, RUNS, FakeSandbox, another, make_app, wait_until
from tests.fakes.backtests import FakeBacktests

READY, DETAILED = "/api/v1/health/ready", "/api/v1/health/detailed"


class CountingSandbox(FakeSandbox):
    """Counts its queries."""

    n_asked = 0

    def unavailable_reason(self) -> str | None:
        self.n_asked += 1
        return super().unavailable_reason()


def test_frequent_probes_do_not_query_the_engine_each_time():
    sandbox = CountingSandbox()
    started = time.monotonic()
    with TestClient(make_app(FakeBacktests(), sandbox)) as client:
        for _ in range(20):
            assert client.get("/health").status_code == 200
    assert sandbox.n_asked <= 1 + (time.monotonic() - started) / LOOK_SECONDS
    assert LOOK_SECONDS <= 5


def test_ready_while_a_run_could_start(connect):
    answer = connect(FakeBacktests()).get(READY)
    assert (answer.status_code, answer.json()) == (200, {"status": "ready", "reasons": []})


def test_not_ready_without_a_sandbox():
    with TestClient(make_app(FakeBacktests(), FakeSandbox("none", "no Docker engine answers"))) as client:
        answer = client.get(READY)
        assert answer.status_code == 503
        assert answer.json() == {"status": "not ready", "reasons": ["no Docker engine answers"]}
        assert client.get("/health").status_code == 200


def test_not_ready_while_every_place_is_taken(connect):
    backtests = FakeBacktests(hangs=True)
    client = connect(backtests, max_concurrent_runs=1, max_queued_runs=1)
    with ThreadPoolExecutor(2) as clients:
        runs = [clients.submit(client.post, BACKTEST, json=another(number)) for number in range(2)]
        wait_until(lambda: client.get(READY).status_code == 503)
        assert client.get(DETAILED).json()["queue"] == {
            "running": 1,
            "max_running": 1,
            "waiting": 1,
            "max_waiting": 1,
        }
        backtests.release.set()
        assert [run.result().status_code for run in runs] == [200, 200]
    assert client.get(READY).status_code == 200


def test_the_detailed_answer_shows_queue_sandbox_and_versions(connect):
    answer = connect(FakeBacktests()).get(DETAILED)
    assert answer.status_code == 200
    said = DetailedHealth.model_validate(answer.json())
    assert (said.status, said.sandbox.name, said.sandbox.memory_bytes) == ("ready", "docker", 512 * 1024 * 1024)
    assert said.sandbox.memory_limited_by == said.sandbox.processes_limited_by == "container"
    assert {"service", "engine", "python", "fastapi", "hqg-algorithms"} <= set(said.versions)
    assert said.uptime_seconds >= 0


def test_the_configured_runtime_is_named():
    with TestClient(make_app(FakeBacktests(), FakeSandbox("docker+runsc"))) as client:
        assert client.get(DETAILED).json()["sandbox"]["runtime"] == "runsc"


def measured(client, name: str) -> dict[tuple, float]:
    """The samples of one name by their labels' values."""
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    families = text_string_to_metric_families(answer.text)
    return {
        tuple(sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
        if sample.name == name
    }


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (None, "completed"),
        (NoPrices(["gone"]), "no_prices"),
        (StrategyFailed(["bad"]), "strategy_failed"),
        (RuntimeError("ours"), "internal"),
    ],
)
def test_runs_are_counted_by_how_they_ended(connect, error, outcome):
    client = connect(FakeBacktests(error=error))
    for path, body in ((BACKTEST, REQUEST), ("/backtest", {**REQUEST, "code": "x"})):
        client.post(path, json=body)
    client.post(BACKTEST, json={})
    assert measured(client, "hqg_runs_total") == {(outcome,): 2.0}
    assert measured(client, "hqg_run_seconds_count") == {(): 2.0}


def test_a_reused_run_is_counted_separately(connect):
    client = connect(FakeBacktests())
    for _ in range(3):
        client.post(BACKTEST, json=REQUEST)
    assert measured(client, "hqg_runs_total") == {("completed",): 1.0, ("reused",): 2.0}
    assert measured(client, "hqg_run_seconds_count") == {(): 1.0}


@pytest.mark.parametrize(
    ("error", "outcome"),
    [(None, "completed"), (StrategyFailed(["bad"]), "strategy_failed"), (ValueError(), "internal")],
)
def test_a_queued_run_is_counted_when_it_ends(connect, error, outcome):
    client = connect(FakeBacktests(error=error))
    client.post(RUNS, json=REQUEST)
    wait_until(lambda: measured(client, "hqg_runs_total") == {(outcome,): 1.0})
    assert measured(client, "hqg_run_seconds_count") == measured(client, "hqg_run_wait_seconds_count") == {(): 1.0}
    steps = 0 if error else 5
    assert len(measured(client, "hqg_run_step_seconds_count")) == steps
    client.post(f"{RUNS}?rerun=true", json=REQUEST)
    wait_until(lambda: measured(client, "hqg_runs_total") == {(outcome,): 2.0})


def test_a_requeued_run_has_not_ended(connect):
    backtests = FakeBacktests(error=SandboxUnavailable("no engine"))
    client = connect(backtests)
    client.post(RUNS, json=REQUEST)
    wait_until(lambda: len(backtests.executed) > 1)
    assert measured(client, "hqg_runs_total") == {}


def test_a_run_refused_by_a_full_queue_is_counted_as_such(connect):
    backtests = FakeBacktests(hangs=True)
    client = connect(backtests, max_concurrent_runs=1, max_queued_runs=0)
    with ThreadPoolExecutor(1) as clients:
        run = clients.submit(client.post, BACKTEST, json=REQUEST)
        assert backtests.started.wait(30)
        assert client.post(BACKTEST, json=another(1)).status_code == 503
        assert measured(client, "hqg_runs_now") == {("running",): 1.0, ("waiting",): 0.0}
        backtests.release.set()
        run.result()
    assert measured(client, "hqg_runs_total") == {("queue_full",): 1.0, ("completed",): 1.0}


def test_the_steps_of_a_run_are_measured_in_seconds(connect):
    client = connect(FakeBacktests())
    client.post(BACKTEST, json=REQUEST)
    assert set(measured(client, "hqg_run_step_seconds_count")) == {
        ("analysis",),
        ("data",),
        ("sandbox",),
        ("audit",),
        ("metrics",),
    }
    assert measured(client, "hqg_run_step_seconds_sum")[("sandbox",)] == pytest.approx(0.001)


def test_responses_are_counted_and_an_unknown_method_adds_no_label(connect):
    client = connect(FakeBacktests())
    client.post(BACKTEST, json={})
    client.request("BREW", "/nowhere")
    counts = measured(client, "hqg_http_requests_total")
    assert counts[("POST", "422")] == 1.0
    assert counts[("other", "404")] == 1.0
