"""Tells the host, while a run goes on, how far it is and what the strategy printed since.

A thread with a clock of its own: the day loop pays nothing for it, and a strategy that thinks for a minute
about one bar is reported on all the same. It never waits for the host, and never holds the run up.
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
"""When the first frame goes out: soon enough to be seen, too late to cost a quick run anything."""

QUIET_SECONDS = 1.0
"""So often the host is told that nothing has changed."""

_LINES_BYTES = protocol.MAX_PROGRESS_BYTES - 1_000


class Reporter:
    """Sends PROGRESS frames until it is stopped.

    Args:
        host: where they go; nobody else may send anything before `stop` has returned.
        child: the strategy process that is reported on.
    """

    def __init__(self, host: HostChannel, child: StrategyChild) -> None:
        self._host = host
        self._child = child
        self._lines = UntoldLines(child.output)
        self._told: tuple[int, float] | None = None
        self._told_at = -math.inf
        self._is_started, self._is_stopped = threading.Event(), threading.Event()
        # Made while the box is still waiting for its run: that a thread begins takes a while.
        self._thread = threading.Thread(target=self._report, daemon=True)
        self._thread.start()

    def start(self) -> None:
        """Begin; without it nothing is ever sent."""
        self._is_started.set()

    def stop(self) -> None:
        """Return when no frame will follow and none is under way."""
        if self._is_started.is_set():
            self._is_stopped.set()
            self._thread.join()

    def _report(self) -> None:
        # The alarm of the time limit is for the main thread: it must wake nobody else.
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        self._is_started.wait()
        pause_seconds = FIRST_SECONDS
        try:
            while not self._is_stopped.wait(pause_seconds):
                self._tell()
                pause_seconds = protocol.PROGRESS_SECONDS
        except BrokenPipeError:
            return  # the main thread will learn it from its own next frame

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


class UntoldLines:
    """The complete lines of an output that were not told yet; together they are the first of its final lines."""

    def __init__(self, output: OutputReader) -> None:
        self._output = output
        self._read_bytes = 0
        self._waiting: list[str] = []

    def first(self, json_bytes: int) -> list[str]:
        """As many as fit into that much JSON; they stay untold until they are forgotten."""
        if not self._waiting:
            piece = self._output.complete_lines(self._read_bytes)
            self._read_bytes += len(piece)
            self._waiting = [protocol.cut(line) for line in piece.decode("utf-8", errors="replace").splitlines()]
        return self._waiting[: self._count(json_bytes)]

    def forget(self, count: int) -> None:
        """The first `count` of them were told."""
        del self._waiting[:count]

    def _count(self, json_bytes: int) -> int:
        for count, line in enumerate(self._waiting):
            json_bytes -= len(json.dumps(line)) + 1
            if json_bytes < 0:
                return count
        return len(self._waiting)
