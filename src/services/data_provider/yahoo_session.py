"""yfinance's HTTP session, with an ear: what Yahoo answered is not all in what yfinance returns."""

import math
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from curl_cffi import CurlECode, requests
from curl_cffi.requests import exceptions

CHART_PATH = "/v8/finance/chart/"

LEAST_SECONDS = 0.001
"""Zero would stand for no limit."""

CHART_CONNECT_SECONDS = 3.0
OTHER_CONNECT_SECONDS = 1.5
"""How long a connection may take to be made: to the host of the charts, and to those that only give yfinance its
cookie, of which it tries two and can do without. Together with the rest of a first request less than ten seconds."""

UNREACHABLE_SECONDS = 10.0
"""How long a host to which no connection was made in time is not tried again: other symbols need not wait for it."""

LONGEST_SECONDS = 30.0
"""How long a request may take that yfinance sets no limit for."""

REASONS: dict[int, str] = {
    CurlECode.COULDNT_RESOLVE_PROXY: "the name of the proxy could not be resolved",
    CurlECode.COULDNT_RESOLVE_HOST: "its name could not be resolved",
    CurlECode.COULDNT_CONNECT: "the connection was refused or found no way",
    CurlECode.SSL_CONNECT_ERROR: "no TLS connection was made",
    CurlECode.PEER_FAILED_VERIFICATION: "its TLS certificate could not be verified",
    CurlECode.PROXY: "the proxy did not let it through",
}
"""What curl calls the ways in which no connection is made, and how we say so."""

REFUSED_BY_PROXY = "CONNECT tunnel failed"
ANSWERED_SLOWLY = "Operation timed out"
"""What curl says when a proxy refuses, and when a connection was made but the answer did not come in time."""


class YahooSession(requests.Session):  # type: ignore[type-arg]
    """A browser-like session that remembers each thread's last answer from the chart endpoint.

    Only Yahoo is asked, by TLS, whatever yfinance makes of a symbol.

    Args:
        chart_connect_seconds, other_connect_seconds: how long a connection may take to be made, TLS included.
        monotonic: tells seconds.
        options: those of curl_cffi's Session.
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
        """The request itself; a session of the tests sends it elsewhere."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        if parts.scheme != "https" or not (host == "yahoo.com" or host.endswith(".yahoo.com")):
            raise ValueError(f"only Yahoo may be asked, not {host!r}")
        return super().request(method, url, *args, **options)

    def begin(self, seconds: float) -> None:
        """From now on each request of this thread may take that long at most, all of them together."""
        self._last.answer = self._last.no_connection = None
        self._last.until = self._monotonic() + seconds

    def take_answer(self) -> Any | None:
        """The last chart answer that this thread got since it took one, or None."""
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
        seconds = max(LEAST_SECONDS, min(left, options.get("timeout") or LONGEST_SECONDS))
        longest = self._chart_connect_seconds if is_chart else self._other_connect_seconds
        connecting = min(longest, seconds)
        options["timeout"] = (connecting, seconds - connecting)
        try:
            return self.send(method, url, *args, **options)
        except exceptions.Timeout as error:
            # What the end of the caller's own time has cut short says nothing of the host.
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
