"""Caches readings: the same strategy is often posted with other dates and parameters."""

import asyncio
import hashlib
import threading
from collections import OrderedDict
from dataclasses import asdict, dataclass, replace
from typing import Protocol

from src.errors import StrategyRejected
from src.execution.reading.reading import Reading
from src.execution.reading.strategy_source import StrategyDescription
from src.services.admission.reading_slots import ReadingSlots

MAX_READINGS = 256

SERVICE = "the service"
"""The client name for reading again a source that was evicted from the cache."""


class ReadsStrategies(Protocol):
    """The interface used by routes; see ReadingCache."""

    @property
    def n_waiting(self) -> int:
        """Number of sources waiting to be read."""
        ...

    async def read(self, source: str, client: str) -> Reading:
        """The source's reading."""
        ...


@dataclass
class _Shared:
    """A reading awaited by several requests of one client."""

    reading: "asyncio.Future[Reading]"
    n_waiting: int = 0


class ReadingCache:
    """Reads each source once. `read` belongs to one event loop; calling the object blocks and is thread-safe.

    Args:
        slots: reads unknown sources. A reading with violations is not cached, because a slow machine may have caused
            them.
        max_readings: maximum number cached; the least recently used are evicted.
    """

    def __init__(self, slots: ReadingSlots, max_readings: int = MAX_READINGS) -> None:
        self._slots = slots
        self._max_readings = max_readings
        self._known: OrderedDict[bytes, Reading] = OrderedDict()
        self._lock = threading.Lock()
        # Keyed by client too: a source waiting behind an attacker's must not delay the same source of another client.
        self._under_way: dict[tuple[str, bytes], _Shared] = {}

    @property
    def n_waiting(self) -> int:
        """Number of sources waiting to be read."""
        return self._slots.n_waiting

    def __call__(self, source: str) -> Reading:
        """The source's reading; never refused, because it was read before."""
        name = _name(source)
        return self._recall(name) or self._remember(name, self._slots.read(source, SERVICE))

    async def read(self, source: str, client: str) -> Reading:
        """The source's reading, for a client that takes turns with others.

        Raises:
            LineFull, ClientLineFull
        """
        name = _name(source)
        known = self._recall(name)
        if known is not None:
            return known
        shared = self._under_way.get((client, name))
        if shared is None:
            shared = _Shared(asyncio.wrap_future(self._slots.submit(source, client)))
            self._under_way[client, name] = shared
        return self._remember(name, await self._awaited((client, name), shared))

    async def _awaited(self, key: tuple[str, bytes], shared: _Shared) -> Reading:
        shared.n_waiting += 1
        try:
            return await asyncio.shield(shared.reading)
        finally:
            shared.n_waiting -= 1
            if not shared.n_waiting:
                self._under_way.pop(key, None)
                shared.reading.cancel()

    def _recall(self, name: bytes) -> Reading | None:
        with self._lock:
            known = self._known.get(name)
            if known is not None:
                self._known.move_to_end(name)
            return known

    def _remember(self, name: bytes, reading: Reading) -> Reading:
        if reading.violations:
            return reading
        with self._lock:
            self._known[name] = replace(reading, seconds=0.0)
            while len(self._known) > self._max_readings:
                self._known.popitem(last=False)
        return reading


def readable_strategy(reading: Reading) -> StrategyDescription:
    """The strategy's description of itself, if it breaks no rule.

    Raises:
        StrategyRejected: it breaks a rule.
    """
    if reading.description is None or reading.violations:
        raise StrategyRejected([asdict(violation) for violation in reading.violations])
    return reading.description


def _name(source: str) -> bytes:
    return hashlib.sha256(source.encode("utf-8", "surrogatepass")).digest()
