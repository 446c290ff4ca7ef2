"""The dashboard's own sequence, on the application with log-in: post, poll with the cookie, render every field."""

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest

from src.api.contracts.dashboard.shapes import JobAnswer
from src.api.http.auth import COOKIE
from src.errors import StrategyFailed
from src.services.storage.records.runs import Progress
from tests.fakes.application import BACKTEST, REQUEST, RUNS, another, wait_until
from tests.fakes.backtests import FakeBacktests
from tests.fakes.issuer import Issuer, SigningKey, publishing

KEY = SigningKey("k")
ORIGIN = "http://localhost:3000"
ASYNC = {"Prefer": "respond-async"}
MONEY = ("final_portfolio_value", "fees", "net_profit", "volume")
MUST_BE_NUMBERS = (
    *("sharpe", "sortino", "psr", "total_pct_return", "ann_vol", "max_drawdown", "max_drawdown_duration"),
    *("var_95", "cvar_95", "alpha", "beta", "total_orders"),
)


class Dashboard:
    """Acts like the page: sends its cookie and its origin, polls, and reads fields without checking for them."""

    def __init__(self, client: Any, subject: str = "person-1") -> None:
        self._client = client
        self._sent = {"Origin": ORIGIN, "Cookie": f"{COOKIE}={KEY.token(sub=subject)}"}
        self.statuses: list[str] = []

    def ask(self, method: str, path: str, **options: Any) -> Any:
        headers = self._sent | options.pop("headers", {})
        answer = self._client.request(method, path, headers=headers, **options)
        assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert answer.headers["Access-Control-Allow-Credentials"] == "true"
        return answer

    def post(self, request: dict[str, Any] = REQUEST, **headers: str) -> str:
        """The job_id from either kind of answer."""
        answer = self.ask("POST", BACKTEST, json=request, headers=headers)
        assert answer.status_code in (200, 202), answer.text
        return str(answer.json()["job_id"])

    def poll(self, job_id: str) -> dict[str, Any]:
        """One tick of its clock; a second is nothing to the service."""
        answer = self.ask("GET", f"{BACKTEST}/{job_id}")
        assert answer.status_code == 200, answer.text
        job: dict[str, Any] = answer.json()
        JobAnswer.model_validate(job)
        assert set(job) == {
            *("job_id", "status", "submitted_at", "started_at", "completed_at", "result", "error", "logs"),
        }
        if self.statuses[-1:] != [job["status"]]:
            self.statuses.append(job["status"])
        return job

    def poll_until_finished(self, job_id: str) -> dict[str, Any]:
        for _ in self._ticks():
            job = self.poll(job_id)
            if job["status"] not in ("PENDING", "RUNNING"):
                return job
        raise AssertionError("never finished")

    @staticmethod
    def _ticks() -> Iterator[int]:
        return itertools.islice(itertools.count(), 500)

    @staticmethod
    def render(job: dict[str, Any]) -> list[str]:
        """Every number on the page in the page's format, which an undefined one would break."""
        result = job["result"]
        metrics = result["metrics"]
        lines = [f"{metrics[name]:.2f}" for name in (*MONEY, *MUST_BE_NUMBERS)]
        lines += ["-" if metrics[name] is None else f"{metrics[name]:.2%}" for name in ("calmar", "annualized_return")]
        lines += [
            f"{c['time']:d} {c['open']:.2f} {c['high']:.2f} {c['low']:.2f} {c['close']:.2f}" for c in result["candles"]
        ]
        lines += [
            f"{o['id']} {o['timestamp']} {o['ticker']} {o['type']} {o['shares']:.4f} {o['price']:.2f}"
            for o in result["orders"]
        ]
        lines += [f"{w['time']:d} {sum(w['weights'].values()):.2f}" for w in result["holding_weights"]]
        parameters = result["parameters"]
        lines += [f"{parameters['name']} {parameters['starting_equity']:.2f} {parameters['start_date']}"]
        return lines + [str(line) for line in job["logs"]]


@pytest.fixture
def open_dashboard(connect, storage):
    """open_dashboard(backtests): the dashboard on the service with log-in."""
    with publishing(Issuer(KEY.public_jwk())) as issuer:
        clients: dict[int, Any] = {}

        def opened(backtests: FakeBacktests, subject: str = "person-1", **settings: Any) -> Dashboard:
            url = issuer.url
            if id(backtests) not in clients:
                clients[id(backtests)] = connect(backtests, storage=storage, hqg_dash_jwks_url=url, **settings)
            return Dashboard(clients[id(backtests)], subject)

        yield opened


def test_a_backtest_can_be_polled_after_a_waiting_post(open_dashboard):
    dashboard = open_dashboard(FakeBacktests())
    job = dashboard.poll_until_finished(dashboard.post(REQUEST | {"name": "mine"}))
    assert dashboard.statuses == ["COMPLETED"]
    rendered = dashboard.render(job)
    assert "mine 10000.00 2015-01-01" in rendered
    assert "1 2015-01-05T00:00:00Z SPY Buy 49.9900 200.04" in rendered
    assert job["result"]["metrics"]["total_pct_return"] == 0.01
    assert job["submitted_at"] <= job["started_at"] <= job["completed_at"]


def test_a_success_is_seen_pending_running_and_completed(open_dashboard):
    backtests = FakeBacktests(hangs=True, tells=[(Progress(0.5, "2015-06-30", 1.0), ["into SPY"])])
    dashboard = open_dashboard(backtests, max_concurrent_runs=1)
    first = dashboard.post(another(1), **ASYNC)
    assert backtests.started.wait(30)
    job_id = dashboard.post(**ASYNC)
    assert dashboard.poll(job_id)["result"] is None
    assert dashboard.ask("DELETE", f"{BACKTEST}/{first}").status_code == 200
    wait_until(lambda: dashboard.poll(job_id)["status"] == "RUNNING")
    backtests.release.set()
    job = dashboard.poll_until_finished(job_id)
    assert dashboard.statuses == ["PENDING", "RUNNING", "COMPLETED"]
    assert dashboard.render(job)[-1] == "into SPY"


def test_a_jobs_output_is_visible_while_it_runs(open_dashboard):
    told = [(Progress(0.1, "2015-02-01", 1.0), ["one", "two"]), (Progress(0.2, "2015-03-01", 1.0), ["three"])]
    backtests = FakeBacktests(hangs=True, tells=told)
    dashboard = open_dashboard(backtests)
    job_id = dashboard.post(**ASYNC)
    wait_until(lambda: dashboard.poll(job_id)["logs"] == ["one", "two", "three"])
    assert dashboard.poll(job_id)["status"] == "RUNNING"
    assert dashboard.ask("DELETE", f"{BACKTEST}/{job_id}").status_code == 200
    assert dashboard.poll_until_finished(job_id)["logs"] == ["one", "two", "three"]


def test_respond_async_returns_location_and_preference_applied(open_dashboard):
    dashboard = open_dashboard(FakeBacktests())
    answer = dashboard.ask("POST", BACKTEST, json=REQUEST, headers={"Prefer": "wait=5, Respond-Async"})
    job_id = answer.json()["job_id"]
    assert (answer.status_code, answer.json()) == (202, {"job_id": job_id})
    assert answer.headers["Location"] == f"{BACKTEST}/{job_id}"
    assert answer.headers["Preference-Applied"] == "respond-async"
    assert {"Location", "Preference-Applied"} <= set(answer.headers["Access-Control-Expose-Headers"].split(", "))
    dashboard.poll_until_finished(job_id)
    assert dashboard.ask("POST", BACKTEST, json=REQUEST, headers=ASYNC).json() == {"job_id": job_id}
    assert dashboard.ask("POST", BACKTEST, json=REQUEST, headers={"Prefer": "wait=5"}).status_code == 200


def test_a_failure_has_a_sentence_and_its_logs(open_dashboard):
    dashboard = open_dashboard(FakeBacktests(error=StrategyFailed(["ZeroDivisionError (line 3)"], "…", ["printed"])))
    job = dashboard.poll_until_finished(dashboard.post(**ASYNC))
    assert (job["status"], job["result"]) == ("FAILED", None)
    assert (job["error"], job["logs"]) == ("ZeroDivisionError (line 3)", ["printed"])
    assert job["completed_at"]
    waited = dashboard.ask("POST", BACKTEST, json=REQUEST)
    assert (waited.status_code, waited.json()["detail"]["execution_errors"]) == (400, ["ZeroDivisionError (line 3)"])


def test_a_cancelled_job_is_gone_at_once_and_stays_so(open_dashboard):
    backtests = FakeBacktests(hangs=True)
    dashboard = open_dashboard(backtests)
    job_id = dashboard.post(**ASYNC)
    assert backtests.started.wait(30)
    answer = dashboard.ask("DELETE", f"{BACKTEST}/{job_id}")
    assert (answer.status_code, answer.json()) == (200, {"job_id": job_id, "status": "CANCELLED"})
    assert backtests.n_cancelled == 1
    job = dashboard.poll(job_id)
    assert (job["status"], job["result"]) == ("CANCELLED", None)
    again = dashboard.ask("DELETE", f"{BACKTEST}/{job_id}")
    assert (again.status_code, list(again.json())) == (409, ["detail"])


def test_a_finished_job_cannot_be_cancelled(open_dashboard):
    dashboard = open_dashboard(FakeBacktests())
    job_id = dashboard.post()
    answer = dashboard.ask("DELETE", f"{BACKTEST}/{job_id}")
    assert (answer.status_code, "COMPLETED" in answer.json()["detail"]) == (409, True)
    assert dashboard.poll(job_id)["status"] == "COMPLETED"


@pytest.mark.parametrize("job_id", ["0" * 64, "x", "%00", "F" * 64])
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_an_unknown_job_is_404(open_dashboard, method, job_id):
    answer = open_dashboard(FakeBacktests()).ask(method, f"{BACKTEST}/{job_id}")
    assert (answer.status_code, answer.json()) == (404, {"detail": "There is no such run."})


def test_an_owner_cannot_see_or_end_another_owners_runs(open_dashboard):
    backtests = FakeBacktests()
    mine, theirs = open_dashboard(backtests), open_dashboard(backtests, "person-2")
    job_id = mine.post()
    preset = mine.ask("POST", "/api/v1/presets", json={"name": "n", "configuration": {"seed": 1}}).json()["preset_id"]
    unknown = theirs.ask("GET", f"{RUNS}/{'0' * 64}")
    run, job = f"{RUNS}/{job_id}", f"{BACKTEST}/{job_id}"
    parts = ["", "/request", "/result", "/statistics", "/events", "/explain", "/artifacts"]
    parts += ["/artifacts/report.html", "/bundle.zip"]
    for path in (job, *(run + part for part in parts)):
        answer = theirs.ask("GET", path)
        assert (answer.status_code, answer.content) == (404, unknown.content), path
    for method, path in (("DELETE", run), ("DELETE", job), ("POST", f"{run}/cancel")):
        assert theirs.ask(method, path).content == unknown.content, path
    own = theirs.post(another(1))
    assert theirs.ask("GET", f"{RUNS}/{own}/explain", params={"against": job_id}).status_code == 404
    assert [run["run_hash"] for run in theirs.ask("GET", RUNS).json()["runs"]] == [own]
    assert theirs.ask("GET", "/api/v1/presets").json() == {"presets": []}
    for method in ("GET", "DELETE"):
        assert theirs.ask(method, f"/api/v1/presets/{preset}").status_code == 404
    assert theirs.ask("POST", RUNS, params={"preset_id": preset}, json=REQUEST).status_code == 404
    assert mine.poll(job_id)["status"] == "COMPLETED"


def test_the_same_request_of_two_people_is_two_runs(open_dashboard):
    backtests = FakeBacktests()
    hashes = {open_dashboard(backtests, person).post() for person in ("person-1", "person-2")}
    assert len(hashes) == 1, "the same ingredients have the same hash"
    assert len(backtests.executed) == 2, "but one owner's run is not served to another"


def test_a_key_of_one_person_is_free_for_another(open_dashboard):
    backtests = FakeBacktests()
    for person, request in (("person-1", another(1)), ("person-2", another(2))):
        answer = open_dashboard(backtests, person).ask("POST", RUNS, json=request, headers={"Idempotency-Key": "k"})
        assert answer.status_code == 201


def test_an_undefined_measure_is_a_number_on_the_page(open_dashboard):
    dashboard = open_dashboard(FakeBacktests())
    job = dashboard.poll_until_finished(dashboard.post())
    metrics = job["result"]["metrics"]
    assert [name for name, value in metrics.items() if value is None] == ["calmar", "annualized_return"]
    assert json.dumps(metrics["sharpe"]) == "0.0"
