"""Removes used boxes in the background, because no answer should wait for that."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

_THREADS = 4
MAX_WAITING = 16
"""Boxes being removed or waiting for it."""


class Removal:
    """Threads that remove boxes. When too many boxes wait for removal, closing another one waits too."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="box-remover")
        self._places = threading.BoundedSemaphore(MAX_WAITING)

    def add(self, remove: Callable[[], object]) -> None:
        """Have this called soon. It must not raise."""
        self._places.acquire()
        try:
            self._threads.submit(self._remove, remove)
        except RuntimeError:  # closed
            self._remove(remove)

    def close(self) -> None:
        """Return when all boxes are removed."""
        self._threads.shutdown(wait=True)

    def _remove(self, remove: Callable[[], object]) -> None:
        try:
            remove()
        finally:
            self._places.release()
