"""The stream itself, without a run: what it sends, and every way it may end."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.api.http.connections import MAX_STREAMS_PER_CLIENT, OpenStreams, TooManyStreams
from src.api.responses import event_stream
from src.api.responses.event_stream import EventStream, event_bytes
from src.services.storage.errors import StorageUnavailable
from src.services.storage.records.attempts import EventKind, RunEvent

SCOPE = {"type": "http"}


def event(number: int, **data: Any) -> RunEvent:
    return RunEvent(number, EventKind.LOG, datetime.now(UTC), data)


class Client:
    """A server's view of its client: whether it is connected, and whether it accepts data."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.has_left, self.takes_more = asyncio.Event(), asyncio.Event()
        self.takes_more.set()

    async def receive(self) -> dict[str, Any]:
        await self.has_left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        await self.takes_more.wait()
        self.sent.append(message)

    @property
    def is_finished(self) -> bool:
        """Whether the answer ended cleanly."""
        return self.sent[-1].get("more_body") is False

    @property
    def text(self) -> str:
        return b"".join(message.get("body", b"") for message in self.sent).decode()


def streaming(
    source: Callable[[], AsyncIterator[RunEvent | None]],
    act: Callable[[Client, asyncio.Event], Any],
    seconds: float = 60,
) -> tuple[Client, OpenStreams]:
    """The client after a stream of that source has ended, while `act` happens to it."""

    async def story() -> tuple[Client, OpenStreams]:
        client, stopping, streams = Client(), asyncio.Event(), OpenStreams()
        stream = EventStream(
            source(), client="a", open_streams=streams, ends_at=time.monotonic() + seconds, stopping=stopping
        )
        acting = asyncio.ensure_future(act(client, stopping))
        await asyncio.wait_for(stream(SCOPE, client.receive, client.send), 60)
        await acting
        return client, streams

    return asyncio.run(story())


class Vanishing(Client):
    """The client leaves once it has been sent something."""

    async def send(self, message: dict[str, Any]) -> None:
        await super().send(message)
        self.has_left.set()


async def nothing(_client: Client, _stopping: asyncio.Event) -> None:
    """Nothing happens to the client."""


async def two_events() -> AsyncIterator[RunEvent | None]:
    yield event(1, lines=["a"])
    yield None
    yield event(2, lines=["b"])


async def endless() -> AsyncIterator[RunEvent | None]:
    yield event(1)
    await asyncio.Event().wait()


@given(st.integers(1, 2**62), st.sampled_from(EventKind), st.text(st.characters()))
def test_an_event_with_any_text_is_three_lines(number, kind, text):
    name, kind_line, data, *end = event_bytes(RunEvent(number, kind, datetime.now(UTC), {"lines": [text]})).split(b"\n")
    assert (name, kind_line, end) == (f"id: {number}".encode(), f"event: {kind}".encode(), [b"", b""])
    assert json.loads(data.removeprefix(b"data: ")) == {"lines": [text]}
    assert b"\r" not in data


def test_everything_is_sent_in_whole_events_and_the_answer_ends():
    client, streams = streaming(two_events, nothing)
    head, opening, *chunks, end = client.sent
    assert head["status"] == 200
    headers = dict(head["headers"])
    assert headers[b"content-type"] == b"text/event-stream; charset=utf-8"
    assert (headers[b"cache-control"], headers[b"x-accel-buffering"]) == (b"no-store", b"no")
    assert b"content-length" not in headers
    assert opening["body"].startswith(b": ")
    assert [chunk["body"] for chunk in chunks] == [
        b'id: 1\nevent: log\ndata: {"lines":["a"]}\n\n',
        b": still here\n\n",
        b'id: 2\nevent: log\ndata: {"lines":["b"]}\n\n',
    ]
    assert (end["body"], end["more_body"]) == (b"", False)
    assert streams.n_open == 0


def test_it_ends_cleanly_when_the_service_stops():
    async def stop(_client: Client, stopping: asyncio.Event) -> None:
        await asyncio.sleep(0.05)
        stopping.set()

    client, _ = streaming(endless, stop)
    assert client.is_finished
    assert client.text.endswith("data: {}\n\n")


def test_it_ends_cleanly_when_its_time_is_up():
    client, _ = streaming(endless, nothing, seconds=0.05)
    assert client.is_finished


def test_it_ends_without_a_further_message_when_the_client_leaves():
    async def leave(client: Client, _stopping: asyncio.Event) -> None:
        await asyncio.sleep(0.05)
        client.has_left.set()

    client, streams = streaming(endless, leave)
    assert not client.is_finished
    assert streams.n_open == 0


def test_the_stream_of_a_client_that_accepts_nothing_is_closed(monkeypatch):
    monkeypatch.setattr(event_stream, "SEND_SECONDS", 0.05)

    async def stall(client: Client, _stopping: asyncio.Event) -> None:
        await asyncio.sleep(0)
        client.takes_more.clear()

    client, streams = streaming(endless, stall)
    assert not client.is_finished
    assert streams.n_open == 0


def test_a_storage_that_fails_ends_the_stream_after_a_whole_event(caplog):
    async def failing() -> AsyncIterator[RunEvent | None]:
        yield event(1)
        raise StorageUnavailable("the disk is full")

    client, _ = streaming(failing, nothing)
    assert client.is_finished
    assert client.text.endswith("data: {}\n\n")
    assert "the disk is full" in caplog.text


def test_an_internal_error_is_raised_and_leaves_whole_events():
    async def broken() -> AsyncIterator[RunEvent | None]:
        yield event(1)
        raise RuntimeError("ours")

    with pytest.raises(RuntimeError, match="ours"):
        streaming(broken, nothing)


def test_the_source_is_closed_however_the_stream_ends():
    closed = []

    async def watched() -> AsyncIterator[RunEvent | None]:
        try:
            yield event(1)
            await asyncio.Event().wait()
        finally:
            closed.append(True)

    streaming(watched, nothing, seconds=0.05)
    assert closed == [True]


def test_each_client_has_a_bounded_number_of_streams():
    streams = OpenStreams()
    opened = [streams.one_more("a") for _ in range(MAX_STREAMS_PER_CLIENT)]
    for stream in opened:
        stream.__enter__()
    with pytest.raises(TooManyStreams), streams.one_more("a"):
        pass
    with streams.one_more("b"):
        assert streams.n_open == MAX_STREAMS_PER_CLIENT + 1
    opened.pop().__exit__(None, None, None)
    with streams.one_more("a"):
        assert streams.n_open == MAX_STREAMS_PER_CLIENT
    for stream in opened:
        stream.__exit__(None, None, None)
    assert streams.n_open == 0


def test_writing_stops_soon_after_the_client_has_vanished() -> None:
    async def many_events() -> AsyncIterator[RunEvent | None]:
        for number in range(500):
            yield event(number)

    async def story() -> Client:
        client = Vanishing()
        ends_at = time.monotonic() + 60
        stream = EventStream(
            many_events(), client="a", open_streams=OpenStreams(), ends_at=ends_at, stopping=asyncio.Event()
        )
        await stream(SCOPE, client.receive, client.send)
        return client

    # asyncio complains of each write beyond the fifth into a connection that is lost.
    assert len(asyncio.run(story()).sent) < 7
