"""Runs survive everything: real service processes, real boxes, SIGKILL in a loop, two processes on one database."""

import contextlib
import itertools
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

from src.services.storage.sql.opening import open_engine
from tests.conftest import open_sandbox
from tests.fakes.application import wait_until
from tests.fakes.price_files import write_random_prices
from tests.postgres_server import PostgresServer, postgres_or_skip
from tests.servers import (
    HANG_SECONDS,
    Server,
    events_of_all,
    hanging_run,
    servers,
    small_run,
    wait_until_all_have_ended,
)

pytestmark = [pytest.mark.slow, pytest.mark.bubblewrap]

N_RUNS = 30
N_KILLS = 5


@pytest.fixture(scope="module", autouse=True)
def _needs_boxes() -> None:
    open_sandbox("bubblewrap").close()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Server]]:
    """Two service processes on one database; each test leaves no queued or running runs."""
    url = None
    if request.param == "postgresql":
        postgres: PostgresServer = request.getfixturevalue("postgres")
        url = postgres.url(postgres.new_database())
    with servers(2, tmp_path_factory.mktemp(request.param), url) as started:
        yield started


def kill_again_and_again(server: Server, is_over: threading.Event) -> None:
    """Kill it at random moments while it is busy; at the end leave it running."""
    chance = random.Random(7)  # noqa: S311 - not used for security
    for _ in range(N_KILLS):
        server.wait_until_it_answers()
        while not _is_stopped_at_work(server):
            server.resume()
            if is_over.wait(chance.uniform(0.0, 0.1)):
                return
        server.kill()
        server.start()


def _is_stopped_at_work(server: Server) -> bool:
    """Pause it; returns whether a run was in progress."""
    server.pause()
    engine = open_engine(server.database_url).execution_options(is_reading=True)
    try:
        with engine.connect() as connection:
            found = connection.exec_driver_sql("SELECT count(*) FROM runs WHERE status = 'running'")
            return bool(found.scalar_one())
    finally:
        engine.dispose()


def test_no_run_is_lost_and_each_ends_once_however_often_the_server_is_killed(tmp_path: Path) -> None:
    (tmp_path / "calm").mkdir()
    requests = [small_run(number) for number in range(N_RUNS)]
    with servers(1, tmp_path / "calm") as [calm]:
        expected = [calm.submit(request) for request in requests]
        # It works on while the other one is killed: nothing but the machine is common to them.
        with servers(1, tmp_path) as [server]:
            is_over = threading.Event()
            with ThreadPoolExecutor(4) as threads:
                killing = threads.submit(kill_again_and_again, server, is_over)
                try:
                    accepted = list(threads.map(server.submit, requests))
                    assert accepted == expected, "the same requests have other names"
                    runs = wait_until_all_have_ended(server, accepted)
                finally:
                    is_over.set()
                killing.result()
            wait_until_all_have_ended(calm, expected)
            assert Counter(run["status"] for run in runs) == {"succeeded": N_RUNS}
            assert len(server.runs()) == N_RUNS
            assert max(run["attempt"] for run in runs) > 1, "no run was hit: the kills prove nothing"
            for run_hash, events in events_of_all(server, accepted).items():
                assert [event_id for event_id, _, _ in events] == list(range(1, len(events) + 1))
                assert [kind for _, kind, _ in events].count("finished") == 1
                assert events[-1][1] == "finished"
                assert server.result(run_hash) == calm.result(run_hash)


def test_two_processes_on_one_database_execute_each_run_once(both: list[Server]) -> None:
    n_runs = 40
    requests = [small_run(number) for number in range(n_runs)]
    with ThreadPoolExecutor(4) as clients:
        accepted = list(clients.map(lambda pair: both[pair[0] % 2].submit(pair[1]), enumerate(requests)))
    assert len(set(accepted)) == n_runs
    runs = wait_until_all_have_ended(both[0], accepted)
    assert Counter((run["status"], run["attempt"]) for run in runs) == {("succeeded", 1): n_runs}
    for events in events_of_all(both[1], accepted).values():
        kinds = Counter(kind for _, kind, _ in events)
        assert (kinds["queued"], kinds["started"], kinds["finished"]) == (1, 1, 1)
        assert sum(len(data["lines"]) for _, kind, data in events if kind == "log") == 24
    # They say so only after it is stored.
    wait_until(lambda: {*both[0].executed(), *both[1].executed()} >= set(accepted), HANG_SECONDS)
    worked = [[run_hash for run_hash in server.executed() if run_hash in accepted] for server in both]
    assert Counter(itertools.chain(*worked)) == dict.fromkeys(accepted, 1)
    assert all(worked), "one of them did everything"


def test_a_client_waiting_for_a_run_of_another_process_gets_its_answer(both: list[Server]) -> None:
    request = small_run(200_000)
    with ThreadPoolExecutor(4) as clients:
        posts = [clients.submit(both[n % 2].request, "POST", "/api/v1/backtest", request) for n in range(4)]
        answers = [post.result() for post in posts]
    assert [status for status, _, _ in answers] == [200] * 4
    assert len({body for _, _, body in answers}) == 1
    [run] = [run for run in both[0].runs() if run["name"] == request["name"]]
    assert (run["status"], run["attempt"]) == ("succeeded", 1)


def test_a_process_paused_beyond_its_lease_stores_nothing_and_continues(both: list[Server]) -> None:
    run_hash = both[0].submit(hanging_run())
    holder, other = _holder_and_other(both, run_hash)
    _pause_until_its_leases_are_over(holder)
    wait_until(lambda: other.get(f"/api/v1/runs/{run_hash}")["attempt"] == 2 and _is_busy(other), HANG_SECONDS)
    holder.resume()
    wait_until(lambda: not _is_busy(holder), HANG_SECONDS)
    run = other.get(f"/api/v1/runs/{run_hash}")
    assert (run["status"], run["attempt"]) == ("running", 2)
    assert holder.request("DELETE", f"/api/v1/runs/{run_hash}")[0] == 200
    assert [kind for _, kind, _ in other.events(run_hash)].count("finished") == 1
    again = holder.submit(small_run(300_000))
    assert wait_until_all_have_ended(holder, [again])[0]["status"] == "succeeded"


def test_a_run_of_a_killed_process_is_taken_over_and_cancelled_from_the_other_one(tmp_path: Path) -> None:
    # The shortest lease that may be set: here it is waited for.
    with servers(2, tmp_path, RUN_LEASE_SECONDS="3") as both:
        run_hash = both[0].submit(hanging_run())
        holder, other = _holder_and_other(both, run_hash)
        holder.kill()
        wait_until(lambda: other.get(f"/api/v1/runs/{run_hash}")["attempt"] > 1 and _is_busy(other), HANG_SECONDS)
        holder.start()
        holder.wait_until_it_answers()
        assert holder.request("POST", f"/api/v1/runs/{run_hash}/cancel")[0] == 200
        wait_until(lambda: not _is_busy(other), HANG_SECONDS)
        assert other.get(f"/api/v1/runs/{run_hash}")["status"] == "cancelled"


def test_the_only_server_resumes_at_once_after_an_orderly_stop_and_after_a_kill(tmp_path: Path) -> None:
    with servers(1, tmp_path, RUN_LEASE_SECONDS="3600") as [server]:
        run_hash = server.submit(hanging_run())
        _wait_until_it_runs(server, run_hash)
        server.stop()
        assert "Traceback" not in server.log()
        server.start()
        # Long before an abandoned lease would expire.
        _wait_until_it_runs(server, run_hash)
        assert server.get(f"/api/v1/runs/{run_hash}")["attempt"] == 1, "an orderly stop is no failed attempt"
        server.kill()
        server.start()
        _wait_until_it_runs(server, run_hash)
        assert server.get(f"/api/v1/runs/{run_hash}")["attempt"] == 2


def test_a_queued_run_keeps_its_prices_through_a_kill_and_changed_files(tmp_path: Path) -> None:
    prices = tmp_path / "prices"
    prices.mkdir()
    for symbol in ("SPY", "BND", "^IRX"):
        write_random_prices(prices, symbol)
    settings = {"DATA_PROVIDER": "files", "DATA_DIR": str(prices), "MAX_CONCURRENT_RUNS": "1"}
    with servers(1, tmp_path, **settings) as [server]:
        hanging = server.submit(hanging_run())
        wait_until(lambda: server.runs()[0]["status"] == "running", HANG_SECONDS)
        queued = server.submit(small_run(1))
        server.kill()
        for symbol in ("SPY", "BND", "^IRX"):
            write_random_prices(prices, symbol, seed=1)
        server.start()
        server.wait_until_it_answers()
        server.request("POST", f"/api/v1/runs/{hanging}/cancel")
        runs = wait_until_all_have_ended(server, [hanging, queued])
        assert {run["run_hash"]: run["status"] for run in runs} == {hanging: "cancelled", queued: "succeeded"}
        assert server.submit(small_run(1)) != queued, "the files have changed: posted now, it is another run"


def test_a_postgresql_outage_loses_no_accepted_run(tmp_path: Path) -> None:
    with contextlib.ExitStack() as stack:
        postgres = stack.enter_context(postgres_or_skip())
        url = postgres.url(postgres.new_database())
        # A run whose start was stored but not confirmed waits until its abandoned lease expires.
        [server] = stack.enter_context(servers(1, tmp_path, url, RUN_LEASE_SECONDS="3"))
        is_over, numbers = threading.Event(), itertools.count()
        accepted: list[str] = []
        seen: list[tuple[int, bool | None]] = []

        def client(path: str) -> None:
            while not is_over.wait(0.02):
                with contextlib.suppress(OSError):
                    status, headers, body = server.request("POST", path, small_run(next(numbers)))
                    assert postgres.password.encode() not in body
                    seen.append((status, "retry-after" in {name.lower() for name in headers}))
                    if status == 201:
                        accepted.append(json.loads(body)["run_hash"])
                seen.append((server.request("GET", "/api/v1/runs")[0], None))

        def wait_until_more_are_accepted() -> None:
            enough = len(accepted) + 10
            wait_until(lambda: len(accepted) >= enough, HANG_SECONDS)

        paths = ("/api/v1/backtest", "/api/v1/runs", "/api/v1/runs")
        with ThreadPoolExecutor(len(paths)) as threads:
            clients = [threads.submit(client, path) for path in paths]
            try:
                wait_until_more_are_accepted()
                postgres.stop()
                wait_until(lambda: seen.count((503, True)) >= 3 and seen.count((503, None)) >= 3, HANG_SECONDS)
                postgres.start()
                wait_until_more_are_accepted()
            finally:
                is_over.set()
        for one in clients:
            one.result()
        assert {(503, True)} <= set(seen) <= {(503, True), (503, None), (200, None), (200, False), (201, False)}
        stored = [run["run_hash"] for run in server.runs()]
        assert set(accepted) <= set(stored)
        assert {run["status"] for run in wait_until_all_have_ended(server, stored)} == {"succeeded"}
        assert postgres.password not in server.log()
        assert "Traceback" not in server.log()


def _is_busy(server: Server) -> bool:
    return bool(server.get("/api/v1/health/detailed")["queue"]["running"])


def _wait_until_it_runs(server: Server, run_hash: str) -> None:
    server.wait_until_it_answers()
    wait_until(lambda: server.get(f"/api/v1/runs/{run_hash}")["status"] == "running", HANG_SECONDS)


def _holder_and_other(both: list[Server], run_hash: str) -> tuple[Server, Server]:
    """The process executing the run, once that is stored. A process that only looks for work is not busy for long."""
    until = time.monotonic() + HANG_SECONDS
    while time.monotonic() < until:
        if both[0].get(f"/api/v1/runs/{run_hash}")["status"] == "running":
            for holder, other in (both, both[::-1]):
                if _is_busy(holder) and not _is_busy(other):
                    return holder, other
        time.sleep(0.05)
    raise AssertionError("no process runs it")


def _pause_until_its_leases_are_over(server: Server) -> None:
    """Pause it, and expire the leases of running runs at once.

    A process paused within a transaction keeps its locks: then no run can be taken over even after its lease expires.
    """
    until = time.monotonic() + HANG_SECONDS
    server.pause()
    while not _all_leases_ended(server.database_url):
        assert time.monotonic() < until, "every pause hits a transaction"
        server.resume()
        time.sleep(0.05)
        server.pause()


def _all_leases_ended(database_url: str) -> bool:
    """Whether that could be written."""
    engine = open_engine(database_url, busy_seconds=1.0)
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql("UPDATE runs SET leased_until = 0 WHERE status = 'running'")
    except OperationalError:
        return False
    finally:
        engine.dispose()
    return True
