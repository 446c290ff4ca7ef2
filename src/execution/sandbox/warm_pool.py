"""Boxes started in advance: runner loaded, each waiting for one run.

A box serves exactly one run and is then destroyed. If the pool is empty, a box is started for the run. New boxes are
started when the machine is idle (box_load.py), because they would take processor time from the runs.

There are two kinds: bare boxes, and boxes that have imported the packages that recent strategies import.
"""

import logging
import math
import os
import threading
from collections import deque
from collections.abc import Callable, Sequence

from src.errors import SandboxUnavailable
from src.execution import protocol
from src.execution.sandbox.base import PACKAGES, Box, BoxClosed, Sandbox
from src.execution.sandbox.box_load import BoxLoad
from src.execution.sandbox.wrapped import WrappedBox, WrappedSandbox
from src.utils.deadline import Deadline, DeadlinePassed, WaitCancelled

logger = logging.getLogger(__name__)

START_SECONDS = 60.0
"""How long a box may take to become ready, including imports."""

LOOK_SECONDS = 2.0
"""How often idle boxes are checked."""

REST_SECONDS = 2.0
"""How long the pool pauses after a box could not be started, to spare an engine in trouble."""

_READY_BYTES = 1_000

_RECENT_RUNS = 8


class PooledBox(WrappedBox):
    """A box from the pool. Output that was read while it was parked is read again.

    Args:
        box: the box.
        first_word: the output already read.
        is_preloaded: whether it has imported the pool's packages.

    Attributes:
        on_close: called once, when the box is closed after its use.
    """

    def __init__(self, box: Box, first_word: bytes = b"", *, is_preloaded: bool = False) -> None:
        super().__init__(box)
        self._first_word = first_word
        self.is_preloaded = is_preloaded
        self.on_close: Callable[[], None] | None = None

    def read(self, max_bytes: int, deadline: Deadline) -> bytes:
        """See Box.read."""
        if not self._first_word:
            return super().read(max_bytes, deadline)
        said, self._first_word = self._first_word[:max_bytes], self._first_word[max_bytes:]
        return said

    def close(self, *, is_ending: bool = False) -> None:
        """See Box.close."""
        super().close(is_ending=is_ending)
        on_close, self.on_close = self.on_close, None
        if on_close is not None:
            on_close()


class WarmPool(WrappedSandbox):
    """A sandbox that keeps boxes of another sandbox ready.

    Args:
        sandbox: builds the boxes; the pool takes ownership of it.
        size: the number of boxes kept ready; 0 starts every box for its run.
        preload: modules that boxes import in advance as long as recent runs imported one of them.
        load: decides when the machine is idle; None for this machine's.
    """

    def __init__(
        self, sandbox: Sandbox, *, size: int, preload: Sequence[str] = (), load: BoxLoad | None = None
    ) -> None:
        super().__init__(sandbox)
        self._preload = tuple(name for name in preload if name)
        packages = {name.partition(".")[0] for name in self._preload}
        self._packages = packages.union(PACKAGES) if "numpy" in packages else packages
        self._size = size
        self._load = load or BoxLoad(len(os.sched_getaffinity(0)))
        self._parked: deque[PooledBox] = deque()
        self._recent_wants: deque[bool] = deque(maxlen=_RECENT_RUNS)
        self._lock = threading.Lock()
        self._look = threading.Event()
        self._is_closed = threading.Event()
        self._filler = threading.Thread(target=self._keep_full, name="warm-pool", daemon=True)
        if size:
            self._filler.start()

    @property
    def size(self) -> int:
        """The number of boxes that the pool tries to keep ready."""
        return self._size

    @property
    def n_ready(self) -> int:
        """The number of boxes that are ready now."""
        return len(self._parked)

    def open(self, *, preload: Sequence[str] = ()) -> Box:
        """A ready box, or one started now if none is ready.

        Args:
            preload: the modules that the run will import. They decide which of the ready boxes is taken; a box
                started now leaves the import to the strategy.

        Raises:
            SandboxUnavailable: no box can be started at present.
        """
        wants_packages = not self._packages.isdisjoint(preload)
        with self._lock:
            self._recent_wants.append(wants_packages)
        self._load.opened()
        try:
            box = self._take_living(wants_packages) or PooledBox(self._sandbox.open())
        except BaseException:
            self._load.closed()
            raise
        box.on_close = self._closed
        return box

    def close(self) -> None:
        """See Sandbox.close."""
        self._is_closed.set()
        self._look.set()
        if self._filler.is_alive():
            self._filler.join(START_SECONDS)
        while (parked := self._take()) is not None:
            parked.close()
        self._sandbox.close()

    def _closed(self) -> None:
        self._load.closed()
        self._look.set()

    def _take_living(self, wants_packages: bool) -> PooledBox | None:
        while (parked := self._take(wants_packages)) is not None:
            if parked.is_waiting():
                return parked
            logger.warning("replacing a warm box that died while idle")
            parked.close()
        return None

    def _take(self, wants_packages: bool = False) -> PooledBox | None:
        """A parked box, of this kind if there is one."""
        with self._lock:
            if not self._parked:
                return None
            box = next((box for box in self._parked if box.is_preloaded == wants_packages), self._parked[0])
            self._parked.remove(box)
        self._look.set()
        return box

    def _keep_full(self) -> None:
        while not self._is_closed.is_set():
            self._look.clear()
            try:
                self._remove_dead()
                wait_seconds = self._load.seconds_until_idle()
                if len(self._parked) < self._size and wait_seconds == 0:
                    self._park()
                    continue
            except WaitCancelled:
                return  # the pool was closed while a box was starting
            except (SandboxUnavailable, BoxClosed, DeadlinePassed, protocol.ProtocolError) as error:
                logger.warning("no warm box could be started: %s", str(error) or type(error).__name__)
                self._is_closed.wait(REST_SECONDS)
            except Exception:
                # A pool that silently stopped filling would slow down every later run.
                logger.exception("the warm pool failed to fill")
                self._is_closed.wait(REST_SECONDS)
            else:
                self._look.wait(min(wait_seconds or LOOK_SECONDS, LOOK_SECONDS))

    def _park(self) -> None:
        is_preloaded = self._next_is_preloaded()
        box = self._sandbox.open(preload=self._preload if is_preloaded else ())
        heard = bytearray()
        deadline = Deadline.after(START_SECONDS, self._is_closed)

        def read_exactly(length: int) -> bytes:
            data = bytearray()
            while len(data) < length:
                data += box.read(length - len(data), deadline)
            heard.extend(data)
            return bytes(data)

        try:
            protocol.read_frame(read_exactly, {protocol.READY: _READY_BYTES})
        except BaseException:
            box.close()
            raise
        with self._lock:
            self._parked.append(PooledBox(box, bytes(heard), is_preloaded=is_preloaded))

    def _next_is_preloaded(self) -> bool:
        """Whether the next box should import the packages: as many do as recent runs wanted, but not all for some."""
        with self._lock:
            wants, n_preloaded = list(self._recent_wants), sum(box.is_preloaded for box in self._parked)
        if not any(wants):
            return False
        wanted = math.ceil(self._size * sum(wants) / len(wants))
        return n_preloaded < (wanted if all(wants) else min(wanted, max(1, self._size - 1)))

    def _remove_dead(self) -> None:
        with self._lock:
            dead = [box for box in self._parked if not box.is_waiting()]
            for box in dead:
                self._parked.remove(box)
        for box in dead:
            logger.warning("replacing a warm box that died while idle")
            box.close()
