"""Runs outlive everything: real service processes, real boxes, SIGKILL in a loop, two processes on one database."""

import contextlib
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from src.services.storage.opening import open_engine
from tests.conftest import open_sandbox
from tests.fakes.application import wait_until
from tests.journey.durable_servers import (
    Server,
    events_of_all,
    hanging_run,
    servers,
    small_run,
    wait_until_all_have_ended,
)
from tests.postgres_server import postgres_or_skip

pytestmark = [pytest.mark.slow, pytest.mark.bubblewrap]

N_RUNS = 50
N_KILLS = 5

HANG_SECONDS = 120.0
"""What has not happened by then never will; no machine is so slow."""


@pytest.fixture(scope="module", autouse=True)
def _needs_boxes() -> None:
    open_sandbox("bubblewrap").close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/runs.db"
        return
    with postgres_or_skip() as server:
        yield server.url(server.new_database())


def kill_again_and_again(server: Server, is_over: threading.Event) -> None:
    """Let it live until it works on something, and a moment longer; in the end leave it alone."""
    chance = random.Random(7)  # noqa: S311 - nobody shall guess it, everybody may
    for _ in range(N_KILLS):
        server.wait_until_it_answers()
        until = time.monotonic() + 8
        while not server.get("/api/v1/runs?status=running")["runs"] and time.monotonic() < until:
            if is_over.wait(0.01):
                return
        time.sleep(chance.uniform(0.0, 0.1))
        server.kill()
        server.start()


def test_no_run_is_lost_and_each_ends_once_however_often_the_server_is_killed(tmp_path: Path) -> None:
    (tmp_path / "calm").mkdir()
    requests = [small_run(number) for number in range(N_RUNS)]
    with servers(1, tmp_path / "calm") as [calm]:
        expected = {calm.submit(request) for request in requests}
        wait_until_all_have_ended(calm, N_RUNS, HANG_SECONDS)
        undisturbed = {run_hash: calm.result(run_hash) for run_hash in expected}
    with servers(1, tmp_path) as [server]:
        is_over = threading.Event()
        killer = threading.Thread(target=kill_again_and_again, args=(server, is_over))
        killer.start()
        try:
            with ThreadPoolExecutor(3) as clients:
                accepted = list(clients.map(server.submit, requests))
            killer.join(HANG_SECONDS)
        finally:
            is_over.set()
            killer.join(HANG_SECONDS)
        assert set(accepted) == expected, "the same requests have other names"
        runs = wait_until_all_have_ended(server, N_RUNS, HANG_SECONDS)
        assert Counter(run["status"] for run in runs) == {"succeeded": N_RUNS}
        assert max(run["attempt"] for run in runs) > 1, "no run was hit: the kills prove nothing"
        for run_hash, events in events_of_all(server, accepted).items():
            assert [event_id for event_id, _, _ in events] == list(range(1, len(events) + 1))
            assert [kind for _, kind, _ in events].count("finished") == 1
            assert events[-1][1] == "finished"
            assert server.result(run_hash) == undisturbed[run_hash]


def test_two_processes_on_one_database_run_everything_once(tmp_path: Path, database_url: str) -> None:
    requests = [small_run(number) for number in range(100)]
    with servers(2, tmp_path, database_url) as both:
        with ThreadPoolExecutor(4) as clients:
            accepted = list(clients.map(lambda pair: both[pair[0] % 2].submit(pair[1]), enumerate(requests)))
        assert len(set(accepted)) == 100
        runs = wait_until_all_have_ended(both[0], 100, HANG_SECONDS)
        assert Counter((run["status"], run["attempt"]) for run in runs) == {("succeeded", 1): 100}
        for events in events_of_all(both[1], accepted).values():
            kinds = Counter(kind for _, kind, _ in events)
            assert (kinds["queued"], kinds["started"], kinds["finished"]) == (1, 1, 1)
            assert sum(len(data["lines"]) for _, kind, data in events if kind == "log") == 24
        worked = [server.log().count('"run executed') for server in both]
        assert sum(worked) == 100
        assert min(worked) > 0, "one of them did everything"


def test_a_run_of_a_killed_process_is_taken_over_and_cancelled_from_the_other_one(tmp_path: Path) -> None:
    with servers(2, tmp_path, SANDBOX_POOL_SIZE="0") as [first, second]:
        run_hash = first.submit(hanging_run())
        holder, other = _holder_and_other(first, second, run_hash)
        holder.kill()
        wait_until(lambda: other.get(f"/api/v1/runs/{run_hash}")["attempt"] == 2 and _is_busy(other), HANG_SECONDS)
        holder.start()
        holder.wait_until_it_answers()
        assert holder.request("DELETE", f"/api/v1/runs/{run_hash}")[0] == 200
        wait_until(lambda: not _is_busy(other), HANG_SECONDS)
        assert other.get(f"/api/v1/runs/{run_hash}")["status"] == "cancelled"


def test_a_process_that_was_paused_beyond_its_lease_stores_nothing_and_goes_on(
    tmp_path: Path, database_url: str
) -> None:
    with servers(2, tmp_path, database_url, SANDBOX_POOL_SIZE="0") as [first, second]:
        run_hash = first.submit(hanging_run())
        holder, other = _holder_and_other(first, second, run_hash)
        _pause_outside_of_transactions(holder)
        wait_until(lambda: other.get(f"/api/v1/runs/{run_hash}")["attempt"] == 2 and _is_busy(other), HANG_SECONDS)
        holder.resume()
        wait_until(lambda: not _is_busy(holder), HANG_SECONDS)
        run = other.get(f"/api/v1/runs/{run_hash}")
        assert (run["status"], run["attempt"]) == ("running", 2)
        assert holder.request("DELETE", f"/api/v1/runs/{run_hash}")[0] == 200
        assert [kind for _, kind, _ in other.events(run_hash)].count("finished") == 1
        again = holder.submit(small_run(1))
        assert wait_until_all_have_ended(holder, 2, HANG_SECONDS)[0]["run_hash"] == again


def test_postgresql_that_goes_away_and_comes_back_costs_no_accepted_run(tmp_path: Path) -> None:
    with postgres_or_skip() as postgres, servers(1, tmp_path, postgres.url(postgres.new_database())) as [server]:
        is_over, accepted, statuses = threading.Event(), [], Counter()

        def client(number: int) -> None:
            while not is_over.wait(0.02):
                path = "/api/v1/backtest" if number == 0 else "/api/v1/runs"
                with contextlib.suppress(OSError):
                    request = small_run(len(accepted) + statuses.total())
                    status, headers, body = server.request("POST", path, request)
                    assert postgres.password.encode() not in body
                    statuses[status, "retry-after" in {name.lower() for name in headers}] += 1
                    if status == 201:
                        accepted.append(json.loads(body)["run_hash"])
                statuses[server.request("GET", "/api/v1/runs")[0], None] += 1

        clients = [threading.Thread(target=client, args=(number,)) for number in range(3)]
        for thread in clients:
            thread.start()
        time.sleep(2)
        postgres.stop()
        time.sleep(4)
        postgres.start()
        time.sleep(2)
        is_over.set()
        for thread in clients:
            thread.join(60)
        assert {(503, True)} <= set(statuses) <= {(503, True), (503, None), (200, None), (200, False), (201, False)}
        runs = wait_until_all_have_ended(server, len(server.runs()), HANG_SECONDS)
        assert set(accepted) <= {run["run_hash"] for run in runs}
        assert {run["status"] for run in runs} == {"succeeded"}
        assert postgres.password not in server.log()
        assert "Traceback" not in server.log()


def test_whoever_waits_for_a_run_of_another_process_gets_its_answer(tmp_path: Path) -> None:
    with servers(2, tmp_path) as both, ThreadPoolExecutor(4) as clients:
        request = small_run(1)
        posts = [clients.submit(both[n % 2].request, "POST", "/api/v1/backtest", request) for n in range(4)]
        answers = [post.result() for post in posts]
        assert [status for status, _, _ in answers] == [200] * 4
        assert len({body for _, _, body in answers}) == 1
        [run] = both[0].runs()
        assert (run["status"], run["attempt"]) == ("succeeded", 1)


def test_at_an_orderly_stop_running_runs_go_back_into_the_queue_at_once(tmp_path: Path) -> None:
    with servers(1, tmp_path, RUN_LEASE_SECONDS="3600") as [server]:
        run_hash = server.submit(hanging_run())
        wait_until(lambda: server.get(f"/api/v1/runs/{run_hash}")["status"] == "running", HANG_SECONDS)
        server.stop()
        assert "Traceback" not in server.log()
        server.start()
        server.wait_until_it_answers()
        # Long before a lease would be over that nobody holds any more.
        wait_until(lambda: server.get(f"/api/v1/runs/{run_hash}")["status"] == "running", HANG_SECONDS)
        assert server.get(f"/api/v1/runs/{run_hash}")["attempt"] == 1, "an orderly stop is no failed attempt"


def test_the_only_server_goes_on_at_once_when_it_is_started_after_a_kill(tmp_path: Path) -> None:
    with servers(1, tmp_path, RUN_LEASE_SECONDS="3600") as [server]:
        run_hash = server.submit(hanging_run())
        wait_until(lambda: server.get(f"/api/v1/runs/{run_hash}")["status"] == "running", HANG_SECONDS)
        server.kill()
        server.start()
        server.wait_until_it_answers()
        wait_until(lambda: server.get(f"/api/v1/runs/{run_hash}")["attempt"] == 2, HANG_SECONDS)


def _is_busy(server: Server) -> bool:
    return bool(server.get("/api/v1/health/detailed")["queue"]["running"])


def _holder_and_other(first: Server, second: Server, run_hash: str) -> tuple[Server, Server]:
    """Who works on the run, once that is stored; whoever only looked for work is not busy for long."""
    until = time.monotonic() + HANG_SECONDS
    while time.monotonic() < until:
        if first.get(f"/api/v1/runs/{run_hash}")["status"] == "running":
            for one, other in ((first, second), (second, first)):
                if _is_busy(one) and not _is_busy(other):
                    return one, other
        time.sleep(0.05)
    raise AssertionError("nobody runs it")


def _pause_outside_of_transactions(server: Server) -> None:
    """Whoever stops within one keeps its locks: then nobody can take anything over, and no lease is the reason."""
    until = time.monotonic() + HANG_SECONDS
    server.pause()
    while _is_locked(server.database_url):
        assert time.monotonic() < until, "it is in a transaction whenever it is paused"
        server.resume()
        time.sleep(0.05)
        server.pause()


def _is_locked(database_url: str) -> bool:
    engine = open_engine(database_url, busy_seconds=1.0)
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql("UPDATE runs SET attempt = attempt")
    except OperationalError:
        return True
    finally:
        engine.dispose()
    return False
