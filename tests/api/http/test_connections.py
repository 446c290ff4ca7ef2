"""Connections of hostile or slow clients, on real sockets."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from ipaddress import ip_network

import pytest

from src.api.http.connections import bounded_connection
from src.api.http.draining import DRAIN_SECONDS, MAX_DRAINED_BYTES, DrainMiddleware
from src.config.settings import PROJECT_FOLDER
from tests.api.real_service import stores_in
from tests.fakes.application import BACKTEST, REQUEST, make_app, served, wait_until
from tests.fakes.backtests import FakeBacktests
from tests.servers import free_port, listens

HEALTH = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture
def bounded(until_the_end):
    """bounded(max_of_address, …): the port of a service with these connection limits."""

    def serve(**bounds):
        bounds = {"max_of_address": 100, "trusted_proxies": (), "head_seconds": 60.0} | bounds
        app = make_app(FakeBacktests())
        return until_the_end.enter_context(served(app, http=bounded_connection(**bounds)))

    return serve


def connected(port, address="127.0.0.1"):
    stream = socket.create_connection(("127.0.0.1", port), source_address=(address, 0))
    stream.settimeout(60)
    return stream


def answered(stream, request=HEALTH):
    """The status of the next answer on that connection; None if the service has closed it."""
    try:
        stream.sendall(request)
        received = stream.recv(65536)
    except OSError:
        return None
    return int(received.split(b" ")[1]) if received else None


@pytest.mark.parametrize("begun", [b"", b"G", b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-Slow: "])
def test_a_head_that_never_ends_times_out(bounded, begun):
    with connected(bounded(head_seconds=0.3)) as stream:
        stream.sendall(begun)
        assert stream.recv(65536).startswith(b"HTTP/1.1 408 ")
        assert stream.recv(65536) == b""


def test_a_head_that_comes_byte_by_byte_does_not_get_more_time(bounded):
    with connected(bounded(head_seconds=0.5)) as stream, contextlib.suppress(OSError):
        for _ in range(1_000):
            stream.sendall(b"X")
            time.sleep(0.01)
        pytest.fail("it may go on for ever")


def test_the_second_head_on_a_connection_has_the_same_time(bounded):
    with connected(bounded(head_seconds=0.5)) as stream:
        stream.sendall(HEALTH)
        received = b""
        while not received.endswith(b"}}"):
            received += stream.recv(65536)
        stream.sendall(b"GET /he")
        assert stream.recv(65536).startswith(b"HTTP/1.1 408 ")


def test_a_request_that_takes_longer_than_a_head_is_not_cut(until_the_end):
    backtests = FakeBacktests(hangs=True)
    http = bounded_connection(max_of_address=10, trusted_proxies=(), head_seconds=0.2)
    port = until_the_end.enter_context(served(make_app(backtests), http=http))
    body = json.dumps(REQUEST).encode()
    head = f"POST {BACKTEST} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with connected(port) as stream:
        stream.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode())
        time.sleep(0.5)
        stream.sendall(body)
        assert backtests.started.wait(60)
        time.sleep(0.5)
        backtests.release.set()
        assert stream.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_each_address_has_its_own_connection_limit(bounded):
    port = bounded(max_of_address=3)
    with contextlib.ExitStack() as streams:
        held = [streams.enter_context(connected(port, "127.0.0.2")) for _ in range(3)]
        assert [answered(stream) for stream in held] == [200] * 3
        one_more = streams.enter_context(connected(port, "127.0.0.2"))
        assert answered(one_more) in (503, None)
        assert answered(streams.enter_context(connected(port, "127.0.0.3"))) == 200
        held.pop().close()
        wait_until(lambda: answered(streams.enter_context(connected(port, "127.0.0.2"))) == 200)


def test_refused_connections_do_not_count(bounded):
    port = bounded(max_of_address=1)
    with connected(port) as held:
        assert answered(held) == 200
        for _ in range(20):
            with connected(port) as refused:
                assert answered(refused) in (503, None)
    wait_until(lambda: _is_answered(port))


def _is_answered(port):
    with connected(port) as stream:
        return answered(stream) == 200


def test_a_trusted_proxy_has_no_connection_limit(bounded):
    port = bounded(max_of_address=1, trusted_proxies=(ip_network("127.0.0.1"),))
    with contextlib.ExitStack() as streams:
        held = [streams.enter_context(connected(port)) for _ in range(5)]
        assert [answered(stream) for stream in held] == [200] * 5


@pytest.mark.parametrize(
    "command",
    [("src.api",), ("uvicorn", "src.api.server:app", "--http", "src.api.server:Connection", "--port", "{port}")],
)
@pytest.mark.slow
def test_the_documented_commands_have_these_bounds(tmp_path, command):
    port = free_port()
    own = {"API_PORT": str(port), "MAX_CONNECTIONS_PER_ADDRESS": "2", "DATA_PROVIDER": "mock", "SANDBOX": "bubblewrap"}
    arguments = [sys.executable, "-m", *(part.format(port=port) for part in command)]
    environment = {**os.environ, **own, "SANDBOX_PYTHON": "/nowhere/python", **stores_in(tmp_path)}
    process = subprocess.Popen(arguments, cwd=PROJECT_FOLDER, env=environment, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: listens(port) and _is_answered(port))
        with connected(port) as first, connected(port) as second, connected(port) as third:
            assert [answered(first), answered(second)] == [200, 200]
            assert answered(third) in (503, None)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


@pytest.mark.parametrize("close", [True, False], ids=["Connection: close", "keep-alive"])
@pytest.mark.parametrize("size", ["declared", "chunked"])
def test_a_slow_sender_of_too_much_reads_its_413(serve, size, close):
    """Like urllib: sends everything, and only then reads the answer."""
    port = serve(FakeBacktests(), max_body_bytes=10_000)
    length = 2_000_000
    lines = [f"POST {BACKTEST} HTTP/1.1", "Host: localhost", "Content-Type: application/json"]
    lines += [f"Content-Length: {length}" if size == "declared" else "Transfer-Encoding: chunked"]
    lines += ["Connection: close"] if close else []
    with connected(port) as stream:
        stream.sendall("\r\n".join([*lines, "", ""]).encode())
        for _ in range(20):
            part = b" " * (length // 20)
            stream.sendall(part if size == "declared" else f"{len(part):x}\r\n".encode() + part + b"\r\n")
            time.sleep(0.02)
        if size == "chunked":
            stream.sendall(b"0\r\n\r\n")
        assert _all_of(stream).startswith(b"HTTP/1.1 413 ")


def _all_of(stream):
    """Everything up to the end of the connection; raises if that is a reset."""
    received = b""
    while piece := stream.recv(65536):
        received += piece
    return received


@pytest.mark.parametrize(
    ("path", "settings", "status"), [("/nowhere", {}, 404), (BACKTEST, {"supabase_jwt_secret": "x" * 32}, 401)]
)
def test_other_refusals_are_read_by_a_slow_sender_too(serve, path, settings, status):
    with connected(serve(FakeBacktests(), **settings)) as stream:
        stream.sendall(
            f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500000\r\nConnection: close\r\n\r\n".encode()
        )
        for _ in range(10):
            stream.sendall(b" " * 50_000)
            time.sleep(0.02)
        assert _all_of(stream).startswith(f"HTTP/1.1 {status} ".encode())


async def _answer(_scope, receive, send):
    """Reads the whole body, checks whether the client is still connected, and answers."""
    while (await receive()).get("more_body"):
        continue
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0):
            await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"done"})


def test_a_body_that_was_read_to_its_end_is_not_waited_for():
    """Routes that wait for a run receive again, to see the client leave; no message comes until it does."""
    received, sent = [{"type": "http.request", "body": b"x", "more_body": False}], []

    async def receive():
        return received.pop(0) if received else await asyncio.Event().wait()

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "headers": [(b"content-length", b"1")]}
    asyncio.run(asyncio.wait_for(DrainMiddleware(_answer, max_seconds=3_600)(scope, receive, send), 60))
    assert [message.get("body") for message in sent] == [None, b"done"]
    assert sent[0]["headers"] == [], "the connection stays open"


def test_a_client_that_expects_100_continue_is_refused_before_it_sends(serve):
    head = f"POST {BACKTEST} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000000\r\nExpect: 100-continue\r\n\r\n"
    with connected(serve(FakeBacktests())) as stream:
        stream.sendall(head.encode())
        assert stream.recv(65536).startswith(b"HTTP/1.1 413 ")


def test_draining_is_limited(serve):
    assert MAX_DRAINED_BYTES <= 10_000_000
    assert DRAIN_SECONDS <= 10
    port = serve(FakeBacktests(), max_body_bytes=10_000)
    with connected(port) as stream:
        stream.sendall(f"POST {BACKTEST} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {10**12}\r\n\r\n".encode())
        sender = threading.Thread(target=_send_for_ever, args=(stream,))
        sender.start()
        sender.join(60)
        assert not sender.is_alive(), "the service drains without limit"


def _send_for_ever(stream):
    with contextlib.suppress(OSError):
        while True:
            stream.sendall(b" " * 1_000_000)
