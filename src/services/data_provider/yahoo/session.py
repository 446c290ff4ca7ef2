"""yfinance's HTTP session, recording Yahoo's answers: yfinance does not return everything in them."""

import math
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from curl_cffi import CurlECode, requests
from curl_cffi.requests import exceptions

CHART_PATH = "/v8/finance/chart/"

MINIMUM_SECONDS = 0.001
"""Zero would mean no limit."""

CHART_CONNECT_SECONDS = 3.0
OTHER_CONNECT_SECONDS = 1.5
"""Time limits for connecting to the host of the charts, and to those that only give yfinance its cookie, of which it
tries two and can do without. Together with the rest of a first request less than ten seconds."""

UNREACHABLE_SECONDS = 10.0
"""How long a host is not tried again after a connection timeout, so that other symbols need not wait for it."""

LONGEST_SECONDS = 30.0
"""Time limit for a request for which yfinance sets none."""

REASONS: dict[int, str] = {
    CurlECode.COULDNT_RESOLVE_PROXY: "the name of the proxy could not be resolved",
    CurlECode.COULDNT_RESOLVE_HOST: "its name could not be resolved",
    CurlECode.COULDNT_CONNECT: "the connection was refused or had no route",
    CurlECode.SSL_CONNECT_ERROR: "no TLS connection was made",
    CurlECode.PEER_FAILED_VERIFICATION: "its TLS certificate could not be verified",
    CurlECode.PROXY: "the proxy did not let it through",
}
"""curl's connection errors, and our clauses for them."""

REFUSED_BY_PROXY = "CONNECT tunnel failed"
ANSWERED_SLOWLY = "Operation timed out"
"""curl's messages when a proxy refuses, and when a connected server does not answer in time."""


class YahooSession(requests.Session):  # type: ignore[type-arg]
    """A browser-like session that remembers each thread's last answer from the chart endpoint.

    Requests go only to Yahoo, over TLS, regardless of what yfinance makes of a symbol.

    Args:
        chart_connect_seconds, other_connect_seconds: time limits for connecting, TLS included.
        monotonic: returns seconds.
        options: options of curl_cffi's Session.
    """

    def __init__(
        self,
        *,
        chart_connect_seconds: float = CHART_CONNECT_SECONDS,
        other_connect_seconds: float = OTHER_CONNECT_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
        **options: Any,
    ) -> None:
        super().__init__(impersonate="chrome", **options)
        self._chart_connect_seconds = chart_connect_seconds
        self._other_connect_seconds = other_connect_seconds
        self._monotonic = monotonic
        self._last = threading.local()
        self._unreachable: dict[str, tuple[float, Exception]] = {}

    def request(self, method: Any, url: str, *args: Any, **options: Any) -> Any:
        """See curl_cffi's Session.request."""
        parts = urlsplit(url)
        is_chart = CHART_PATH in parts.path
        try:
            response = self._connect_and_send(method, url, is_chart, *args, **options)
        except exceptions.RequestException as error:
            if is_chart:
                self._last.no_connection = no_connection(error)
            raise
        if is_chart:
            self._last.answer, self._last.no_connection = response, None
        return response

    def send(self, method: Any, url: str, *args: Any, **options: Any) -> Any:
        """Send the request; the tests' session sends it elsewhere."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        if parts.scheme != "https" or not (host == "yahoo.com" or host.endswith(".yahoo.com")):
            raise ValueError(f"requests may go only to Yahoo, not to {host!r}")
        return super().request(method, url, *args, **options)

    def begin(self, seconds: float) -> None:
        """Limit this thread's requests from now on to that long in total."""
        self._last.answer = self._last.no_connection = None
        self._last.until = self._monotonic() + seconds

    def take_answer(self) -> Any | None:
        """This thread's last chart answer since the previous call, or None."""
        answer, self._last.answer = getattr(self._last, "answer", None), None
        return answer

    def why_no_connection(self) -> str | None:
        """Why this thread's last chart request since `begin` never reached Yahoo, as a clause; None when it did."""
        why: str | None = getattr(self._last, "no_connection", None)
        return why

    def _connect_and_send(self, method: Any, url: str, is_chart: bool, *args: Any, **options: Any) -> Any:
        host = urlsplit(url).hostname or ""
        self._refuse_again(host)
        left = getattr(self._last, "until", math.inf) - self._monotonic()
        seconds = max(MINIMUM_SECONDS, min(left, options.get("timeout") or LONGEST_SECONDS))
        longest = self._chart_connect_seconds if is_chart else self._other_connect_seconds
        connecting = min(longest, seconds)
        options["timeout"] = (connecting, seconds - connecting)
        try:
            return self.send(method, url, *args, **options)
        except exceptions.Timeout as error:
            # A request cut short by the caller's own deadline says nothing about the host.
            if no_connection(error) and connecting == longest:
                self._unreachable[host] = (self._monotonic(), error)
            raise

    def _refuse_again(self, host: str) -> None:
        since, error = self._unreachable.get(host, (-math.inf, None))
        if error is not None and self._monotonic() < since + UNREACHABLE_SECONDS:
            raise type(error)(*error.args)


def no_connection(error: Exception) -> str | None:
    """Why a request never reached a server, as a clause; None when it did."""
    if isinstance(error, exceptions.Timeout):
        return None if ANSWERED_SLOWLY in str(error) else "no connection was made in time"
    if isinstance(error, exceptions.ProxyError) or REFUSED_BY_PROXY in str(error):
        return "the proxy did not let it through"
    return REASONS.get(getattr(error, "code", 0))
