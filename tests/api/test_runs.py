"""Durable runs over HTTP, on real databases: submit, list, read, explain, end."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from src.errors import NoPrices, StrategyFailed, StrategyRejected
from src.models.run import Explanation, RunList, RunRequest, RunSummary
from src.services.storage.errors import StorageUnavailable
from src.services.storage.records.runs import Progress, RunPage
from tests.fakes.application import BACKTEST, REQUEST, RUNS, another, wait_until
from tests.fakes.backtests import FakeBacktests
from tests.fakes.run_store import FakeRunStore, fake_storage

UNKNOWN = ["0" * 64, "A" * 64, "x", "0" * 65, "%00", "..%2F..%2Fetc", "%F0%9F%98%80"]


@pytest.fixture
def runs(connect, storage):
    """runs(backtests, **settings): a client of the service on each database."""
    return lambda backtests=None, **settings: connect(backtests or FakeBacktests(), storage=storage, **settings)


def finished(client, run_hash: str) -> dict[str, Any]:
    """The run's summary once it is finished."""
    found: dict[str, Any] = {}

    def is_finished() -> bool:
        found.update(client.get(f"{RUNS}/{run_hash}").json())
        return found["status"] not in ("queued", "running")

    wait_until(is_finished)
    return found


def submitted(client, request: dict[str, Any] = REQUEST, **options: Any) -> dict[str, Any]:
    answer = client.post(RUNS, json=request, **options)
    assert answer.status_code in (200, 201), answer.text
    summary: dict[str, Any] = answer.json()
    return summary


def test_a_new_run_is_created_with_its_address(runs):
    client = runs()
    answer = client.post(RUNS, json=REQUEST | {"name": "first"})
    summary = answer.json()
    assert (answer.status_code, answer.headers["Location"]) == (201, f"{RUNS}/{summary['run_hash']}")
    assert (summary["name"], summary["symbols"], summary["start_date"]) == ("first", ["SPY", "BND"], "2015-01-01")
    assert summary["status"] in ("queued", "running", "succeeded")
    RunSummary.model_validate(summary)
    done = finished(client, summary["run_hash"])
    assert (done["status"], done["attempt"], done["has_result"], done["error"]) == ("succeeded", 1, True, None)
    assert done["metrics"]["total_return"] == 0.01
    assert done["submitted_at"] <= done["started_at"] <= done["finished_at"]
    assert set(done) == set(RunSummary.model_fields)


def test_the_same_run_again_is_not_computed_again(runs):
    backtests = FakeBacktests()
    client = runs(backtests)
    first = submitted(client)
    finished(client, first["run_hash"])
    answer = client.post(RUNS, json=dict(reversed((REQUEST | {"initial_capital": 10_000}).items())))
    assert (answer.status_code, answer.json()["run_hash"]) == (200, first["run_hash"])
    assert answer.headers["Location"] == f"{RUNS}/{first['run_hash']}"
    assert len(backtests.executed) == 1


def test_fifty_at_once_are_one_run(runs):
    backtests = FakeBacktests()
    client = runs(backtests)
    with ThreadPoolExecutor(10) as clients:
        answers = list(clients.map(lambda _: client.post(RUNS, json=REQUEST), range(50)))
    assert sorted(answer.status_code for answer in answers) == [200] * 49 + [201]
    [run_hash] = {answer.json()["run_hash"] for answer in answers}
    finished(client, run_hash)
    assert backtests.executed == [run_hash]


def test_a_rerun_is_computed_again_and_reports_differences(runs):
    backtests = FakeBacktests()
    client = runs(backtests)
    run_hash = finished(client, submitted(client)["run_hash"])["run_hash"]
    assert client.post(f"{RUNS}?rerun=true", json=REQUEST).status_code == 201
    wait_until(lambda: client.get(f"{RUNS}/{run_hash}").json()["recomputed"] is not None)
    again = client.get(f"{RUNS}/{run_hash}").json()
    assert (again["status"], again["recomputed"]["differences"]) == ("succeeded", [])
    backtests.answer["metrics"]["total_return"] = 0.02
    client.post(f"{RUNS}?rerun=1", json=REQUEST)
    wait_until(lambda: client.get(f"{RUNS}/{run_hash}").json()["recomputed"] not in (None, again["recomputed"]))
    other = client.get(f"{RUNS}/{run_hash}").json()
    assert other["recomputed"]["differences"] == ["metrics.total_return"]
    assert other["metrics"]["total_return"] == 0.01, "its stored result stays"
    RunSummary.model_validate(other)


def test_the_source_itself_may_be_posted(runs):
    backtests = FakeBacktests()
    client = runs(backtests)
    query = {"start_date": "2015-01-01", "end_date": "2015-12-31", "rerun": "false"}
    answer = client.post(RUNS, content=b"class S: pass", params=query, headers={"Content-Type": "text/x-python"})
    assert answer.status_code == 201
    assert answer.json()["run_hash"] == submitted(client)["run_hash"]
    assert backtests.requests[0].unknown_fields_warnings() == [], "rerun is no field"


@pytest.mark.parametrize(
    ("error", "field"),
    [
        (StrategyRejected([{"rule": "r", "message": "no", "line": 1}]), "analysis_errors"),
        (NoPrices(["No prices"]), "data_errors"),
    ],
)
def test_a_request_that_cannot_be_prepared_is_refused_and_stores_nothing(runs, error, field):
    client = runs(FakeBacktests(error=error))
    answer = client.post(RUNS, json=REQUEST)
    assert (answer.status_code, next(iter(answer.json()["detail"]))) == (400, field)
    assert client.get(RUNS).json() == {"runs": [], "next_cursor": None}


def test_a_failed_run_has_its_reason(runs):
    error = StrategyFailed(["ZeroDivisionError (line 3) \ud800"], "trace", ["printed"])
    client = runs(FakeBacktests(error=error))
    done = finished(client, submitted(client)["run_hash"])
    assert (done["status"], done["has_result"], done["metrics"]) == ("failed", False, None)
    assert done["error"] == {
        "code": "strategy_failed",
        "errors": ["ZeroDivisionError (line 3) \ud800"],
        "traceback": "trace",
        "logs": ["printed"],
    }
    answer = client.get(f"{RUNS}/{done['run_hash']}/result")
    assert (answer.status_code, answer.json()) == (409, {"detail": "The run is failed: there is no result."})


def test_a_queued_run_has_its_position_and_a_running_one_its_progress(runs):
    backtests = FakeBacktests(hangs=True, tells=[(Progress(0.5, "2015-06-30", 10_100.0), ["a line"])])
    client = runs(backtests, max_concurrent_runs=1)
    running = submitted(client)["run_hash"]
    wait_until(lambda: client.get(f"{RUNS}/{running}").json()["progress"] is not None)
    assert client.get(f"{RUNS}/{running}").json()["progress"] == {"share": 0.5, "day": "2015-06-30", "equity": 10100.0}
    waiting = [submitted(client, another(number))["run_hash"] for number in (1, 2)]
    summaries = [client.get(f"{RUNS}/{run_hash}").json() for run_hash in waiting]
    assert [(summary["status"], summary["position"]) for summary in summaries] == [("queued", 0), ("queued", 1)]
    assert client.get(f"{RUNS}/{running}/result").status_code == 409
    backtests.release.set()
    assert {finished(client, run_hash)["status"] for run_hash in [running, *waiting]} == {"succeeded"}


# ---- Idempotency-Key


def test_a_repeated_key_returns_the_first_run(runs):
    client = runs()
    first = client.post(RUNS, json=REQUEST, headers={"Idempotency-Key": "k"})
    again = client.post(RUNS, json=REQUEST, headers={"Idempotency-Key": "k"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["run_hash"] == again.json()["run_hash"]


def test_a_key_sent_with_a_rerun_reruns_once(runs):
    backtests = FakeBacktests()
    client = runs(backtests)
    run_hash = finished(client, submitted(client)["run_hash"])["run_hash"]
    for _ in range(3):
        client.post(f"{RUNS}?rerun=true", json=REQUEST, headers={"Idempotency-Key": "again"})
    wait_until(lambda: client.get(f"{RUNS}/{run_hash}").json()["recomputed"] is not None)
    assert backtests.executed == [run_hash] * 2


@pytest.mark.parametrize(
    ("query", "other"), [("", another(1)), ("?rerun=true", REQUEST), ("", REQUEST | {"name": "another"})]
)
def test_a_key_with_another_request_is_refused_with_its_place(runs, query, other):
    client = runs()
    client.post(RUNS, json=REQUEST, headers={"Idempotency-Key": "k"})
    answer = client.post(RUNS + query, json=other, headers={"Idempotency-Key": "k"})
    assert answer.status_code == 422
    [problem] = answer.json()["detail"]
    assert (problem["type"], problem["loc"]) == ("idempotency_key_reused", ["header", "Idempotency-Key"])


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb", "é".encode().decode("latin-1")])
def test_a_key_that_is_not_printable_text_is_refused(runs, key):
    answer = runs().post(RUNS, json=REQUEST, headers={"Idempotency-Key": key.encode("latin-1")})
    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["header", "Idempotency-Key"])


def test_the_longest_key_is_accepted(runs):
    assert runs().post(RUNS, json=REQUEST, headers={"Idempotency-Key": "~ " * 127 + "~"}).status_code == 201


# ---- the list


def test_the_list_has_pages_newest_first(runs):
    client = runs()
    hashes = [submitted(client, another(number))["run_hash"] for number in range(5)]
    seen, cursor = [], None
    while True:
        page = client.get(RUNS, params={"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        RunList.model_validate(page)
        seen += [run["run_hash"] for run in page["runs"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
        submitted(client, another(100 + len(seen)))
    assert seen == hashes[::-1]


def test_the_list_can_be_narrowed(runs):
    backtests = FakeBacktests()
    client = runs(backtests)
    named = submitted(client, REQUEST | {"name": "Momentum 100%"})["run_hash"]
    finished(client, named)
    backtests.error = StrategyFailed(["no"])
    failed = finished(client, submitted(client, another(1))["run_hash"])

    def listed(**query: Any) -> list[str]:
        return [run["run_hash"] for run in client.get(RUNS, params=query).json()["runs"]]

    assert listed() == [failed["run_hash"], named]
    assert listed(status="failed") == [failed["run_hash"]]
    assert listed(name="momentum 100%") == [named]
    assert listed(name="100_") == [], "signs of LIKE are letters"
    assert listed(symbol="bnd") == listed(symbol="BND") == listed()
    assert listed(symbol="QQQ") == []
    assert listed(since=failed["submitted_at"]) == [failed["run_hash"]]
    assert listed(since="2999-01-01T00:00:00+14:00") == []


INVALID_FILTERS = [
    ({"limit": 0}, "limit"),
    ({"limit": 101}, "limit"),
    ({"limit": "many"}, "limit"),
    ({"status": "done"}, "status"),
    ({"since": "yesterday"}, "since"),
    ({"since": "2020-01-01T00:00:00"}, "since"),
    ({"since": "0001-01-01T00:00:00+14:00"}, "since"),
    ({"since": "9999-12-31T23:59:59-14:00"}, "since"),
    ({"symbol": "../etc"}, "symbol"),
    ({"symbol": "SPY\x00"}, "symbol"),
    ({"name": "a\x00b"}, "name"),
    ({"name": "x" * 201}, "name"),
    ({"cursor": "nonsense"}, "cursor"),
    ({"cursor": "x" * 501}, "cursor"),
    ({"cursor": "é\x00"}, "cursor"),
    ({"cursor": "W10="}, "cursor"),
]


def test_an_invalid_filter_gets_an_error_with_its_place(runs):
    client = runs()
    for query, field in INVALID_FILTERS:
        answer = client.get(RUNS, params=query)
        assert answer.status_code == 422, query
        assert [problem["loc"] for problem in answer.json()["detail"]] == [["query", field]]


# ---- one run


def test_the_request_comes_back_and_gives_the_same_run(runs):
    client = runs()
    run_hash = submitted(client, REQUEST | {"name": "n", "config_params": {"days": 21.0}})["run_hash"]
    request = client.get(f"{RUNS}/{run_hash}/request").json()
    RunRequest.model_validate(request)
    assert (request["strategy_code"], request["name"]) == ("class S: pass", "n")
    assert client.post(RUNS, json=request).json()["run_hash"] == run_hash


def test_nobody_is_told_the_name_of_a_runs_dataset(runs):
    backtests = FakeBacktests()
    client = runs(backtests)
    run_hash = submitted(client)["run_hash"]
    finished(client, run_hash)
    [dataset] = backtests.datasets
    for path in ("", "/explain", "/request", "/result", "/statistics", "/events", "/artifacts"):
        assert dataset not in client.get(f"{RUNS}/{run_hash}{path}").text
    assert dataset not in client.get(RUNS).text


def test_two_runs_are_explained_by_what_differs(runs):
    client = runs()
    one = submitted(client, REQUEST | {"parameters": {"lookback_days": 21}})["run_hash"]
    two = submitted(client, another(7) | {"parameters": {"lookback_days": 42}, "strategy_code": "class S: ..."})
    answer = client.get(f"{RUNS}/{one}/explain", params={"against": two["run_hash"]}).json()
    Explanation.model_validate(answer)
    assert {"ingredient": "parameters.lookback_days", "this": 21, "other": 42} in answer["differences"]
    assert {"ingredient": "seed", "this": 0, "other": 7} in answer["differences"]
    assert "-class S: ..." in answer["code_difference"]
    alone = client.get(f"{RUNS}/{one}/explain").json()
    assert (alone["against"], alone["differences"], alone["code_difference"]) == (None, [], None)
    assert client.get(f"{RUNS}/{one}/explain", params={"against": "0" * 64}).status_code == 404
    assert client.get(f"{RUNS}/{one}/explain", params={"against": "../../x"}).status_code == 404


@pytest.mark.parametrize("part", ["", "/request", "/result", "/statistics", "/events", "/artifacts"])
def test_an_unknown_run_is_404(runs, part):
    client = runs()
    for run_hash in UNKNOWN:
        answer = client.get(f"{RUNS}/{run_hash}{part}")
        assert answer.status_code == 404, run_hash
        assert answer.json() in ({"detail": "There is no such run."}, {"detail": "Not Found"})


# ---- the end of a run


@pytest.fixture(params=[("POST", "/cancel"), ("DELETE", "")], ids=["cancel", "delete"])
def end(request):
    """end(client, run_hash): ends a run that is in progress, in either way."""
    method, part = request.param
    return lambda client, run_hash: client.request(method, f"{RUNS}/{run_hash}{part}")


def test_a_queued_run_is_cancelled_at_once(runs, end):
    backtests = FakeBacktests(hangs=True)
    client = runs(backtests, max_concurrent_runs=1)
    submitted(client)
    assert backtests.started.wait(30)
    waiting = submitted(client, another(1))["run_hash"]
    answer = end(client, waiting)
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    backtests.release.set()


def test_cancelling_a_running_run_stops_its_execution(runs, end):
    backtests = FakeBacktests(hangs=True)
    client = runs(backtests)
    run_hash = submitted(client)["run_hash"]
    assert backtests.started.wait(30)
    answer = end(client, run_hash)
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert (backtests.n_cancelled, backtests.n_running) == (1, 0)
    RunSummary.model_validate(answer.json())


def test_a_cancel_that_is_repeated_gets_the_same_answer_and_one_end_is_reported(runs):
    backtests = FakeBacktests(hangs=True)
    client = runs(backtests)
    run_hash = submitted(client)["run_hash"]
    assert backtests.started.wait(30)
    with ThreadPoolExecutor(8) as clients:
        answers = list(clients.map(lambda _: client.post(f"{RUNS}/{run_hash}/cancel"), range(16)))
    later = client.post(f"{RUNS}/{run_hash}/cancel")
    assert {(answer.status_code, answer.content) for answer in (*answers, later)} == {(200, later.content)}
    assert client.get(f"{RUNS}/{run_hash}/events").text.count("event: finished") == 1


@pytest.mark.parametrize("error", [None, StrategyFailed(["ZeroDivisionError"], "", [])], ids=["succeeded", "failed"])
def test_a_finished_run_cannot_be_cancelled_and_stays(runs, error):
    client = runs(FakeBacktests(error=error))
    run = finished(client, submitted(client)["run_hash"])
    answer = client.post(f"{RUNS}/{run['run_hash']}/cancel")
    assert (answer.status_code, list(answer.json())) == (409, ["detail"])
    assert run["status"] in answer.json()["detail"]
    assert client.get(f"{RUNS}/{run['run_hash']}").json() == run


def test_a_rerun_that_is_cancelled_keeps_the_result(runs):
    backtests = FakeBacktests()
    client = runs(backtests)
    run_hash = finished(client, submitted(client)["run_hash"])["run_hash"]
    result = client.get(f"{RUNS}/{run_hash}/result").content
    backtests.hangs = True
    backtests.started.clear()
    submitted(client, params={"rerun": True})
    assert backtests.started.wait(30)
    run = client.post(f"{RUNS}/{run_hash}/cancel").json()
    assert (run["status"], run["has_result"], run["recomputed"]["status"]) == ("succeeded", True, "cancelled")
    assert client.get(f"{RUNS}/{run_hash}/result").content == result


@pytest.mark.parametrize("body", [{}, {"content": b"\xff\x00{", "headers": {"Content-Type": "text/x-python"}}])
def test_an_unknown_run_cannot_be_cancelled_whatever_is_sent_along(runs, body):
    client = runs()
    for run_hash in UNKNOWN:
        answer = client.post(f"{RUNS}/{run_hash}/cancel", **body)
        assert answer.status_code == 404, run_hash
        assert answer.json() in ({"detail": "There is no such run."}, {"detail": "Not Found"})


def test_a_finished_run_is_deleted_and_gone(runs):
    client = runs()
    run_hash = finished(client, submitted(client)["run_hash"])["run_hash"]
    answer = client.delete(f"{RUNS}/{run_hash}")
    assert (answer.status_code, answer.content) == (204, b"")
    for path in ("", "/result", "/events", "/request", "/artifacts"):
        assert client.get(f"{RUNS}/{run_hash}{path}").status_code == 404
    assert client.delete(f"{RUNS}/{run_hash}").status_code == 404
    assert client.post(RUNS, json=REQUEST).status_code == 201


def test_posting_and_deleting_at_once_never_gives_a_500(runs):
    client = runs(FakeBacktests())
    run_hash = submitted(client)["run_hash"]

    def act(number: int) -> int:
        if number % 2:
            return int(client.post(RUNS, json=REQUEST).status_code)
        return int(client.delete(f"{RUNS}/{run_hash}").status_code)

    with ThreadPoolExecutor(8) as clients:
        statuses = set(clients.map(act, range(80)))
    assert statuses <= {200, 201, 204, 404, 409}
    finished(client, submitted(client)["run_hash"])


# ---- the same runs elsewhere


def test_a_posted_backtest_is_stored_and_answered_from_the_store(runs):
    backtests = FakeBacktests()
    client = runs(backtests)
    first = client.post(BACKTEST, json=REQUEST | {"name": "one"})
    again = client.post(BACKTEST, json=REQUEST | {"name": "two", "comission": 1})
    assert "X-Run-Reused" not in first.headers
    assert again.headers["X-Run-Reused"] == "true"
    assert first.headers["X-Run-Hash"] == again.headers["X-Run-Hash"] == again.json()["run_hash"]
    assert len(backtests.executed) == 1
    assert again.json()["parameters"]["name"] == "two"
    assert again.json()["warnings"] == ["'comission' is not a field; did you mean 'commission'?"]
    assert first.json()["warnings"] == []
    stored = client.get(f"{RUNS}/{first.headers['X-Run-Hash']}/result").json()
    assert stored == first.json()


def test_a_posted_backtest_waits_for_the_same_run_under_way(runs):
    backtests = FakeBacktests(hangs=True)
    client = runs(backtests)
    run_hash = submitted(client)["run_hash"]
    assert backtests.started.wait(30)
    with ThreadPoolExecutor(1) as clients:
        n_prepared = len(backtests.requests)
        waiting = clients.submit(client.post, BACKTEST, json=REQUEST)
        wait_until(lambda: len(backtests.requests) > n_prepared)
        backtests.release.set()
        answer = waiting.result()
    assert (answer.status_code, answer.headers["X-Run-Hash"]) == (200, run_hash)
    assert len(backtests.executed) == 1


def test_older_paths_answer_the_same_and_are_not_documented(runs):
    client = runs()
    answer = client.post("/runs", json=REQUEST)
    run_hash = answer.json()["run_hash"]
    assert (answer.status_code, answer.headers["Location"]) == (201, f"{RUNS}/{run_hash}")
    finished(client, run_hash)
    for path in ("", f"/{run_hash}", f"/{run_hash}/result", f"/{run_hash}/request"):
        assert client.get(f"/runs{path}").content == client.get(f"{RUNS}{path}").content
    assert client.delete(f"/runs/{run_hash}").status_code == 204
    assert not [path for path in client.app.openapi()["paths"] if path.startswith(("/runs", "/presets"))]


def test_behind_a_proxy_the_address_is_below_its_folder(runs):
    answer = runs().post("/backtester" + RUNS, json=REQUEST)
    assert answer.status_code == 404
    client = runs()
    client.app.root_path = "/backtester"
    answer = client.post(RUNS, json=another(1))
    assert answer.headers["Location"].startswith(f"/backtester{RUNS}/")


def test_hostile_text_in_every_field_is_stored_and_returned(runs):
    client = runs()
    hostile = "\x00\x1b[2J\u202e<script>alert(1)</script>'; DROP TABLE runs; --%_\\"
    request = REQUEST | {"name": hostile[:200], "parameters": {hostile: [hostile]}, "strategy_code": hostile}
    summary = submitted(client, request)
    assert summary["name"] == hostile
    again = client.get(f"{RUNS}/{summary['run_hash']}/request").json()
    assert (again["strategy_code"], again["parameters"]) == (hostile, {hostile: [hostile]})
    assert json.loads(client.get(RUNS).text)["runs"][0]["name"] == hostile


def test_a_name_with_half_a_surrogate_pair_is_refused(runs):
    body = json.dumps(REQUEST | {"name": "half \ud800"})
    answer = runs().post(RUNS, content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["body", "name"])


def test_a_full_queue_gives_503_with_retry_after(runs):
    backtests = FakeBacktests(hangs=True)
    client = runs(backtests, max_concurrent_runs=1, run_queue_size=1)
    submitted(client)
    assert backtests.started.wait(30)
    submitted(client, another(1))
    answer = client.post(RUNS, json=another(2))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    backtests.release.set()


class BrokenRuns(FakeRunStore):
    """Cannot be read."""

    def page(self, *_arguments: Any, **_options: Any) -> RunPage:
        raise StorageUnavailable("disk I/O error: /secret/path")


def test_a_storage_failure_is_reported_without_internals(connect):
    client = connect(FakeBacktests(), storage=replace(fake_storage(), runs=BrokenRuns()))
    answer = client.get(RUNS)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "/secret" not in answer.text
