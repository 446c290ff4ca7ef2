"""A sandbox in memory whose boxes follow a script."""

from collections.abc import Callable, Mapping, Sequence

from src.execution.sandbox.base import Box, BoxClosed, Enforcement
from src.utils.deadline import Deadline


class ScriptedBox:
    """A box that answers from a script instead of running anything.

    Args:
        script: given everything written so far, the bytes that the box says next.
        out_of_memory: its ran_out_of_memory.
        preloaded: the modules that it was opened with.
    """

    def __init__(self, script: Callable[[bytes], bytes], out_of_memory: bool, preloaded: tuple[str, ...] = ()) -> None:
        self.preloaded = preloaded
        self._script = script
        self._out_of_memory = out_of_memory
        self._waiting = b""
        self._answered_bytes = -1
        self.heard = b""
        self.is_closed = self.was_ending = False
        self.is_dead = False

    def write(self, data: bytes, deadline: Deadline) -> None:
        """See Box.write."""
        deadline.poll_seconds()
        self.heard += data

    def read(self, max_bytes: int, deadline: Deadline) -> bytes:
        """See Box.read."""
        if not self._waiting:
            # As with a real box, what has arrived already is handed out without asking for the deadline.
            deadline.poll_seconds()
        if not self._waiting and len(self.heard) > self._answered_bytes:
            self._answered_bytes = len(self.heard)
            self._waiting = self._script(self.heard)
        if not self._waiting:
            raise BoxClosed("end of stream")
        said, self._waiting = self._waiting[:max_bytes], self._waiting[max_bytes:]
        return said

    @property
    def n_unread_bytes(self) -> int:
        """Number of bytes written but not yet read."""
        return len(self._waiting)

    def is_waiting(self) -> bool:
        """See Box.is_waiting."""
        return not self.is_closed and not self.is_dead

    def ran_out_of_memory(self) -> bool:
        """See Box.ran_out_of_memory."""
        return self._out_of_memory

    def close(self, *, is_ending: bool = False) -> None:
        """See Box.close."""
        self.is_closed, self.was_ending = True, is_ending


class ScriptedSandbox:
    """Creates scripted boxes and keeps them for inspection."""

    name = "scripted"
    memory_bytes = 512 * 1024 * 1024
    strategy_limits: Mapping[str, int] = {}
    enforcement = Enforcement(memory="the script", processes="the script")

    def __init__(self, script: Callable[[bytes], bytes], *, out_of_memory: bool = False) -> None:
        self._script = script
        self._out_of_memory = out_of_memory
        self.boxes: list[ScriptedBox] = []

    def unavailable_reason(self) -> str | None:
        """See Sandbox.unavailable_reason."""
        return None

    def open(self, *, preload: Sequence[str] = ()) -> Box:
        """See Sandbox.open."""
        box = ScriptedBox(self._script, self._out_of_memory, tuple(preload))
        self.boxes.append(box)
        return box

    def remove_orphans(self) -> int:
        """See Sandbox.remove_orphans."""
        return 0

    def close(self) -> None:
        """See Sandbox.close."""
