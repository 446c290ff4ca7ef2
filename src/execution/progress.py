"""What a box tells while its run goes on: checked like everything it says, passed on at a pace that the host sets."""

import time
from collections.abc import Callable, Sequence

from src.execution import protocol
from src.execution.text import printable

Observe = Callable[[int, float, Sequence[str]], None]
"""Called with the timeline index of the day that was reached, the equity there, and the lines printed since."""

MAX_LOG_LINES = 10_000
"""So many lines of a run are kept and shown."""

PACE_SECONDS = 0.05
"""The observer rests so long between two calls; what comes meanwhile is told with the next."""

FRAMES_A_SECOND = 20.0
"""Twice what a box of ours sends at most."""

FRAMES_AT_ONCE = 100
"""So many frames beyond that are no sign of anything yet."""

MAX_CHARACTERS = protocol.MAX_JSON_BYTES
"""A box has told more than its last frame could hold when its lines together are longer than this."""


class Progress:
    """The frames of one run.

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
        self._untold: list[str] = []

    def take(self, payload: bytes) -> None:
        """Check one PROGRESS payload; tell the observer when it is time.

        Raises:
            ProtocolError: one frame too many, or one that says something impossible.
        """
        self._n_frames += 1
        if self._n_frames > FRAMES_AT_ONCE + FRAMES_A_SECOND * (self._clock() - self._started_at):
            raise protocol.ProtocolError("it tells of its progress more often than it may")
        match protocol.parse_json(payload):
            case {"day": int(day), "equity": float(equity), "lines": list(lines)}:
                self._check(day, lines)
            case _:
                raise protocol.ProtocolError("its progress is malformed")
        if self._clock() >= self._rests_until:
            told, self._untold = self._untold, []
            self._observe(self._day, equity, told)
            self._rests_until = self._clock() + PACE_SECONDS

    def _check(self, day: int, lines: Sequence[object]) -> None:
        if isinstance(day, bool) or not self._day <= day < self._n_days:
            raise protocol.ProtocolError("its progress goes back or leaves the timeline")
        self._day = day
        for line in lines:
            if not isinstance(line, str):
                raise protocol.ProtocolError("its progress holds lines that are none")
            self._n_characters += len(line) + 1
            if self._n_lines < MAX_LOG_LINES:
                self._untold.append(printable(line, protocol.MAX_LINE_CHARACTERS))
                self._n_lines += 1
        if self._n_characters > MAX_CHARACTERS:
            raise protocol.ProtocolError("its progress holds more lines than it may")
