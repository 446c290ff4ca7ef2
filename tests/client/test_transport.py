"""Requests survive a busy service, a lost connection and a restart; on real sockets."""

import json
import socket
import threading
from collections import deque

import pytest

from hqg_backtester.client.backoff import Backoff
from hqg_backtester.client.errors import (
    RequestInvalid,
    RunNotFound,
    RunTimedOut,
    ServiceBusy,
    ServiceFault,
    ServiceUnavailable,
    StrategyRejected,
    Unauthorized,
)
from hqg_backtester.client.transport import Transport
from tests.fakes.scripted_service import Drop, Refuse, ScriptedService
from tests.servers import free_port

RUNS = "/api/v1/runs"


@pytest.fixture
def service():
    with ScriptedService().serving() as running:
        yield running


@pytest.fixture
def pauses():
    return []


@pytest.fixture
def transport(service, pauses):
    return Transport(service.url, backoff=lambda: Backoff(60, pauses.append, lambda: 0.0))


def ask(transport, service, *faults, **what):
    """A GET that meets these faults, after one that was answered."""
    transport.ask("GET", RUNS)
    service.faults = deque(faults)
    return transport.ask("GET", RUNS, **what)


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_service_is_retried_after_retry_after(transport, service, pauses, status):
    faults = [Refuse(status, headers=(("Retry-After", "7"),)), Refuse(status, headers=(("Retry-After", "2"),))]
    assert ask(transport, service, *faults).status == 200
    assert pauses == [7.0, 2.0]


def test_a_retry_after_beyond_patience_is_not_waited_for(transport, service, pauses):
    with pytest.raises(ServiceBusy, match="busy: come back") as caught:
        ask(transport, service, Refuse(429, headers=(("Retry-After", "3600"),)))
    assert (caught.value.retry_after_seconds, caught.value.status, pauses) == (3600.0, 429, [])


def test_a_connection_closed_without_an_answer_is_retried(transport, service, pauses):
    assert ask(transport, service, Drop(), Drop()).status == 200
    assert len(pauses) == 2


def test_a_gateway_without_its_service_is_retried(transport, service):
    assert ask(transport, service, Refuse(502, b"<html>"), Refuse(504, b"<html>")).status == 200


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, {"detail": {"analysis_errors": ["no os (line 1)"], "violations": [{"line": 1}]}}, StrategyRejected),
        (401, {"detail": "no token"}, Unauthorized),
        (403, {"detail": "no role"}, Unauthorized),
        (404, {"detail": "no such run"}, RunNotFound),
        (413, {"detail": "too large"}, RequestInvalid),
        (422, {"detail": [{"loc": ["body", "slippage", "number"], "msg": "too much"}]}, RequestInvalid),
        (500, {"detail": "ours", "request_id": "r"}, ServiceFault),
        (502, {"detail": "Yahoo is down"}, ServiceUnavailable),
        (504, {"detail": "too slow"}, RunTimedOut),
    ],
)
def test_permanent_errors_are_raised_at_once(transport, service, pauses, status, body, error):
    with pytest.raises(error) as caught:
        ask(transport, service, Refuse(status, json.dumps(body).encode()))
    assert (caught.value.status, caught.value.answer, pauses) == (status, body, [])


def test_field_problems_are_named(transport, service):
    body = {"detail": [{"loc": ["body", "slippage", "number"], "msg": "too much"}]}
    with pytest.raises(RequestInvalid, match=r"slippage\.number: too much") as caught:
        ask(transport, service, Refuse(422, json.dumps(body).encode()))
    assert caught.value.problems == [("slippage.number", "too much")]


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"<html>", b'{"detail": {"strange": 1}}', b"\xff"])
@pytest.mark.parametrize("status", [400, 404, 418, 422, 500])
def test_any_body_of_a_refusal_becomes_an_error_with_its_status(transport, service, status, body):
    with pytest.raises(Exception, match=r".") as caught:
        ask(transport, service, Refuse(status, body))
    assert caught.value.status == status


def test_a_service_that_never_answered_is_not_waited_for(pauses):
    transport = Transport(f"http://127.0.0.1:{free_port()}", backoff=lambda: Backoff(60, pauses.append))
    with pytest.raises(ServiceUnavailable, match="No service answers at"):
        transport.ask("GET", RUNS)
    assert pauses == []


def test_a_service_that_restarts_is_found_again():
    service = ScriptedService()
    with service.serving():
        transport = Transport(service.url)
        transport.ask("GET", RUNS)
    troubles = []
    is_away = threading.Event()

    def trouble(why):
        troubles.append(str(why))
        is_away.set()

    answers = []
    asking = threading.Thread(target=lambda: answers.append(transport.telling(trouble).ask("GET", RUNS).status))
    asking.start()
    assert is_away.wait(60)
    with service.serving():
        asking.join(60)
    assert answers == [200]
    assert "No service answers" in troubles[0]


def test_a_silent_service_is_given_up():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        transport = Transport(f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(ServiceUnavailable, match=r"did not answer within 0.05 s"):
            transport.ask("GET", RUNS, seconds=0.05)


def test_an_answer_that_is_not_http_is_reported():
    with socket.create_server(("127.0.0.1", 0)) as strange:

        def greet():
            connection, _ = strange.accept()
            with connection:
                connection.sendall(b"220 mail.example.org\r\n")

        greeting = threading.Thread(target=greet)
        greeting.start()
        with pytest.raises(ServiceUnavailable, match="cannot be reached"):
            Transport(f"http://127.0.0.1:{strange.getsockname()[1]}").ask("GET", RUNS)
        greeting.join()


def test_a_body_refused_halfway_raises_the_services_message():
    with socket.create_server(("127.0.0.1", 0)) as small:

        def refuse():
            connection, _ = small.accept()
            with connection:
                connection.recv(1000)
                body = b'{"detail": "at most 1 MB"}'
                head = f"HTTP/1.1 413 Too Large\r\nContent-Length: {len(body)}\r\n\r\n".encode()
                connection.sendall(head + body)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(1_000_000):
                    continue

        refusing = threading.Thread(target=refuse)
        refusing.start()
        with pytest.raises(RequestInvalid, match="at most 1 MB"):
            Transport(f"http://127.0.0.1:{small.getsockname()[1]}").ask("POST", RUNS, value="x" * 5_000_000)
        refusing.join()


@pytest.mark.parametrize("url", ["ftp://x", "127.0.0.1:8005", "http://", "", "http://x:y", "http://x:99999999"])
def test_an_invalid_url_is_refused(url):
    with pytest.raises(ServiceUnavailable, match="is not the URL of a service"):
        Transport(url)


def test_a_token_goes_with_every_request_and_is_never_shown(service):
    transport = Transport(service.url, "secret")
    transport.ask("GET", RUNS)
    assert service.seen[0].headers["authorization"] == "Bearer secret"
    assert "secret" not in repr(transport)


@pytest.mark.parametrize("token", ["a\nb", "a\r\nX: y", "ä", "\x00"])
def test_a_token_that_would_break_the_header_is_refused_unshown(token):
    with pytest.raises(ServiceUnavailable, match="contains invalid characters") as caught:
        Transport("http://127.0.0.1:1", token)
    assert token not in str(caught.value)


def test_a_redirect_is_not_followed(transport, service):
    answer = ask(transport, service, Refuse(302, headers=(("Location", "http://elsewhere.example/"),)))
    assert answer.status == 302
    assert len(service.seen) == 2


def test_an_answer_that_cannot_be_decompressed_is_reported(service):
    service.faults = deque([Refuse(200, b"plain", (("Content-Encoding", "gzip"),))])
    transport = Transport(service.url, backoff=lambda: Backoff(0))
    with pytest.raises(ServiceUnavailable, match="cannot be decompressed"):
        transport.ask("GET", RUNS)
