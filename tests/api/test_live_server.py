"""What only a real server on a real socket shows: chunks, slow clients, clients that leave."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.request

import pytest

from src.config.settings import PROJECT_FOLDER
from tests.fakes.application import BACKTEST, REQUEST, RUNS, another, make_app, served, wait_until
from tests.fakes.backtests import FakeBacktests
from tests.servers import servers

BODY = json.dumps(REQUEST).encode()


def head(length: int | None) -> bytes:
    size = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    return f"POST {BACKTEST} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{size}\r\n\r\n".encode()


def post(port: int) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    with contextlib.closing(connection):
        connection.request("POST", BACKTEST, BODY, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read()


def n_waiting(port: int) -> int:
    """Number of requests waiting for a run slot."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/health/detailed", timeout=60) as answer:
        waiting: int = json.load(answer)["queue"]["waiting"]
        return waiting


def status_of(stream: socket.socket) -> int:
    stream.settimeout(10)
    return int(stream.recv(65536).split(b" ")[1])


def test_a_client_that_leaves_frees_its_run_at_once(serve, caplog):
    caplog.set_level("INFO", logger="src")
    backtests = FakeBacktests(hangs=True, ignores_deadline=True)
    port = serve(backtests, max_concurrent_runs=1, max_queued_runs=0)
    with socket.create_connection(("127.0.0.1", port)) as stream:
        stream.sendall(head(len(BODY)) + BODY)
        assert backtests.started.wait(30)
    wait_until(lambda: (backtests.n_cancelled, backtests.n_running) == (1, 0))
    wait_until(lambda: f"POST {BACKTEST} 499 " in caplog.text)
    backtests.release.set()
    assert post(port)[0] == 200


def test_a_client_that_leaves_the_queue_frees_its_place(serve):
    backtests = FakeBacktests(hangs=True)
    port = serve(backtests, max_concurrent_runs=1, max_queued_runs=1)
    bodies = [json.dumps(another(number)).encode() for number in (1, 2, 3)]
    with socket.create_connection(("127.0.0.1", port)) as running:
        running.sendall(head(len(bodies[0])) + bodies[0])
        assert backtests.started.wait(30)
        with socket.create_connection(("127.0.0.1", port)) as waiting:
            waiting.sendall(head(len(bodies[1])) + bodies[1])
            wait_until(lambda: n_waiting(port) == 1)
            assert post(port)[0] == 503
        with socket.create_connection(("127.0.0.1", port)) as next_in_line:
            wait_until(lambda: n_waiting(port) == 0)
            next_in_line.sendall(head(len(bodies[2])) + bodies[2])
            wait_until(lambda: n_waiting(port) == 1)
            backtests.release.set()
            assert status_of(next_in_line) == 200
    assert len(backtests.executed) == 2, "the run of the client that left was executed"


def test_a_client_that_leaves_in_the_middle_of_its_body_disturbs_no_others(serve):
    backtests = FakeBacktests()
    port = serve(backtests)
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", port)) as stream:
            stream.sendall(head(1000) + b'{"strategy_code": ')
    assert post(port)[0] == 200
    assert len(backtests.requests) == 1


def test_a_body_in_chunks_is_read(serve):
    with socket.create_connection(("127.0.0.1", serve(FakeBacktests()))) as stream:
        stream.sendall(head(None))
        for index in range(0, len(BODY), 10):
            part = BODY[index : index + 10]
            stream.sendall(f"{len(part):x}\r\n".encode() + part + b"\r\n")
        stream.sendall(b"0\r\n\r\n")
        assert status_of(stream) == 200


def test_a_body_in_endless_chunks_is_cut_off_at_the_limit(serve):
    port = serve(FakeBacktests(), max_body_bytes=10_000)
    with socket.create_connection(("127.0.0.1", port)) as stream:
        stream.sendall(head(None))
        for _ in range(11):
            stream.sendall(b"3e8\r\n" + b" " * 1000 + b"\r\n")
        assert status_of(stream) == 413
    assert post(port)[0] == 200


def test_a_declared_length_over_the_limit_is_refused_before_the_body_comes(serve):
    port = serve(FakeBacktests(), max_body_bytes=10_000)
    with socket.create_connection(("127.0.0.1", port)) as stream:
        stream.sendall(head(10**12))
        assert status_of(stream) == 413


@pytest.mark.parametrize("size", [1_000_001, 20_000_000])
def test_a_refused_huge_body_does_not_hang_the_server(serve, size):
    port = serve(FakeBacktests())
    with socket.create_connection(("127.0.0.1", port), timeout=60) as stream:
        sender = threading.Thread(target=_send_quietly, args=(stream, head(size) + b" " * size))
        sender.start()
        assert status_of(stream) == 413
        stream.shutdown(socket.SHUT_RDWR)
        sender.join(60)
        assert not sender.is_alive()
    assert post(port)[0] == 200


def _send_quietly(stream: socket.socket, data: bytes) -> None:
    try:
        stream.sendall(data)
    except OSError:
        return  # The server may hang up on what it has already refused.


def test_a_body_that_trickles_in_is_ended_by_the_time_limit(serve):
    port = serve(FakeBacktests(), max_request_time=0.5)
    with socket.create_connection(("127.0.0.1", port)) as stream:
        stream.sendall(head(1000) + b"{")
        assert status_of(stream) == 504


def test_health_answers_while_runs_hang_and_wait(serve):
    backtests = FakeBacktests(hangs=True)
    port = serve(backtests, max_concurrent_runs=2, max_queued_runs=4)
    streams = [socket.create_connection(("127.0.0.1", port)) for _ in range(6)]
    for stream in streams:
        stream.sendall(head(len(BODY)) + BODY)
    assert backtests.started.wait(30)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=60) as answer:
        assert json.load(answer)["status"] == "healthy"
    backtests.release.set()
    assert [status_of(stream) for stream in streams] == [200] * 6
    for stream in streams:
        stream.close()


def test_a_stopping_server_ends_its_runs_and_answers():
    backtests = FakeBacktests(hangs=True)
    with served(make_app(backtests), grace_seconds=1) as port:
        stream = socket.create_connection(("127.0.0.1", port))
        stream.sendall(head(len(BODY)) + BODY)
        assert backtests.started.wait(30)
    with stream:
        assert status_of(stream) == 503
    assert (backtests.n_cancelled, backtests.n_running) == (1, 0)


def test_garbage_instead_of_http_disturbs_no_other_client(serve):
    port = serve(FakeBacktests())
    with socket.create_connection(("127.0.0.1", port)) as stream:
        stream.sendall(b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n")
        assert status_of(stream) == 400
    assert post(port)[0] == 200


def python(*arguments: str, **environment: str) -> subprocess.Popen:
    """A Python program with the project as its working directory."""
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=PROJECT_FOLDER,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_importing_the_server_loads_nothing_slow_and_opens_nothing():
    slow = ("pandas", "numpy", "docker", "exchange_calendars", "pyarrow", "requests")
    program = (
        "import sys, socket\n"
        "def refuse(*a): raise SystemExit('opened a connection')\n"
        "socket.socket.connect = refuse\n"
        "import src.api.server as server\n"
        f"print([name for name in {slow} if name in sys.modules], type(server.app).__name__)"
    )
    out, err = python("-c", program).communicate(timeout=60)
    assert (out.strip(), err) == ("[] FastAPI", "")


@pytest.mark.parametrize("arguments", [("-m", "src.api"), ("-m", "uvicorn", "src.api.server:app")])
@pytest.mark.slow
def test_a_bad_setting_stops_the_start_with_a_sentence(arguments):
    process = python(*arguments, API_PORT="99999999")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert err.strip().startswith("The service cannot start. API_PORT: input should be less than or equal to")
    assert "Traceback" not in err


@pytest.mark.slow
def test_the_service_starts_with_its_settings_and_stops_on_a_signal(tmp_path):
    with servers(1, tmp_path, SANDBOX_PYTHON="/nowhere/python") as [server]:
        health = server.get("/health")
        assert (health["sandbox"]["name"], health["sandbox"]["available"]) == ("bubblewrap", False)
        assert server.request("POST", BACKTEST, REQUEST)[0] in (400, 503)
        assert server.stop() in (0, -signal.SIGTERM), server.log()
        assert "Traceback" not in server.log()
        assert "no sandbox works, refusing runs" in server.log()


@pytest.mark.slow
def test_an_open_stream_does_not_delay_a_stopping_service(tmp_path):
    code = "from hqg_algorithms import Strategy\nclass S(Strategy):\n    universe = ['SPY']\n"
    code += "    def on_data(self, data, portfolio):\n        return None\n"
    with servers(1, tmp_path, SANDBOX_PYTHON="/nowhere/python") as [server]:
        run_hash = server.submit(REQUEST | {"strategy_code": code})
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}{RUNS}/{run_hash}/events", timeout=30) as stream:
            told = b""
            while b"event: queued" not in told:
                piece = stream.read1()
                assert piece, "it ended before the signal"
                told += piece
            server.process.send_signal(signal.SIGTERM)
            told += stream.read()
        assert told.endswith(b"\n\n"), "no half event"
        assert b"event: finished" not in told, "it was open until then"
        server.stop()
        assert "Traceback" not in server.log()
        assert "timeout graceful shutdown exceeded" not in server.log(), "it would have waited for the stream"
