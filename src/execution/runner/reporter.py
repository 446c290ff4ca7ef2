"""Reports a run's progress and the strategy's printed lines to the host during the run.

A separate thread with its own clock: it costs the day loop nothing, and it also reports on a strategy that spends
a minute on one bar. It never waits for the host and never delays the run.
"""

import json
import math
import signal
import threading
import time

from src.execution import protocol
from src.execution.runner.child import StrategyChild
from src.execution.runner.host_channel import HostChannel
from src.execution.runner.output import OutputReader

FIRST_SECONDS = 0.05
"""When the first frame is sent: soon enough to be seen, but late enough to cost a quick run nothing."""

QUIET_SECONDS = 1.0
"""How often a frame is sent if nothing has changed."""

_LINES_BYTES = protocol.MAX_PROGRESS_BYTES - 1_000


class Reporter:
    """Sends PROGRESS frames until it is stopped.

    Args:
        host: receives them; no other thread may send before `stop` has returned.
        child: the strategy process to report on.
    """

    def __init__(self, host: HostChannel, child: StrategyChild) -> None:
        self._host = host
        self._child = child
        self._lines = UnreportedLines(child.output)
        self._told: tuple[int, float] | None = None
        self._told_at = -math.inf
        self._is_started, self._is_stopped = threading.Event(), threading.Event()
        # Started while the box is still waiting for its run, since starting a thread takes time.
        self._thread = threading.Thread(target=self._report, daemon=True)
        self._thread.start()

    def start(self) -> None:
        """Start reporting; before this, no frame is sent."""
        self._is_started.set()

    def stop(self) -> None:
        """Return once no frame is being sent or will be."""
        if self._is_started.is_set():
            self._is_stopped.set()
            self._thread.join()

    def _report(self) -> None:
        # The time limit's alarm is for the main thread and must not interrupt this one.
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        self._is_started.wait()
        pause_seconds = FIRST_SECONDS
        try:
            while not self._is_stopped.wait(pause_seconds):
                self._tell()
                pause_seconds = protocol.PROGRESS_SECONDS
        except BrokenPipeError:
            return  # the main thread's next frame fails too

    def _tell(self) -> None:
        mark, lines = self._child.mark, self._lines.first(_LINES_BYTES)
        if mark is None or not math.isfinite(mark[1]):
            return
        is_news = mark != self._told or bool(lines)
        if not is_news and time.monotonic() - self._told_at < QUIET_SECONDS:
            return
        value = {"day": mark[0], "equity": mark[1], "lines": lines}
        if self._host.offer_json(protocol.PROGRESS, value):
            self._lines.forget(len(lines))
            self._told, self._told_at = mark, time.monotonic()


class UnreportedLines:
    """The complete lines of an output that were not reported yet. In sequence they are the first final lines."""

    def __init__(self, output: OutputReader) -> None:
        self._output = output
        self._read_bytes = 0
        self._waiting: list[str] = []

    def first(self, json_bytes: int) -> list[str]:
        """The first lines that fit into that much JSON; they remain until they are forgotten."""
        if not self._waiting:
            piece = self._output.complete_lines(self._read_bytes)
            self._read_bytes += len(piece)
            self._waiting = [protocol.cut(line) for line in piece.decode("utf-8", errors="replace").splitlines()]
        return self._waiting[: self._count(json_bytes)]

    def forget(self, count: int) -> None:
        """Remove the first `count` lines, which were reported."""
        del self._waiting[:count]

    def _count(self, json_bytes: int) -> int:
        for count, line in enumerate(self._waiting):
            json_bytes -= len(json.dumps(line)) + 1
            if json_bytes < 0:
                return count
        return len(self._waiting)
