"""A run's events as they arrive, each exactly once, across reconnections."""

import codecs
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from hqg_backtester.client.answers import refusal
from hqg_backtester.client.backoff import Backoff
from hqg_backtester.client.errors import ServiceUnavailable
from hqg_backtester.client.transport import Arriving, Transport

SILENCE_SECONDS = 45.0
"""A stream silent for this long is lost: the service sends something every 15 seconds."""

MAX_EVENT_CHARACTERS = 16_000_000
FINISHED = "finished"

_LINE_END = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True)
class Event:
    """An event of a run.

    Attributes:
        id: consecutive within the run.
        kind: queued, started, progress, log or finished.
        data: queued {"position"}; started {"attempt"}; progress {"share", "day", "equity"};
            log {"lines"}; finished {"status", "error", "metrics", "recomputed"}.
    """

    id: int
    kind: str
    data: dict[str, Any]


@dataclass
class EventReader:
    """Parses an event stream; feed it the data as it arrives, split anywhere.

    An event that is incomplete when the connection ends is dropped: the next connection sends it again.
    """

    _decoder: codecs.IncrementalDecoder = field(default_factory=codecs.getincrementaldecoder("utf-8"))
    _text: str = ""
    _lines: list[str] = field(default_factory=list)

    def feed(self, data: bytes) -> Iterator[Event]:
        """The events completed by this data.

        Raises:
            ServiceUnavailable: this is not an event stream of the service.
        """
        try:
            self._text += self._decoder.decode(data)
        except UnicodeDecodeError as error:
            raise ServiceUnavailable("The event stream is not text.") from error
        if len(self._text) > MAX_EVENT_CHARACTERS:
            raise ServiceUnavailable("The event stream has an event that is too long.")
        for line in self._whole_lines():
            if line:
                self._lines.append(line)
                continue
            event, self._lines = _event(self._lines), []
            if event is not None:
                yield event

    def _whole_lines(self) -> list[str]:
        # A carriage return at the very end may be the first half of a line end.
        held = "\r" if self._text.endswith("\r") else ""
        *lines, rest = _LINE_END.split(self._text.removesuffix("\r") if held else self._text)
        self._text = rest + held
        return lines


def follow(transport: Transport, path: str, after: int | None = None, until: float | None = None) -> Iterator[Event]:
    """Yield the events of a run up to its last one, each once and in order.

    Args:
        path: of the event stream.
        after: id of the last event seen; None starts with the first of the run's current submission.
        until: time.monotonic() seconds at which to stop; None continues to the last event.

    Raises:
        ServiceUnavailable, ServiceBusy: no connection succeeded before patience ran out.
        RunNotFound, Unauthorized
    """
    backoff = transport.backoff()
    while not _is_over(until):
        retry_after: float | None = None
        headers = {"Accept": "text/event-stream"} | ({} if after is None else {"Last-Event-ID": str(after)})
        try:
            with transport.open(path, headers, SILENCE_SECONDS) as arriving:
                if arriving.status == 204:
                    return
                if arriving.status != 200:
                    answer = transport.whole(arriving, path)
                    retry_after = answer.retry_after_seconds
                    raise refusal(answer)
                for event in _events(arriving, backoff, until):
                    if after is not None and event.id <= after:
                        continue
                    after = event.id
                    yield event
                    if event.kind == FINISHED:
                        return
            broken = ServiceUnavailable(f"The event stream of {transport.url} ends before the run does.")
        except ServiceUnavailable as error:
            broken = error
        if not _is_over(until):
            transport.wait(backoff, broken, retry_after)


def _events(arriving: Arriving, backoff: Backoff, until: float | None) -> Iterator[Event]:
    if arriving.response.headers.get_content_type() != "text/event-stream":
        raise ServiceUnavailable("The answer is not an event stream: is a proxy between this program and the service?")
    reader = EventReader()

    def longest_silence() -> float:
        # Zero would mean no wait at all.
        return SILENCE_SECONDS if until is None else min(SILENCE_SECONDS, max(0.001, until - time.monotonic()))

    for data in arriving.chunks(longest_silence):
        backoff.renew()
        yield from reader.feed(data)


def _is_over(until: float | None) -> bool:
    return until is not None and time.monotonic() >= until


def _event(lines: list[str]) -> Event | None:
    """The event in these lines; None if they are only comments."""
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        # Several data lines form one text; for other fields the last counts. A comment has an empty name.
        fields[name] = f"{fields[name]}\n{value}" if name == "data" and "data" in fields else value
    if "data" not in fields:
        return None
    try:
        data = json.loads(fields["data"])
        if not isinstance(data, dict):
            raise TypeError("an event's data is an object")
        return Event(int(fields["id"]), fields.get("event", "message"), data)
    except (ValueError, KeyError, TypeError) as error:
        raise ServiceUnavailable("The event stream holds something that is not an event of this service.") from error
