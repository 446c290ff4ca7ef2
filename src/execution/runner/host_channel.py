"""The runner's end of the pipes to the host: frames that must arrive, and frames that may be dropped."""

import os
from typing import Any

from src.execution import protocol
from src.execution.runner.pipes import read_exactly, write_all


class HostChannel:
    """Frames from and to the host, the only party that is trusted.

    One thread sends at a time: the thread that offers frames stops before another sends one.
    """

    def __init__(self, input_descriptor: int, output_descriptor: int) -> None:
        self._input = input_descriptor
        self._output = output_descriptor
        self._rest = b""

    def send(self, kind: bytes, payload: bytes) -> None:
        """Send one frame, and wait as long as the host takes to read it."""
        os.set_blocking(self._output, True)
        write_all(self._output, self._rest + protocol.frame(kind, payload))
        self._rest = b""

    def send_json(self, kind: bytes, value: Any) -> None:
        """Send one JSON frame."""
        self.send(kind, protocol.json_bytes(value))

    def offer_json(self, kind: bytes, value: Any) -> bool:
        """Send one JSON frame without waiting. Returns False, and sends none of it, if the host is behind.

        Raises:
            BrokenPipeError: the other end is closed.
        """
        os.set_blocking(self._output, False)
        if not self._is_drained():
            return False
        # The part that does not fit into a nearly full pipe is sent before any other frame.
        self._rest = protocol.json_frame(kind, value)
        taken = self._write_some()
        if not taken:
            self._rest = b""
        return taken > 0

    def _is_drained(self) -> bool:
        return not self._rest or (self._write_some() > 0 and not self._rest)

    def _write_some(self) -> int:
        try:
            taken = os.write(self._output, self._rest)
        except BlockingIOError:
            return 0
        self._rest = self._rest[taken:]
        return taken

    def receive(self, kind: bytes) -> bytes:
        """The payload of the next frame, which must be of that kind."""
        no_limit = {kind: 0xFFFFFFFF}
        return protocol.read_frame(lambda length: read_exactly(self._input, length), no_limit)[1]

    def receive_json(self, kind: bytes) -> dict[str, Any]:
        """The value of the next frame, which must be of that kind."""
        return protocol.parse_json(self.receive(kind))

    def close_input(self) -> None:
        """Close the input. The descriptor that carried the prices must be closed before user code continues."""
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, self._input)
        os.close(null)
