"""Client and Run against a stand-in service on a real socket."""

import json
import subprocess
import sys
import threading
import time
from collections import deque
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import hqg_backtester
from hqg_backtester import (
    Client,
    NoPrices,
    RunCancelled,
    RunFailed,
    RunNotFinished,
    RunNotFound,
    RunTimedOut,
    ServiceBusy,
    ServiceUnavailable,
    StrategyFailed,
    Terms,
    WaitTimedOut,
)
from hqg_backtester.client.progress import Bar
from src.models.request import BacktestRequest
from tests.fakes.scripted_service import PLAN, RUN_HASH, Drop, Refuse, ScriptedService

PROJECT = Path(__file__).resolve().parents[2]
WINDOW = ("class S: pass", "2015-01-01", "2015-12-31")


@pytest.fixture
def service():
    with ScriptedService().serving() as running:
        yield running


@pytest.fixture
def client(service):
    return Client(service.url)


def test_a_run_gives_its_result(client, service):
    result = client.run(*WINDOW)
    assert result.raw == service.answer
    asked = next(seen.query for seen in service.seen if seen.path.endswith("/result"))
    assert asked == {
        "include": "trades,benchmark_metrics,rolling,periods,plots,log_lines",
        "conventions": "lean",
    }
    assert result.logs == ("bought",)


def test_terms_reach_the_service_under_their_own_names(client, service):
    client.submit("x", date(2015, 1, 1), datetime(2015, 12, 31, 12, 0), name="n", benchmark=None, parameters={"a": 1})
    assert service.seen[0].json() == {
        "strategy_code": "x",
        "start_date": "2015-01-01",
        "end_date": "2015-12-31T12:00:00",
        "name": "n",
        "benchmark": None,
        "parameters": {"a": 1},
    }
    assert service.seen[0].query == {}


def test_every_field_of_a_request_is_a_term():
    # Every result comes with the figures of each convention.
    given_apart = {"strategy_code", "start_date", "end_date", "conventions"}
    assert Terms.__annotations__.keys() == BacktestRequest.model_fields.keys() - given_apart


def test_a_universe_may_be_a_column_index_and_parameters_numbers_of_numpy(client, service):
    prices = pd.DataFrame({"SPY": [1.0], "BND": [2.0]})
    client.submit("x", universe=prices.columns, seed=np.int64(3), parameters={"days": np.arange(1, 3)})
    sent = service.seen[0].json()
    assert (sent["universe"], sent["seed"], sent["parameters"]) == (["SPY", "BND"], 3, {"days": [1, 2]})


def test_a_term_that_json_does_not_know_is_named(client, service):
    with pytest.raises(TypeError, match=r"\{1\}, a set, cannot be sent as JSON"):
        client.submit("x", parameters={"days": {1}})
    assert service.seen == []


def test_a_rerun_of_a_preset_is_asked_for_in_the_query(client, service):
    client.submit(None, preset_id="p", rerun=True)
    assert service.seen[0].query == {"preset_id": "p", "rerun": "true"}
    assert service.seen[0].json() == {}


def test_a_misspelt_term_is_refused_before_anything_is_sent(client, service):
    with pytest.raises(TypeError, match="comission is not a term of a backtest; did you mean commission"):
        client.run(*WINDOW, comission=1.0)
    assert service.seen == []


def test_a_submit_that_is_sent_again_carries_the_same_key(service, client):
    client.get(RUN_HASH)
    service.faults = deque([Drop(is_worked_on=True), Refuse(503), Refuse(429, headers=(("Retry-After", "0"),))])
    client.submit(*WINDOW)
    assert len({seen.headers["idempotency-key"] for seen in service.asked("POST")}) == 1
    assert len(service.asked("POST")) == 4


def test_two_submits_have_two_keys(client, service):
    client.submit(*WINDOW)
    client.submit(*WINDOW)
    first, second = service.asked("POST")
    assert first.headers["idempotency-key"] != second.headers["idempotency-key"]


def test_patience_is_bounded(service):
    client = Client(service.url, patience_seconds=0.2)
    client.get(RUN_HASH)
    service.faults = deque([Refuse(503)] * 100)
    with pytest.raises(ServiceBusy, match="busy: come back"):
        client.submit(*WINDOW)


def ended(status, error):
    return (*PLAN[:2], ("finished", {"status": status, "error": error}))


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        ("failed", "strategy_failed", StrategyFailed),
        ("failed", "no_prices", NoPrices),
        ("failed", "data_changed", RunFailed),
        ("cancelled", "run_cancelled", RunCancelled),
        ("timed_out", "run_timed_out", RunTimedOut),
    ],
)
def test_a_run_without_a_result_raises_its_own_reason(status, code, error):
    told = {"code": code, "errors": ["first", "second"], "traceback": "File …", "logs": ["said"]}
    with ScriptedService(plan=ended(status, told)).serving() as service:
        with pytest.raises(error, match="first\nsecond") as caught:
            Client(service.url).run(*WINDOW)
        assert (caught.value.code, caught.value.errors) == (code, ["first", "second"])
        if error is StrategyFailed:
            assert (caught.value.traceback, caught.value.logs) == ("File …", ["said"])
            assert str(caught.value).endswith("File …")


def test_an_end_without_a_reason_is_still_an_error():
    with ScriptedService(plan=ended("failed", None)).serving() as service, pytest.raises(RunFailed, match="failed"):
        Client(service.url).run(*WINDOW)


def test_events_are_streamed(client):
    events = list(client.submit(*WINDOW).stream())
    assert [event.kind for event in events] == ["queued", "started", "progress", "log", "finished"]
    assert events[2].data["day"] == "2015-06-30"


def test_a_finished_run_needs_no_stream(client, service):
    service.status = "succeeded"
    assert client.get(RUN_HASH).wait().run_hash == RUN_HASH
    assert service.asked("GET", "/events") == []


def test_a_run_survives_a_restart_of_the_service():
    service = ScriptedService(silent_after=3)
    results = []
    with service.serving():
        run = Client(service.url).submit(*WINDOW)
        waiting = threading.Thread(target=lambda: results.append(run.wait()))
        waiting.start()
        wait_until(lambda: service.n_told == 3)
    time.sleep(0.2)
    service.silent_after = None
    with service.serving():
        waiting.join(60)
    assert len(results) == 1
    assert service.asked("GET", "/events")[-1].headers["last-event-id"] == "3"


def wait_until(is_true, seconds=60.0):
    until = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_wait_may_time_out_and_be_resumed():
    with ScriptedService(silent_after=2).serving() as service:
        run = Client(service.url).submit(*WINDOW)
        with pytest.raises(WaitTimedOut, match="the run continues") as caught:
            run.wait(timeout_seconds=0.3)
        assert isinstance(caught.value, TimeoutError)
        service.silent_after = None
        assert run.wait().run_hash == RUN_HASH


def test_asking_for_a_result_too_early_is_refused(client):
    with pytest.raises(RunNotFinished, match="queued"):
        client.submit(*WINDOW).result()


def test_cancel_ends_a_run_and_never_deletes_one_that_has_just_finished(client, service):
    run = client.submit(*WINDOW)
    assert run.cancel().status == "cancelled"
    service.status = "succeeded"
    assert run.cancel().status == "succeeded"
    assert service.asked("DELETE") == []


def test_a_cancel_is_sent_again_until_it_is_answered(client, service):
    run = client.submit(*WINDOW)
    service.faults = deque([Drop(), Refuse(503, headers=(("Retry-After", "0"),))])
    assert run.cancel().status == "cancelled"
    assert len(service.asked("POST", "/cancel")) == 3


def test_delete_ends_a_run_first_and_may_be_repeated(client, service):
    run = client.submit(*WINDOW)
    run.delete()
    assert len(service.asked("DELETE", f"/runs/{RUN_HASH}")) == 2
    service.faults = deque([Refuse(404)])
    run.delete()


def test_an_unknown_run_is_reported(client):
    with pytest.raises(RunNotFound, match="There is no such run"):
        client.get("../../../etc/passwd")


def test_a_hash_cannot_leave_its_place_in_the_path(client, service):
    with pytest.raises(RunNotFound):
        client.get("../backtest?x=1#")
    assert service.seen[0].path == "/api/v1/runs/..%2Fbacktest%3Fx%3D1%23"


def stored(count):
    return [{"run_hash": f"{number:064x}", "name": None, "status": "succeeded"} for number in range(count)]


def test_runs_are_fetched_a_page_at_a_time(client, service):
    service.stored = stored(5)
    runs = client.runs(page_size=2)
    assert next(runs).run_hash == f"{0:064x}"
    assert len(service.seen) == 1
    assert [run.run_hash for run in runs] == [f"{number:064x}" for number in range(1, 5)]
    assert [seen.query.get("cursor") for seen in service.seen] == [None, "2", "4"]


@pytest.mark.parametrize(
    ("since", "sent"),
    [
        (date(2026, 1, 2), "2026-01-02T00:00:00+00:00"),
        (datetime(2026, 1, 2, 3, tzinfo=UTC), "2026-01-02T03:00:00+00:00"),
        ("2026-01-02T00:00:00Z", "2026-01-02T00:00:00Z"),
        (None, None),
    ],
)
def test_filters_reach_the_service_with_a_time_zone(client, service, since, sent):
    list(client.runs(status="failed", name="a&b", symbol="SPY", since=since))
    expected = {"status": "failed", "name": "a&b", "symbol": "SPY", "since": sent}
    assert service.seen[0].query == {name: value for name, value in expected.items() if value is not None}


def test_the_report_comes_from_the_service(client, tmp_path):
    assert client.run(*WINDOW).report(tmp_path / "r.html").read_bytes() == b"<!doctype html>"


def test_a_token_of_the_environment_is_sent_and_never_shown(service, monkeypatch):
    monkeypatch.setenv("HQG_TOKEN", " secret\n")
    client = Client(service.url)
    run = client.submit(*WINDOW)
    assert service.seen[0].headers["authorization"] == "Bearer secret"
    assert "secret" not in repr(client) + repr(run) + repr(client.run(*WINDOW))


def test_an_empty_token_overrides_the_environment(service, monkeypatch):
    monkeypatch.setenv("HQG_TOKEN", "secret")
    Client(service.url, "").submit(*WINDOW)
    assert "authorization" not in service.seen[0].headers


def test_ctrl_c_cancels_the_run_on_the_service_and_is_raised_again(service, monkeypatch):
    service.silent_after = 3

    def interrupt(_self, event):
        if event.kind == "progress":
            raise KeyboardInterrupt

    monkeypatch.setattr(Bar, "see", interrupt)
    with pytest.raises(KeyboardInterrupt):
        Client(service.url).run(*WINDOW)
    assert service.status == "cancelled"


def test_ctrl_c_is_raised_again_even_if_the_service_is_gone(monkeypatch):
    monkeypatch.setattr("hqg_backtester.client.run.INTERRUPTED_PATIENCE_SECONDS", 0.2)
    service = ScriptedService()

    def interrupt(_self, _event):
        service.faults = deque([Drop()] * 1000)
        raise KeyboardInterrupt

    monkeypatch.setattr(Bar, "see", interrupt)
    with service.serving(), pytest.raises(KeyboardInterrupt):
        Client(service.url).run(*WINDOW)
    assert service.asked("POST", "/cancel")


def test_one_client_serves_many_threads(client):
    results = []
    threads = [threading.Thread(target=lambda: results.append(client.run(*WINDOW).run_hash)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [RUN_HASH] * 8


def test_a_missing_service_is_reported_at_once():
    began = time.monotonic()
    with pytest.raises(ServiceUnavailable, match="No service answers at"):
        Client("http://127.0.0.1:1").run(*WINDOW)
    assert time.monotonic() - began < 30, "it tried again, as its patience of a minute allows"


LIGHT = """
import json, sys
for name in ("pandas", "numpy", "tqdm", "pydantic", "requests"):
    sys.modules[name] = None
from hqg_backtester import Client
result = Client(sys.argv[1]).run("class S: pass", "2015-01-01", "2015-12-31")
loaded = sorted(name for name in sys.modules if name.split(".")[0] == "src")
print(json.dumps([result.metrics["sharpe_ratio"], "<svg" in result._repr_html_(), loaded]))
"""


def test_it_needs_only_python_and_imports_nothing_of_the_service(service):
    command = [sys.executable, "-W", "error", "-c", LIGHT, service.url]
    said = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True, timeout=30)
    assert json.loads(said.stdout) == [1.25, True, []]
    assert said.stderr == ""


def test_every_public_name_exists_and_is_documented():
    for name in hqg_backtester.__all__:
        assert name in {"Code", "__version__"} or getattr(hqg_backtester, name).__doc__
