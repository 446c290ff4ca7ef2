"""Yahoo unreachable: reported soon, with advice, and distinguished from a slow answer."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from src.errors import PriceSourceUnavailable, RunTimedOut
from src.services.data_provider.cache.provider import CachedProvider
from src.services.data_provider.yahoo.provider import FIRST_PAUSE_SECONDS, YFDataProvider
from src.services.data_provider.yahoo.session import (
    CHART_CONNECT_SECONDS,
    OTHER_CONNECT_SECONDS,
    UNREACHABLE_SECONDS,
    YahooSession,
)
from src.utils.deadline import Deadline
from tests.fakes.yahoo import Answer, StandInYahoo, made_up

FIRST, LAST = date(2015, 6, 1), date(2022, 1, 1)
START, END = date(2020, 1, 2), date(2021, 3, 2)
CHART_HOST = "query2.finance.yahoo.com"
COOKIE_HOSTS = ("fc.yahoo.com", "guce.yahoo.com")


class DivertedSession(YahooSession):
    """The real session, except that each connection goes to one address; it records the attempts.

    Attributes:
        tried: host and (connect, read) seconds of each request that was really made.
    """

    def __init__(self, base: str, **options: Any) -> None:
        super().__init__(**options)
        self.base = base
        self.tried: list[tuple[str, tuple[float, float]]] = []

    def send(self, method: Any, url: str, *args: Any, **options: Any) -> Any:
        """See YahooSession.send."""
        parts = urlsplit(url)
        self.tried.append((parts.hostname or "", options["timeout"]))
        url = f"{self.base}{parts.path or '/'}" + (f"?{parts.query}" if parts.query else "")
        return super(YahooSession, self).request(method, url, *args, **options)

    def hosts(self) -> list[str]:
        """Which hosts were tried, in order."""
        return [host for host, _ in self.tried]


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def refusing(_: ExitStack) -> str:
    """An address on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}"


def black_hole(stack: ExitStack) -> str:
    """An address that drops connections, as Linux does for a listener whose queue is full."""
    server = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
    for _ in range(4):
        client = stack.enter_context(socket.socket())
        client.setblocking(False)
        client.connect_ex(server.getsockname())
    return f"http://127.0.0.1:{server.getsockname()[1]}"


def without_tls(stack: ExitStack) -> str:
    """An address that accepts a connection but does not answer the TLS greeting, as some firewalls do."""
    server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    return f"https://127.0.0.1:{server.getsockname()[1]}"


def unknown_name(_: ExitStack) -> str:
    """A name that never resolves (RFC 6761)."""
    return "http://yahoo.invalid"


@pytest.fixture
def provider(yahoo: StandInYahoo, yahoo_state: Path, tmp_path: Path) -> Callable[[YahooSession], CachedProvider]:
    def provider(session: YahooSession) -> CachedProvider:
        source = YFDataProvider(yahoo.clock, yahoo_state, session=session, attempts=10, pause=lambda *_: None)
        return CachedProvider(source, tmp_path / "cache", yahoo.clock)

    return provider


@pytest.mark.parametrize(
    ("where", "reason"),
    [
        (refusing, "the connection was refused or had no route"),
        (black_hole, "no connection was made in time"),
        (without_tls, "no connection was made in time"),
        (unknown_name, "its name could not be resolved"),
    ],
)
def test_it_is_reported_with_advice_after_two_attempts(where, reason, stack, provider) -> None:
    session = DivertedSession(where(stack), chart_connect_seconds=0.2, other_connect_seconds=0.1)
    with pytest.raises(PriceSourceUnavailable, match="'SPY'") as raised:
        provider(session).fetch(("SPY",), START, END)
    message = str(raised.value)
    assert reason in message
    assert "Check the network" in message
    assert "DATA_PROVIDER" in message
    assert raised.value.http_status == 502
    assert 1 <= session.hosts().count(CHART_HOST) <= 2


@pytest.mark.parametrize("where", [black_hole, without_tls])
def test_a_connection_timeout_is_tried_once_for_all_symbols(where, stack, provider) -> None:
    session = DivertedSession(where(stack), chart_connect_seconds=0.2, other_connect_seconds=0.1)
    cached = provider(session)
    with pytest.raises(PriceSourceUnavailable):
        cached.fetch(("SPY",), START, END)
    tried = session.hosts()
    assert tried.count(CHART_HOST) == 1
    assert len(set(tried)) == len(tried)
    for symbol in ("BND", "QQQ", "TLT"):
        with pytest.raises(PriceSourceUnavailable, match="no connection was made in time"):
            cached.fetch((symbol,), START, END)
    with pytest.raises(PriceSourceUnavailable):
        cached.fetch_yields("^IRX", START, END)
    assert session.hosts() == tried


def test_all_timeouts_together_leave_a_first_request_time_within_ten_seconds(stack, provider) -> None:
    session = DivertedSession(refusing(stack))
    with pytest.raises(PriceSourceUnavailable):
        provider(session).fetch(("SPY",), START, END)
    # yfinance keeps for the whole process which of the two it tried last.
    longest = dict.fromkeys(COOKIE_HOSTS, OTHER_CONNECT_SECONDS) | {CHART_HOST: CHART_CONNECT_SECONDS}
    assert {host: connecting for host, (connecting, _) in session.tried}.items() <= longest.items()
    assert sum(longest.values()) + FIRST_PAUSE_SECONDS <= 7


def test_a_host_is_tried_again_after_some_seconds(yahoo, stack, provider) -> None:
    yahoo.listings["SPY"] = made_up("SPY", FIRST, LAST)
    now = [100.0]
    session = DivertedSession(
        black_hole(stack), chart_connect_seconds=0.2, other_connect_seconds=0.1, monotonic=lambda: now[0]
    )
    with pytest.raises(PriceSourceUnavailable):
        provider(session).fetch(("SPY",), START, END)
    session.base = yahoo.base
    yahoo.clock.now = yahoo.clock.now.replace(minute=yahoo.clock.now.minute + 1)
    with pytest.raises(PriceSourceUnavailable):
        provider(session).fetch(("SPY",), START, END)
    now[0] += UNREACHABLE_SECONDS
    assert provider(session).fetch(("SPY",), START, END).dates[-1].item() == END


def test_a_slow_answer_is_requested_again_and_reported_as_such(yahoo, yahoo_state) -> None:
    yahoo.listings["SPY"] = made_up("SPY", FIRST, LAST)
    yahoo.instead["SPY"] = [Answer(delay_seconds=5.0)] * 2
    session = DivertedSession(yahoo.base)
    source = YFDataProvider(
        yahoo.clock, yahoo_state, session=session, timeout_seconds=0.5, attempts=3, pause=lambda *_: None
    )
    assert source.history("SPY").dates.size > 0
    assert session.hosts().count(CHART_HOST) == 3
    yahoo.instead["SPY"] = [Answer(delay_seconds=5.0)] * 3
    with pytest.raises(PriceSourceUnavailable, match="it did not answer") as raised:
        source.history("SPY")
    assert "cannot be reached" not in str(raised.value)


def test_an_unreachable_cookie_host_does_not_prevent_prices(yahoo, stack, yahoo_state) -> None:
    yahoo.listings["SPY"] = made_up("SPY", FIRST, LAST)
    hole = black_hole(stack)

    class Blocked(DivertedSession):
        """Only the host of the charts exists."""

        def send(self, method: Any, url: str, *args: Any, **options: Any) -> Any:
            self.base = yahoo.base if urlsplit(url).hostname == CHART_HOST else hole
            return super().send(method, url, *args, **options)

    session = Blocked("", chart_connect_seconds=5.0, other_connect_seconds=0.1)
    source = YFDataProvider(yahoo.clock, yahoo_state, session=session, pause=lambda *_: None)
    assert source.history("SPY").dates.size > 0


def test_a_request_with_a_short_deadline_does_not_mark_the_host_unreachable(yahoo, stack, yahoo_state) -> None:
    yahoo.listings["SPY"] = made_up("SPY", FIRST, LAST)
    session = DivertedSession(black_hole(stack), chart_connect_seconds=5.0, other_connect_seconds=5.0)
    source = YFDataProvider(yahoo.clock, yahoo_state, session=session, pause=lambda *_: None)
    with pytest.raises(RunTimedOut):
        source.history("SPY", deadline=Deadline.after(0.2))
    session.base = yahoo.base
    assert source.history("SPY").dates.size > 0


def test_a_proxy_that_refuses_is_named(stack, provider) -> None:
    server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    stopped = threading.Event()

    def refuse() -> None:
        while not stopped.is_set():
            try:
                connection, _ = server.accept()
            except TimeoutError:
                continue
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

    server.settimeout(0.05)
    thread = threading.Thread(target=refuse)
    thread.start()
    stack.callback(thread.join)
    stack.callback(stopped.set)
    session = YahooSession(proxy=f"http://127.0.0.1:{server.getsockname()[1]}")
    with pytest.raises(PriceSourceUnavailable, match="the proxy did not let it through"):
        provider(session).fetch(("SPY",), START, END)
