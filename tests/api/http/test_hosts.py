"""The header Host: answers to a page whose DNS name an attacker has pointed at this machine."""

import socket

import pytest

from src.config.settings import Settings
from tests.fakes.application import BACKTEST, REQUEST
from tests.fakes.backtests import FakeBacktests

LOCAL = [
    "localhost",
    "LOCALHOST:8005",
    "localhost.",
    "127.0.0.1",
    "127.0.0.1:8005",
    "127.8.8.8:1",
    "[::1]",
    "[::1]:8005",
]
FOREIGN = [
    "evil.example",
    "evil.example:8005",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "evil.example@localhost",
    "localhost:8005/evil",
    "localhost, evil.example",
    "[::1",
    "::1",
    "[localhost]",
    "127.1",
    "0x7f000001",
    "localhost:port",
    "",
    " ",
    "*",
]


@pytest.mark.parametrize("login", [{}, {"supabase_jwt_secret": "x" * 32}], ids=["open", "login"])
@pytest.mark.parametrize("host", FOREIGN)
def test_an_unknown_host_reaches_no_route(connect, host, login):
    client = connect(FakeBacktests(), **login)
    for path in ("/health", "/", "/api/v1/runs", "/metrics", "/nowhere"):
        answer = client.get(path, headers={"Host": host})
        assert answer.status_code == 421, path
        assert "ALLOWED_HOSTS" in answer.json()["detail"]
        assert answer.headers["X-Request-ID"]


@pytest.mark.parametrize("host", LOCAL)
def test_local_names_and_addresses_are_ours_with_any_port(connect, host):
    client = connect(FakeBacktests())
    assert client.get("/health", headers={"Host": host}).status_code == 200
    assert client.post(BACKTEST, json=REQUEST, headers={"Host": host}).status_code == 200


def test_a_rebound_page_starts_no_run(connect):
    backtests = FakeBacktests()
    headers = {"Host": "evil.example:8005", "Origin": "http://evil.example:8005", "Sec-Fetch-Site": "same-origin"}
    assert connect(backtests).post(BACKTEST, json=REQUEST, headers=headers).status_code == 421
    assert backtests.requests == []


@pytest.mark.parametrize("host", ["backtests.example", "Backtests.Example:443", "second.example"])
def test_the_operator_names_further_hosts(connect, host):
    client = connect(FakeBacktests(), allowed_hosts="backtests.example, second.example")
    assert client.get("/health", headers={"Host": host}).status_code == 200
    assert client.get("/health", headers={"Host": f"www.{host}"}).status_code == 421


def test_a_star_allows_every_name(connect):
    client = connect(FakeBacktests(), allowed_hosts="*")
    assert client.get("/health", headers={"Host": "anything.example"}).status_code == 200


@pytest.mark.parametrize(
    ("api_host", "host", "status"),
    [
        ("127.0.0.1", "192.168.1.5:8005", 421),
        ("localhost", "192.168.1.5:8005", 421),
        ("::1", "192.168.1.5", 421),
        ("0.0.0.0", "192.168.1.5:8005", 200),  # noqa: S104 - named, not bound
        ("::", "[2001:db8::5]:8005", 200),
        ("192.168.1.5", "192.168.1.5:8005", 200),
        ("0.0.0.0", "evil.example", 421),  # noqa: S104 - as above
        ("backtests.lan", "backtests.lan:8005", 200),
    ],
)
def test_other_addresses_are_allowed_if_the_service_listens_beyond_this_machine(connect, api_host, host, status):
    assert connect(FakeBacktests(), api_host=api_host).get("/health", headers={"Host": host}).status_code == status


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (["GET /health HTTP/1.0"], 200),
        (["GET /health HTTP/1.1", "Host: localhost", "Host: evil.example"], 400),
        (["GET http://evil.example/health HTTP/1.1", "Host: evil.example"], 421),
    ],
)
def test_odd_requests_on_a_real_socket(serve, lines, status):
    with socket.create_connection(("127.0.0.1", serve(FakeBacktests()))) as stream:
        stream.sendall("\r\n".join([*lines, "Connection: close", "", ""]).encode())
        assert int(stream.recv(65536).split(b" ")[1]) == status


def test_the_host_check_is_on_by_default():
    assert Settings(_env_file=None).allowed_hosts == ()
