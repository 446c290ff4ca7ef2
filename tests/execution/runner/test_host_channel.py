"""Required frames arrive whole; droppable frames never wait and never arrive in part."""

import os
import select
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

import pytest

from src.execution import protocol
from src.execution.runner.host_channel import HostChannel
from tests.execution.box_runs import LONG_SECONDS

LIMITS = {protocol.PROGRESS: 1 << 20, protocol.FINISHED: 1 << 24}


@dataclass
class Wire:
    """A channel and the host's end of its output pipe."""

    channel: HostChannel
    output: int

    def read(self) -> tuple[bytes, bytes]:
        return protocol.read_frame(lambda length: b"".join(self._pieces(length)), LIMITS)

    def _pieces(self, n_bytes: int) -> Iterator[bytes]:
        while n_bytes:
            piece = self.drain(n_bytes)
            n_bytes -= len(piece)
            yield piece

    def drain(self, n_bytes: int) -> bytes:
        assert select.select([self.output], [], [], LONG_SECONDS)[0], "nothing comes"
        return os.read(self.output, n_bytes)


@pytest.fixture
def wire() -> Iterator[Wire]:
    output, into = os.pipe()
    yield Wire(HostChannel(-1, into), output)
    for descriptor in (output, into):
        os.close(descriptor)


def fill(wire: Wire) -> int:
    """Offer frames until the host is behind. Returns the number accepted."""
    counts: list[int] = []

    def offer() -> None:
        count = 0
        while wire.channel.offer_json(protocol.PROGRESS, {"n": count, "text": "x" * 1_000}):
            count += 1
        counts.append(count)

    offering = threading.Thread(target=offer, daemon=True)
    offering.start()
    offering.join(LONG_SECONDS)
    assert counts, "an offer waited for the host"
    return counts[0]


def test_a_sent_frame_arrives(wire: Wire) -> None:
    wire.channel.send_json(protocol.FINISHED, {"a": 1})
    assert wire.read() == (protocol.FINISHED, b'{"a":1}')


def test_an_offered_frame_arrives_if_the_host_reads(wire: Wire) -> None:
    assert wire.channel.offer_json(protocol.PROGRESS, {"a": 1})
    assert wire.read() == (protocol.PROGRESS, b'{"a":1}')


def test_an_offer_to_a_host_that_does_not_read_is_declined_without_waiting(wire: Wire) -> None:
    fill(wire)
    assert fill(wire) == 0


@pytest.mark.parametrize("step_bytes", [100, 4096, 5000, 1 << 20])
def test_a_host_that_fell_behind_reads_only_whole_frames(wire: Wire, step_bytes: int) -> None:
    """For reads of any size, accepted frames arrive in order and declined ones do not arrive."""
    taken, stream = fill(wire), bytearray()
    numbers = list(range(taken))
    for attempt in range(500):
        stream += wire.drain(step_bytes)
        if wire.channel.offer_json(protocol.PROGRESS, {"n": 10_000 + attempt, "text": "y" * 50_000}):
            numbers.append(10_000 + attempt)
    reader = threading.Thread(target=wire.channel.send_json, args=(protocol.FINISHED, {"end": True}), daemon=True)
    reader.start()
    ended = protocol.json_frame(protocol.FINISHED, {"end": True})
    while not stream.endswith(ended):
        stream += wire.drain(1 << 16)
    reader.join()
    frames, seen = BytesIO(stream), []
    while frames.tell() < len(stream) - len(ended):
        seen.append(protocol.parse_json(protocol.read_frame(frames.read, LIMITS)[1])["n"])
    assert seen == numbers
    assert len(numbers) > taken


def test_a_frame_that_must_arrive_waits_for_the_host(wire: Wire) -> None:
    fill(wire)
    sender = threading.Thread(target=wire.channel.send, args=(protocol.FINISHED, b"z" * (1 << 20)), daemon=True)
    sender.start()
    sender.join(0.2)
    assert sender.is_alive()
    while (frame := wire.read())[0] != protocol.FINISHED:
        pass
    sender.join(LONG_SECONDS)
    assert frame[1] == b"z" * (1 << 20)


def test_a_host_that_has_gone_is_distinguished_from_one_that_is_behind() -> None:
    output, into = os.pipe()
    os.close(output)
    try:
        with pytest.raises(BrokenPipeError):
            HostChannel(-1, into).offer_json(protocol.PROGRESS, {})
    finally:
        os.close(into)
