"""A box's progress during a run: checked like all its output, and passed on at a pace that the host sets."""

import time
from collections.abc import Callable, Sequence

from src.execution import protocol
from src.execution.text import printable

Observe = Callable[[int, float, Sequence[str]], None]
"""Called with the timeline index of the day reached, that day's equity, and the lines printed since the last call."""

MAX_LOG_LINES = 10_000
"""The maximum number of a run's lines that are stored and shown."""

PACE_SECONDS = 0.05
"""Minimum pause between two calls of the observer. Later lines wait for the next call."""

FRAMES_A_SECOND = 20.0
"""Twice the highest rate of an honest box."""

FRAMES_AT_ONCE = 100
"""The number of frames allowed beyond that rate."""

MAX_CHARACTERS = protocol.MAX_JSON_BYTES
"""Limit on the total length of a box's lines: the most that its last frame could hold."""


class ProgressFrames:
    """The progress frames of one run.

    Args:
        observe: see Observe; never called with a line beyond MAX_LOG_LINES.
        n_days: length of the timeline.
        clock: monotonic seconds.
    """

    def __init__(self, observe: Observe, n_days: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._observe = observe
        self._n_days = n_days
        self._clock = clock
        self._started_at = clock()
        self._rests_until = self._started_at
        self._day = 0
        self._n_frames = 0
        self._n_lines = 0
        self._n_characters = 0
        self._pending: list[str] = []

    def take(self, payload: bytes) -> None:
        """Check one PROGRESS payload, and call the observer if its pause is over.

        Raises:
            ProtocolError: too many frames, or one whose content is impossible.
        """
        self._n_frames += 1
        if self._n_frames > FRAMES_AT_ONCE + FRAMES_A_SECOND * (self._clock() - self._started_at):
            raise protocol.ProtocolError("too many progress frames")
        match protocol.parse_json(payload):
            case {"day": int(day), "equity": float(equity), "lines": list(lines)}:
                self._check(day, lines)
            case _:
                raise protocol.ProtocolError("a malformed progress frame")
        if self._clock() >= self._rests_until:
            ready, self._pending = self._pending, []
            self._observe(self._day, equity, ready)
            self._rests_until = self._clock() + PACE_SECONDS

    def _check(self, day: int, lines: Sequence[object]) -> None:
        if isinstance(day, bool) or not self._day <= day < self._n_days:
            raise protocol.ProtocolError("progress goes backwards or leaves the timeline")
        self._day = day
        for line in lines:
            if not isinstance(line, str):
                raise protocol.ProtocolError("a progress line is not text")
            self._n_characters += len(line) + 1
            if self._n_lines < MAX_LOG_LINES:
                self._pending.append(printable(line, protocol.MAX_LINE_CHARACTERS))
                self._n_lines += 1
        if self._n_characters > MAX_CHARACTERS:
            raise protocol.ProtocolError("progress lines are too long in total")
