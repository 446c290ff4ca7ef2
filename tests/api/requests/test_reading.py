"""Sources that are slow to read delay their own client, but no other client and no route that reads no source."""

import contextlib
import http.client
import json
import queue
import re
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import replace

import pytest

from src.execution.reading.analysis import Violation
from src.execution.reading.reading import Reading
from src.services.admission.reading_slots import MAX_WAITING_OF_CLIENT
from tests.fakes.application import BACKTEST, REQUEST, RUNS, read_anything, wait_until
from tests.fakes.backtests import FakeBacktests

VALIDATE = "/api/v1/validate"
ATTACKER, HONEST = "127.0.0.2", "127.0.0.3"


class SlowReader:
    """Holds each source that contains "slow" until the test releases it; there is no helper process to kill."""

    def __init__(self) -> None:
        self.order: list[str] = []
        self.begun: queue.Queue[str] = queue.Queue()
        self.let_go = threading.Event()

    def __call__(self, source: str) -> Reading:
        self.order.append(source)
        self.begun.put(source)
        if "slow" in source:
            assert self.let_go.wait(60)
        return read_anything(source)


@pytest.fixture
def reader() -> Iterator[SlowReader]:
    reader = SlowReader()
    yield reader
    reader.let_go.set()


class Connection:
    """One request from its own address, whose answer may come later."""

    def __init__(self, port: int, address: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60, source_address=(address, 0))

    def post(self, path: str, source: str) -> "Connection":
        body = json.dumps(REQUEST | {"strategy_code": source})
        self._connection.request("POST", path, body, {"Content-Type": "application/json"})
        return self

    def get(self, path: str) -> "Connection":
        self._connection.request("GET", path)
        return self

    def answer(self) -> tuple[int, str | None]:
        """Status and Retry-After."""
        answer = self._connection.getresponse()
        answer.read()
        return answer.status, answer.getheader("Retry-After")

    def close(self) -> None:
        self._connection.close()


def n_waiting(port: int) -> float:
    """Number of sources in the queue, over all clients."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
        return float(re.findall(r"^hqg_readings_waiting (.+)$", answer.read().decode(), re.MULTILINE)[0])


@pytest.fixture
def attack(serve, reader, until_the_end):
    """attack(path, n): the port of a service on which n requests with slow sources wait."""

    def begin(path: str, n: int) -> int:
        port = serve(FakeBacktests(), read=reader)
        for number in range(n):
            connection = until_the_end.enter_context(contextlib.closing(Connection(port, ATTACKER)))
            connection.post(path, f"slow {number}")
            if number == 0:
                assert reader.begun.get(timeout=60) == "slow 0"
        wait_until(lambda: n_waiting(port) == min(n - 1, MAX_WAITING_OF_CLIENT))
        return port

    return begin


@pytest.mark.parametrize("path", [VALIDATE, BACKTEST, RUNS])
def test_routes_that_read_no_source_answer_while_45_slow_sources_wait(attack, path):
    port = attack(path, 45)
    for asked in ("/health", "/api/v1/health/ready", RUNS, "/docs", "/openapi.json", "/metrics"):
        with contextlib.closing(Connection(port, HONEST)) as honest:
            assert honest.get(asked).answer()[0] == 200


@pytest.mark.parametrize("path", [VALIDATE, BACKTEST, RUNS])
def test_an_honest_request_is_read_next_while_many_slow_ones_wait(attack, reader, path):
    port = attack(path, 30)
    with contextlib.closing(Connection(port, HONEST)) as honest:
        honest.post(path, "honest")
        wait_until(lambda: n_waiting(port) == 30)
        reader.let_go.set()
        assert honest.answer()[0] in (200, 201)
    assert reader.order.index("honest") == 1


def test_a_client_with_too_many_queued_sources_gets_retry_after(attack):
    port = attack(VALIDATE, MAX_WAITING_OF_CLIENT + 1)
    with contextlib.closing(Connection(port, ATTACKER)) as one_more:
        assert one_more.post(VALIDATE, "slow as well").answer() == (429, "5")


def test_a_client_that_leaves_the_reading_queue_frees_its_place(serve, reader, until_the_end):
    port = serve(FakeBacktests(), read=reader)
    first = until_the_end.enter_context(contextlib.closing(Connection(port, ATTACKER)))
    first.post(VALIDATE, "slow")
    assert reader.begun.get(timeout=60) == "slow"
    for number in range(MAX_WAITING_OF_CLIENT + 10):
        with contextlib.closing(Connection(port, ATTACKER)) as leaving:
            leaving.post(VALIDATE, f"slow {number}")
    reader.let_go.set()

    def is_read() -> bool:
        with contextlib.closing(Connection(port, ATTACKER)) as staying:
            return staying.post(VALIDATE, "stays").answer()[0] == 200

    wait_until(is_read)  # the service notices a little later that a client has gone


def test_a_run_receives_the_time_its_request_spent_reading(serve):
    backtests = FakeBacktests()
    port = serve(backtests, read=lambda source: replace(read_anything(source), seconds=1.5))
    for expected in ([1.5], [1.5, 0.0]):
        with contextlib.closing(Connection(port, HONEST)) as honest:
            assert honest.post(BACKTEST, "honest").answer()[0] == 200
        assert backtests.reading_seconds == expected, "only the first request had it read"


@pytest.mark.parametrize("path", [BACKTEST, RUNS])
def test_a_source_that_breaks_a_rule_takes_no_run_slot(serve, path):
    backtests = FakeBacktests()
    broken = Violation("import-not-allowed", "Import of 'os' is not allowed", 1, 8, 1, 10)
    port = serve(backtests, read=lambda _source: Reading(None, (broken,)))
    with contextlib.closing(Connection(port, HONEST)) as honest:
        assert honest.post(path, "import os").answer()[0] == 400
    assert backtests.requests == []
