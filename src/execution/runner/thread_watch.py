"""Counts the strategy process's threads, for kernels on which no limit does.

gVisor counts threads neither per user (RLIMIT_NPROC) nor per container (the engine sees gVisor's own threads), and a
system-call filter keeps no state. So the runner checks, and ends a strategy process that has too many.
"""

import signal
import threading
from collections.abc import Callable
from contextlib import suppress

MAX_THREADS = 64
"""Equal to BoxLimits.processes, the limit where the kernel counts."""

LOOK_SECONDS = 0.1
"""Time between two checks; a thread that starts and ends in between is not counted."""


class ThreadWatch:
    """A thread that watches another process, created early and idle until it is started.

    Args:
        pid: the process.
        on_excess: called once, from that thread, when the process has more than MAX_THREADS threads.
    """

    def __init__(self, pid: int, on_excess: Callable[[], None]) -> None:
        self._status = f"/proc/{pid}/stat"
        self._on_excess = on_excess
        self._is_started, self._is_stopped = threading.Event(), threading.Event()
        self.has_exceeded = False
        threading.Thread(target=self._watch, daemon=True).start()

    def start(self) -> None:
        """Start watching."""
        self._is_started.set()

    def stop(self) -> None:
        """Stop watching."""
        self._is_stopped.set()

    def _watch(self) -> None:
        # The time limit's alarm is for the main thread and must not interrupt this one.
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        self._is_started.wait()
        with suppress(OSError), open(self._status, "rb", buffering=0) as status:  # noqa: PTH123 - pathlib takes 3 ms
            while not self._is_stopped.wait(LOOK_SECONDS):
                status.seek(0)
                if count_threads(status.read(4096)) > MAX_THREADS:
                    self.has_exceeded = True
                    self._on_excess()
                    return


def count_threads(status: bytes) -> int:
    """The number of threads in /proc/PID/stat (proc(5), field 20); the name before it may contain any character."""
    return int(status.rpartition(b")")[2].split()[17])
