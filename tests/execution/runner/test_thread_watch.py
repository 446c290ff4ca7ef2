"""A process with too many threads is reported, and one with a few is not."""

import os
import threading
from pathlib import Path

from src.execution.runner.thread_watch import MAX_THREADS, ThreadWatch, count_threads
from src.execution.sandbox.base import BoxLimits
from tests.execution.box_runs import LONG_SECONDS


class Crowd:
    """That many additional threads in this process, until the block ends."""

    def __init__(self, count: int) -> None:
        self._leave = threading.Event()
        self._threads = [threading.Thread(target=self._leave.wait) for _ in range(count)]

    def __enter__(self) -> None:
        for thread in self._threads:
            thread.start()

    def __exit__(self, *_: object) -> None:
        self._leave.set()
        for thread in self._threads:
            thread.join()


def test_threads_are_counted_for_any_process_name() -> None:
    fields = b"S 1 5 5 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 17 0 300 0 0"
    assert count_threads(b"5 (python) " + fields) == 17
    assert count_threads(b"5 (a) R 1 1 1) " + fields) == 17
    with Path("/proc/self/stat").open("rb") as status, Crowd(3):
        assert count_threads(status.read()) == len(list(Path("/proc/self/task").iterdir()))


def test_the_limit_equals_the_kernels_limit_for_a_box() -> None:
    assert BoxLimits().processes == MAX_THREADS


def test_too_many_threads_are_reported_once() -> None:
    noticed = threading.Semaphore(0)
    watch = ThreadWatch(os.getpid(), on_excess=noticed.release)
    with Crowd(MAX_THREADS + 1):
        watch.start()
        assert noticed.acquire(timeout=LONG_SECONDS)
    assert watch.has_exceeded
    assert not noticed.acquire(blocking=False)


def test_a_process_that_has_ended_does_not_exceed_the_limit() -> None:
    pid = os.posix_spawn("/bin/true", ["true"], {})
    os.waitpid(pid, 0)
    watch = ThreadWatch(pid, on_excess=lambda: None)
    watch.start()
    watch.stop()
    assert not watch.has_exceeded
