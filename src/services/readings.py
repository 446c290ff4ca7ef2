"""Remembers what sources say: the same strategy comes again and again, with other dates and parameters."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable

from src.execution.reading import Reading

MAX_READINGS = 256


class Readings:
    """Reads a source once. Safe to call from several threads.

    Args:
        read: reads a source that is not known yet. What it finds fault with is read again: it may have been slow only
            because the machine was.
        max_readings: how many are remembered, the newest.
    """

    def __init__(self, read: Callable[[str], Reading], max_readings: int = MAX_READINGS) -> None:
        self._read = read
        self._max_readings = max_readings
        self._known: OrderedDict[bytes, Reading] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, source: str) -> Reading:
        """What the source says."""
        name = hashlib.sha256(source.encode("utf-8", "surrogatepass")).digest()
        with self._lock:
            known = self._known.get(name)
            if known is not None:
                self._known.move_to_end(name)
                return known
        reading = self._read(source)
        if not reading.violations:
            self._remember(name, reading)
        return reading

    def _remember(self, name: bytes, reading: Reading) -> None:
        with self._lock:
            self._known[name] = reading
            while len(self._known) > self._max_readings:
                self._known.popitem(last=False)
