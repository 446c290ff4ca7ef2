"""Durable runs on real boxes: what fakes cannot show of progress, cancelling, reuse and files."""

import http.client
import json
from typing import Any

import pytest

from tests.api.real_service import HANGING, WINDOW, Service
from tests.fakes.application import BACKTEST, RUNS, wait_until

pytestmark = pytest.mark.slow

HONEST = """
from hqg_algorithms import Strategy, TargetWeights

class Halves(Strategy):
    universe = ["SPY", "BND"]

    def on_data(self, data, portfolio):
        self.log("bought")
        return TargetWeights({"SPY": 0.5, "BND": 0.5})
"""


def summary(service: Service, run_hash: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(service.ask("GET", f"{RUNS}/{run_hash}")[1])
    return found


def test_a_run_can_be_followed_and_is_stored_with_its_files(service: Service) -> None:
    status, run = service.post(RUNS, {"strategy_code": HONEST, **WINDOW, "name": "halves"})
    assert status == 201, run
    run_hash = run["run_hash"]
    status, events = service.ask("GET", f"{RUNS}/{run_hash}/events")
    assert status == 200
    kinds = [line.removeprefix("event: ") for line in events.decode().splitlines() if line.startswith("event: ")]
    assert (kinds[0], kinds[1], kinds[-1]) == ("queued", "started", "finished")
    assert {"progress", "log"} >= set(kinds[2:-1])
    assert "bought" in events.decode()
    status, result = service.ask("GET", f"{RUNS}/{run_hash}/result")
    answer = json.loads(result)
    assert answer["run_hash"] == run_hash
    status, reused = service.post(BACKTEST, {"strategy_code": HONEST, **WINDOW, "name": "halves"})
    assert (status, reused) == (200, answer), "answered from the store, timings and all"
    manifest = json.loads(service.ask("GET", f"{RUNS}/{run_hash}/artifacts")[1])
    assert len(manifest["files"]) == 6
    assert b"<svg" in service.ask("GET", f"{RUNS}/{run_hash}/artifacts/report.html")[1]
    assert service.ask("DELETE", f"{RUNS}/{run_hash}")[0] == 204
    assert service.ask("GET", f"{RUNS}/{run_hash}/artifacts/report.html")[0] == 404


@pytest.mark.parametrize(("method", "part"), [("POST", "/cancel"), ("DELETE", "")])
def test_ending_a_running_run_kills_its_box_at_once(service: Service, method: str, part: str) -> None:
    status, run = service.post(RUNS, {"strategy_code": HANGING, **WINDOW})
    assert status == 201, run
    wait_until(lambda: service.n_boxes() > 0)
    wait_until(lambda: summary(service, run["run_hash"])["status"] == "running")
    status, body = service.ask(method, f"{RUNS}/{run['run_hash']}{part}")
    assert (status, json.loads(body)["status"]) == (200, "cancelled")
    wait_until(lambda: service.n_boxes() == 0)


def test_a_job_that_is_cancelled_kills_its_box_too(service: Service) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=60)
    body = json.dumps({"strategy_code": HANGING, **WINDOW})
    connection.request("POST", BACKTEST, body, {"Content-Type": "application/json", "Prefer": "respond-async"})
    answer = connection.getresponse()
    job_id = json.loads(answer.read())["job_id"]
    connection.close()
    assert answer.status == 202
    wait_until(lambda: service.n_boxes() > 0)
    status, said = service.ask("DELETE", f"{BACKTEST}/{job_id}")
    assert (status, json.loads(said)["status"]) == (200, "CANCELLED")
    wait_until(lambda: service.n_boxes() == 0)
    assert json.loads(service.ask("GET", f"{BACKTEST}/{job_id}")[1])["status"] == "CANCELLED"


def test_a_failing_strategy_gets_the_same_error_from_every_route(service: Service) -> None:
    broken = {"strategy_code": HONEST.replace('self.log("bought")', "1 / 0"), **WINDOW}
    status, run = service.post(RUNS, broken)
    assert status == 201
    wait_until(lambda: summary(service, run["run_hash"])["status"] == "failed")
    error = summary(service, run["run_hash"])["error"]
    status, refused = service.post(BACKTEST, broken)
    assert (status, refused["detail"]["execution_errors"]) == (400, error["errors"])
    assert "ZeroDivisionError" in error["errors"][0]
