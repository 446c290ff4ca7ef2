"""Reads and writes a box's descriptors, never waiting longer than the run may take."""

import os
import select
from contextlib import suppress
from typing import Protocol

from src.execution.sandbox.base import BoxClosed
from src.utils.deadline import Deadline


class Closable(Protocol):
    """A file, a socket or an HTTP response."""

    def close(self) -> None:
        """Release its descriptor."""
        ...


def write_all(descriptor: int, data: bytes, deadline: Deadline) -> None:
    """Write all the data to a non-blocking descriptor.

    Raises:
        DeadlinePassed, WaitCancelled
        BoxClosed: the other end is closed.
    """
    rest = memoryview(data)
    while rest:
        _, writable, _ = select.select([], [descriptor], [], deadline.poll_seconds())
        if writable:
            try:
                rest = rest[os.write(descriptor, rest) :]
            except BlockingIOError:
                continue
            except OSError as error:
                raise BoxClosed(str(error)) from error


def close_all(*streams: "Closable | None") -> None:
    """Close every stream that is not None, even if closing another fails."""
    for stream in streams:
        if stream is not None:
            with suppress(OSError):
                stream.close()


def is_silent(descriptor: int) -> bool:
    """Whether there is nothing to read now, not even the end of the stream."""
    return not select.select([descriptor], [], [], 0)[0]


def read_some(descriptor: int, max_bytes: int, deadline: Deadline) -> bytes:
    """Read at least one byte from a descriptor.

    Raises:
        DeadlinePassed, WaitCancelled
        BoxClosed: the other end is closed.
    """
    while True:
        readable, _, _ = select.select([descriptor], [], [], deadline.poll_seconds())
        if readable:
            try:
                data = os.read(descriptor, max_bytes)
            except BlockingIOError:
                continue
            except OSError as error:
                raise BoxClosed(str(error)) from error
            if not data:
                raise BoxClosed("end of stream")
            return data
