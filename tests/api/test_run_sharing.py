"""Clients that post the same backtest at the same time."""

import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor

from src.services.storage.base import Storage
from tests.fakes.application import BACKTEST, REQUEST, another, wait_until
from tests.fakes.backtests import FakeBacktests

BODY = json.dumps(REQUEST).encode()


def head(body: bytes) -> bytes:
    lines = (
        f"POST {BACKTEST} HTTP/1.1",
        "Host: localhost",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    )
    return "\r\n".join((*lines, "", "")).encode()


def test_a_stored_answer_comes_while_all_slots_and_the_queue_are_full(connect):
    backtests = FakeBacktests()
    client = connect(backtests, max_concurrent_runs=1, max_queued_runs=0)
    assert client.post(BACKTEST, json=REQUEST).headers.get("X-Run-Reused") is None
    backtests.hangs = True
    with ThreadPoolExecutor(1) as clients:
        running = clients.submit(client.post, BACKTEST, json=another(1))
        assert backtests.started.wait(30)
        wait_until(lambda: backtests.n_running == 1)
        again = client.post(BACKTEST, json=REQUEST)
        assert (again.status_code, again.headers["X-Run-Reused"]) == (200, "true")
        assert client.post(BACKTEST, json=another(2)).status_code == 503
        backtests.release.set()
        assert running.result().status_code == 200


def test_ten_clients_with_one_backtest_take_one_slot(connect):
    backtests = FakeBacktests(hangs=True)
    client = connect(backtests, max_concurrent_runs=2, max_queued_runs=10)
    with ThreadPoolExecutor(11) as clients:
        posts = [clients.submit(client.post, BACKTEST, json=REQUEST) for _ in range(10)]
        wait_until(lambda: len(backtests.requests) == 10)
        other = clients.submit(client.post, BACKTEST, json=another(1))
        wait_until(lambda: backtests.n_running == 2)
        backtests.release.set()
        assert other.result().status_code == 200
        answers = [post.result() for post in posts]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert len(backtests.executed) == 2
    assert sum("X-Run-Reused" in answer.headers for answer in answers) == 9


def test_when_the_first_client_leaves_the_second_still_gets_its_answer(serve, storage: Storage):
    backtests = FakeBacktests(hangs=True, ignores_deadline=True)
    port = serve(backtests, None, storage, max_concurrent_runs=1)
    with socket.create_connection(("127.0.0.1", port)) as second:
        with socket.create_connection(("127.0.0.1", port)) as first:
            first.sendall(head(BODY) + BODY)
            assert backtests.started.wait(30)
            second.sendall(head(BODY) + BODY)
            wait_until(lambda: len(backtests.requests) == 2)
            time.sleep(0.1)
        wait_until(lambda: backtests.n_cancelled == 1)
        backtests.release.set()
        second.settimeout(10)
        assert second.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_a_client_that_waits_for_another_one_may_leave_too(serve):
    backtests = FakeBacktests(hangs=True)
    port = serve(backtests, max_concurrent_runs=1)
    with socket.create_connection(("127.0.0.1", port)) as first:
        first.sendall(head(BODY) + BODY)
        assert backtests.started.wait(30)
        with socket.create_connection(("127.0.0.1", port)) as second:
            second.sendall(head(BODY) + BODY)
            wait_until(lambda: len(backtests.requests) == 2)
        time.sleep(0.1)
        assert backtests.n_cancelled == 0, "the run of the first client was ended"
        backtests.release.set()
        first.settimeout(10)
        assert first.recv(65536).startswith(b"HTTP/1.1 200 ")
