"""Speaks to a running service: one request, one answer, in plain standard library."""

import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from src.errors import BacktesterError


class NoAnswer(BacktesterError):
    """Nobody answers at that address, or not as our service does; the message says what to do."""

    code = "no_answer"


@dataclass(frozen=True)
class Service:
    """A service at an address.

    Attributes:
        url: http://host:port, perhaps with a path before /api.
        token: for a service with log-in; empty sends none.
        timeout_seconds: how long an answer may take.
    """

    url: str
    token: str = ""
    timeout_seconds: float = 610.0

    def post(self, path: str, value: Any) -> tuple[int, dict[str, Any]]:
        """The status and the JSON object of the answer.

        Raises:
            NoAnswer
        """
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise NoAnswer(f"{self.url} is not the address of a service: give one as http://127.0.0.1:8005")
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname, parts.port, timeout=self.timeout_seconds)
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        try:
            connection.request("POST", parts.path.rstrip("/") + path, json.dumps(value).encode(), headers)
            answer = connection.getresponse()
            return answer.status, self._parsed(answer.read())
        except ConnectionRefusedError as error:
            raise NoAnswer(
                f"No service answers at {self.url}. Start one with `make run` or `docker compose up --build`, "
                "or name another with --url."
            ) from error
        except TimeoutError as error:
            raise NoAnswer(f"{self.url} gave no answer within {self.timeout_seconds:g} s.") from error
        except (OSError, http.client.HTTPException) as error:
            raise NoAnswer(f"{self.url} cannot be asked: {error or type(error).__name__}.") from error
        finally:
            connection.close()

    def _parsed(self, body: bytes) -> dict[str, Any]:
        try:
            value = json.loads(body)
        except ValueError as error:
            raise NoAnswer(f"What answers at {self.url} is not this service: its answer is no JSON.") from error
        if not isinstance(value, dict):
            raise NoAnswer(f"What answers at {self.url} is not this service.")
        return value
