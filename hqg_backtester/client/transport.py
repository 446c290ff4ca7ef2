"""HTTP requests that survive a busy service, a lost connection and a restart."""

import gzip
import http.client
import json
import logging
import socket
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from copy import copy
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from hqg_backtester.client.answers import Answer, refusal
from hqg_backtester.client.backoff import Backoff
from hqg_backtester.client.errors import ServiceUnavailable

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 60.0
"""Read timeout of an ordinary answer."""

PATIENCE_SECONDS = 60.0


@dataclass(frozen=True)
class Arriving:
    """An answer whose body has not been read yet."""

    status: int
    response: http.client.HTTPResponse
    connection: socket.socket

    def chunks(self, seconds: Callable[[], float]) -> Iterator[bytes]:
        """Yield the body as it arrives.

        Args:
            seconds: timeout of the next part, called before each.
        """
        while True:
            self.connection.settimeout(seconds())
            data = self.response.read1(65_536)
            if not data:
                return
            yield data


@dataclass
class Transport:
    """Sends requests to one service. Safe to use from several threads: each request has its own connection.

    Every request can safely be repeated: GET and DELETE by nature, POST through its Idempotency-Key.
    Redirects are not followed, so the token goes to this address only.

    Args:
        url: http://host:port, perhaps with a path before /api.
        token: for a service with login; empty sends none.
        backoff: creates the backoff of one request.
        on_trouble: told why a request is retried.
    """

    url: str
    token: str = field(default="", repr=False)
    backoff: Callable[[], Backoff] = lambda: Backoff(PATIENCE_SECONDS)
    on_trouble: Callable[[Exception], None] = lambda _: None
    _has_answered: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        try:
            is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            is_address = False
        if not is_address:
            raise ServiceUnavailable(f"{self.url} is not the URL of a service: give one such as http://127.0.0.1:8005")
        if not self.token.isascii() or not self.token.isprintable():
            raise ServiceUnavailable("The token contains invalid characters: was it copied correctly?")

    def telling(self, on_trouble: Callable[[Exception], None]) -> "Transport":
        """The same transport, with another `on_trouble`."""
        other = copy(self)
        other.on_trouble = on_trouble
        return other

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        value: Any = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = ANSWER_SECONDS,
        accepted: tuple[int, ...] = (),
        backoff: Backoff | None = None,
    ) -> Answer:
        """Send a request, retrying while the service asks to come back later, and return the answer.

        Args:
            query: parameters of the URL; None values are omitted.
            value: sent as JSON.
            seconds: read timeout.
            accepted: statuses of 400 and above to return instead of raising.
            backoff: replaces the default.

        Raises:
            ServiceUnavailable, ServiceBusy: patience has run out.
            ClientError: the answer is a refusal.
        """
        backoff = backoff or self.backoff()
        target = _with_query(path, query)
        while True:
            try:
                with self._answer(method, target, value, headers, seconds) as arriving:
                    answer = self.whole(arriving, target)
            except ServiceUnavailable as error:
                self.wait(backoff, error)
                continue
            if not answer.is_passing:
                break
            self.wait(backoff, refusal(answer), answer.retry_after_seconds)
        if answer.status >= 400 and answer.status not in accepted:
            raise refusal(answer)
        return answer

    @contextmanager
    def open(self, path: str, headers: Mapping[str, str], seconds: float) -> Iterator[Arriving]:
        """The answer to one GET, to be read as it arrives; nothing is retried.

        Raises:
            ServiceUnavailable: there is no answer, or it breaks off.
        """
        with self._answer("GET", path, None, headers, seconds) as arriving:
            yield arriving

    def wait(self, backoff: Backoff, why: Exception, retry_after_seconds: float | None = None) -> None:
        """Pause before the next attempt, or raise `why` if patience has run out.

        A service that has never answered is not waited for: the address is wrong or the service was not started.
        """
        if not isinstance(why, ServiceUnavailable) or not self._has_answered:
            raise why
        logger.info("retrying %s: %s", self.url, why)
        self.on_trouble(why)
        backoff.pause(why, retry_after_seconds)

    def whole(self, arriving: Arriving, path: str) -> Answer:
        """The rest of an answer, decompressed.

        Raises:
            ServiceUnavailable: it cannot be decompressed.
        """
        body = arriving.response.read()
        headers = {name.lower(): value for name, value in arriving.response.getheaders()}
        if headers.get("content-encoding") == "gzip":
            try:
                body = gzip.decompress(body)
            except (OSError, EOFError, zlib.error) as error:
                raise ServiceUnavailable(f"{self.url}{path} sent an answer that cannot be decompressed.") from error
        return Answer(self.url.rstrip("/") + path, arriving.status, body, headers)

    @contextmanager
    def _answer(
        self, method: str, path: str, value: Any, headers: Mapping[str, str] | None, seconds: float
    ) -> Iterator[Arriving]:
        parts = urlsplit(self.url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(str(parts.hostname), parts.port, timeout=CONNECT_SECONDS)
        body = None if value is None else json.dumps(value, default=_plain).encode()
        try:
            connection.connect()
            line = connection.sock
            line.settimeout(seconds)
            # It may refuse the body halfway (413) and answer before it closes.
            with suppress(BrokenPipeError, ConnectionResetError):
                connection.request(method, parts.path.rstrip("/") + path, body, self._headers(body, headers))
            response = connection.getresponse()
            self._has_answered = True
            yield Arriving(response.status, response, line)
        except TimeoutError as error:
            raise ServiceUnavailable(f"{self.url} did not answer within {seconds:g} s.") from error
        except ConnectionRefusedError as error:
            raise ServiceUnavailable(f"No service answers at {self.url}.") from error
        except (OSError, http.client.HTTPException) as error:
            raise ServiceUnavailable(f"{self.url} cannot be reached: {error or type(error).__name__}.") from error
        finally:
            connection.close()

    def _headers(self, body: bytes | None, more: Mapping[str, str] | None) -> dict[str, str]:
        headers = {"Accept-Encoding": "gzip"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        return headers | dict(more or {})


def _plain(value: Any) -> Any:
    """NumPy numbers, arrays and pandas indexes as plain values: parameters and universes are often taken from them."""
    if callable(plain := getattr(value, "tolist", None)):
        return plain()
    raise TypeError(f"{value!r}, a {type(value).__name__}, cannot be sent as JSON")


def _with_query(path: str, query: Mapping[str, Any] | None) -> str:
    named = {name: value for name, value in (query or {}).items() if value is not None}
    return f"{path}?{urlencode(named)}" if named else path
