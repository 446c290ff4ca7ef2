"""Bases for a sandbox around a sandbox, or a box around a box, that delegate to the inner one."""

from collections.abc import Mapping, Sequence

from src.execution.sandbox.base import Box, Enforcement, Sandbox
from src.utils.deadline import Deadline


class WrappedBox:
    """Delegates to another box. A subclass overrides its own part."""

    def __init__(self, box: Box) -> None:
        self._box = box

    def write(self, data: bytes, deadline: Deadline) -> None:
        """See Box.write."""
        self._box.write(data, deadline)

    def read(self, max_bytes: int, deadline: Deadline) -> bytes:
        """See Box.read."""
        return self._box.read(max_bytes, deadline)

    def is_waiting(self) -> bool:
        """See Box.is_waiting."""
        return self._box.is_waiting()

    def ran_out_of_memory(self) -> bool:
        """See Box.ran_out_of_memory."""
        return self._box.ran_out_of_memory()

    def close(self, *, is_ending: bool = False) -> None:
        """See Box.close."""
        self._box.close(is_ending=is_ending)


class WrappedSandbox:
    """Delegates to another sandbox. A subclass overrides its own part."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    @property
    def name(self) -> str:
        """See Sandbox.name."""
        return self._sandbox.name

    @property
    def memory_bytes(self) -> int:
        """See Sandbox.memory_bytes."""
        return self._sandbox.memory_bytes

    @property
    def strategy_limits(self) -> Mapping[str, int]:
        """See Sandbox.strategy_limits."""
        return self._sandbox.strategy_limits

    @property
    def enforcement(self) -> Enforcement:
        """See Sandbox.enforcement."""
        return self._sandbox.enforcement

    def unavailable_reason(self) -> str | None:
        """See Sandbox.unavailable_reason."""
        return self._sandbox.unavailable_reason()

    def open(self, *, preload: Sequence[str] = ()) -> Box:
        """See Sandbox.open."""
        return self._sandbox.open(preload=preload)

    def remove_orphans(self) -> int:
        """See Sandbox.remove_orphans."""
        return self._sandbox.remove_orphans()

    def close(self) -> None:
        """See Sandbox.close."""
        self._sandbox.close()
