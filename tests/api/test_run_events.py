"""GET …/events on a real server and real databases: in order and once each, even if the connection drops."""

import contextlib
import http.client
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest

from src.api.http.connections import MAX_STREAMS_PER_CLIENT
from src.services.storage.records.runs import Progress
from tests.fakes.application import REQUEST, RUNS, make_app, served, wait_until
from tests.fakes.backtests import FakeBacktests

TELLS = [
    (Progress(0.5, "2015-06-30", 10_100.0), ["a\nb\r\u2028", "half \ud800"]),
    (Progress(1.0, "2015-12-31", 1.0), []),
]


@dataclass
class Stream:
    """One connection to the events of a run, read as a browser's EventSource reads it."""

    connection: http.client.HTTPConnection
    answer: http.client.HTTPResponse
    comments: list[str] = field(default_factory=list)

    def events(self) -> Iterator[tuple[int, str, dict[str, Any]]]:
        """Id, kind and data of each event until the stream ends."""
        fields: dict[str, str] = {}
        for raw in self.answer:
            line = raw.decode().rstrip("\n")
            if line.startswith(":"):
                self.comments.append(line)
            elif line:
                name, _, value = line.partition(": ")
                fields[name] = value
            elif "event" in fields:
                yield int(fields["id"]), fields["event"], json.loads(fields["data"])
                fields = {}
        assert "event" not in fields, "the stream ended within an event"


@contextlib.contextmanager
def following(port: int, run_hash: str, last: int | None = None, query: str = "", **headers: str) -> Iterator[Stream]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    with contextlib.closing(connection):
        sent = headers | ({} if last is None else {"Last-Event-ID": str(last)})
        connection.request("GET", f"{RUNS}/{run_hash}/events{query}", headers=sent)
        yield Stream(connection, connection.getresponse())


def post(port: int, request: dict[str, Any] = REQUEST) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    with contextlib.closing(connection):
        connection.request("POST", RUNS, json.dumps(request), {"Content-Type": "application/json"})
        return str(json.loads(connection.getresponse().read())["run_hash"])


def delete(port: int, run_hash: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    with contextlib.closing(connection):
        connection.request("DELETE", f"{RUNS}/{run_hash}")
        return connection.getresponse().status


@pytest.fixture
def start(serve, storage):
    """start(backtests, **settings): the port of the service on each database."""
    return lambda backtests, **settings: serve(backtests, storage=storage, **settings)


def test_events_run_from_the_place_in_the_queue_to_the_end(start):
    backtests = FakeBacktests(hangs=True, tells=TELLS)
    port = start(backtests)
    run_hash = post(port)
    with following(port, run_hash) as stream:
        assert stream.answer.status == 200
        assert stream.answer.getheader("Content-Type") == "text/event-stream; charset=utf-8"
        assert stream.answer.getheader("Cache-Control") == "no-store"
        assert stream.answer.getheader("X-Accel-Buffering") == "no"
        events = stream.events()
        assert next(events)[1:] == ("queued", {"position": 0})
        assert next(events)[1:] == ("started", {"attempt": 1})
        assert backtests.started.wait(30)
        backtests.release.set()
        rest = list(events)
    kinds = [kind for _, kind, _ in rest]
    assert set(kinds[:-1]) <= {"progress", "log"}
    lines = [line for _, kind, data in rest if kind == "log" for line in data["lines"]]
    assert lines == ["a\nb\r\u2028", "half \ud800"]
    number, kind, data = rest[-1]
    assert (number, kind, data["status"], data["error"], data["recomputed"]) == (
        len(rest) + 2,
        "finished",
        "succeeded",
        None,
        None,
    )
    assert data["metrics"]["total_return"] == 0.01


def test_a_connection_that_drops_ten_times_sees_every_event_once_and_in_order(start):
    many = [(Progress(i / 30, "2015-06-30", 1.0), [f"line {i}"]) for i in range(30)]
    port = start(FakeBacktests(tells=many))
    run_hash = post(port)
    seen, last = [], None
    for _ in range(100):
        with following(port, run_hash, last) as stream:
            if stream.answer.status == 204:
                break
            for number, kind, _ in stream.events():
                seen.append((number, kind))
                last = number
                if len(seen) % 3 == 0:
                    break
    assert [number for number, _ in seen] == list(range(1, len(seen) + 1))
    assert [kind for _, kind in seen].count("finished") == 1
    assert seen[-1][1] == "finished"


def test_after_the_last_event_a_reconnect_gets_204(start):
    port = start(FakeBacktests())
    run_hash = post(port)
    with following(port, run_hash) as stream:
        last = list(stream.events())[-1][0]
    with following(port, run_hash, last) as stream:
        assert (stream.answer.status, stream.answer.read()) == (204, b"")
    with following(port, run_hash, query=f"?last_event_id={last - 1}") as stream:
        assert [kind for _, kind, _ in stream.events()] == ["finished"]
    with following(port, run_hash, last, query="?last_event_id=0") as stream:
        assert stream.answer.status == 204, "the header wins, because a browser keeps it up to date"


@pytest.mark.parametrize("last", ["999999999999999999", "000000000000000000"])
def test_an_id_that_the_run_has_not_reached_starts_from_its_beginning(start, last):
    port = start(FakeBacktests())
    run_hash = post(port)
    with following(port, run_hash) as stream:
        told = list(stream.events())
    with following(port, run_hash, **{"Last-Event-ID": last}) as stream:
        assert list(stream.events()) == told


@pytest.mark.parametrize("last", ["-1", "1.5", "x", "9" * 19, "9" * 5_000, "1 2", "\u00b2"])
def test_an_invalid_event_id_is_refused_with_its_place(start, last):
    port = start(FakeBacktests())
    run_hash = post(port)
    with following(port, run_hash, **{"Last-Event-ID": last}) as stream:
        assert stream.answer.status == 422
        assert json.loads(stream.answer.read())["detail"][0]["loc"] == ["header", "Last-Event-ID"]


def test_a_cancelled_run_ends_its_streams(start):
    backtests = FakeBacktests(hangs=True)
    port = start(backtests)
    run_hash = post(port)
    with following(port, run_hash) as stream:
        events = stream.events()
        next(events)
        assert backtests.started.wait(30)
        assert delete(port, run_hash) == 200
        assert list(events)[-1][2]["status"] == "cancelled"


def test_deleting_and_resubmitting_a_run_confuses_no_stream(start):
    port = start(FakeBacktests())
    run_hash = post(port)
    with following(port, run_hash) as stream:
        list(stream.events())
    assert delete(port, run_hash) == 204
    with following(port, run_hash) as stream:
        assert stream.answer.status == 404
    assert post(port) == run_hash
    with following(port, run_hash) as stream:
        assert list(stream.events())[-1][1] == "finished"


def test_streams_end_before_the_time_limit_and_go_on_where_they_stopped(start):
    backtests = FakeBacktests(hangs=True, ignores_deadline=True)
    port = start(backtests, max_request_time=2.0)
    run_hash = post(port)
    with following(port, run_hash) as stream:
        # One that was cut off would be an incomplete answer, which http.client raises.
        last = [number for number, _, _ in stream.events()][-1]
    backtests.release.set()
    with following(port, run_hash, last) as stream:
        assert [kind for _, kind, _ in stream.events()][-1] == "finished"


def test_each_client_has_a_stream_limit_and_closed_streams_free_it(start):
    backtests = FakeBacktests(hangs=True)
    port = start(backtests)
    run_hash = post(port)
    with contextlib.ExitStack() as stack:
        for _ in range(MAX_STREAMS_PER_CLIENT):
            assert stack.enter_context(following(port, run_hash)).answer.status == 200
        with following(port, run_hash) as refused:
            assert refused.answer.status == 429
            assert refused.answer.getheader("Retry-After") == "5"
            assert list(json.loads(refused.answer.read())) == ["detail"]

    def is_free() -> bool:
        with following(port, run_hash) as stream:
            return stream.answer.status == 200

    wait_until(is_free)
    backtests.release.set()


def test_a_hundred_streams_that_vanish_leave_nothing_behind(storage):
    backtests = FakeBacktests(hangs=True)
    app = make_app(backtests, storage=storage)
    with served(app) as port:
        run_hash = post(port)
        for _ in range(5):
            with contextlib.ExitStack() as stack:
                for _ in range(MAX_STREAMS_PER_CLIENT):
                    stack.enter_context(following(port, run_hash))
            wait_until(lambda: app.state.open_streams.n_open == 0)
        backtests.release.set()


def test_streams_of_several_clients_see_the_same(start):
    backtests = FakeBacktests(hangs=True, tells=TELLS)
    port = start(backtests)
    run_hash = post(port)

    def follow(_: int) -> list[Any]:
        with following(port, run_hash) as stream:
            return list(stream.events())

    with ThreadPoolExecutor(8) as clients:
        followers = [clients.submit(follow, number) for number in range(8)]
        assert backtests.started.wait(30)
        time.sleep(0.2)
        backtests.release.set()
        seen = [follower.result() for follower in followers]
    assert all(one == seen[0] for one in seen)
