"""yfinance's HTTP session, with an ear: what Yahoo answered is not all in what yfinance returns."""

import math
import threading
import time
from typing import Any
from urllib.parse import urlsplit

from curl_cffi import requests

CHART_PATH = "/v8/finance/chart/"

LEAST_SECONDS = 0.001
"""Zero would stand for no limit."""


class YahooSession(requests.Session):  # type: ignore[type-arg]
    """A browser-like session that remembers each thread's last answer from the chart endpoint.

    Only Yahoo is asked, by TLS, whatever yfinance makes of a symbol.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(impersonate="chrome", **options)
        self._last = threading.local()

    def request(self, method: Any, url: str, *args: Any, **options: Any) -> Any:
        """See curl_cffi's Session.request."""
        left = getattr(self._last, "until", math.inf) - time.monotonic()
        if left < math.inf:
            options["timeout"] = max(LEAST_SECONDS, min(left, options.get("timeout") or left))
        response = self.send(method, url, *args, **options)
        if CHART_PATH in urlsplit(url).path:
            self._last.answer = response
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
        self._last.answer, self._last.until = None, time.monotonic() + seconds

    def take_answer(self) -> Any | None:
        """The last chart answer that this thread got since it took one, or None."""
        answer, self._last.answer = getattr(self._last, "answer", None), None
        return answer
