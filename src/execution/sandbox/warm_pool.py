"""Boxes that are started before anyone asks: runner loaded, packages imported, waiting for one run each.

A box serves exactly one run and is destroyed; the pool starts another in the background. When the pool is
empty, a run gets a box that is started for it.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Sequence

from src.errors import SandboxUnavailable
from src.execution import protocol
from src.execution.sandbox.base import Box, BoxClosed, BoxTimedOut, Patience, Sandbox, WaitCancelled
from src.execution.sandbox.wrapped import WrappedBox, WrappedSandbox

logger = logging.getLogger(__name__)

START_SECONDS = 60.0
"""How long a box may take until it is ready, imports included."""

LOOK_SECONDS = 2.0
"""How often parked boxes are looked at when nobody takes one."""

REST_SECONDS = 2.0
"""How long the pool rests after a box could not be started: an engine in trouble needs no more of it."""

_READY_BYTES = 1_000


class ParkedBox(WrappedBox):
    """A box whose first word was heard while it was parked; who takes it hears it again."""

    def __init__(self, box: Box, first_word: bytes) -> None:
        super().__init__(box)
        self._first_word = first_word

    def read(self, max_bytes: int, patience: Patience) -> bytes:
        """See Box.read."""
        if not self._first_word:
            return super().read(max_bytes, patience)
        said, self._first_word = self._first_word[:max_bytes], self._first_word[max_bytes:]
        return said


class WarmPool(WrappedSandbox):
    """A sandbox that keeps boxes of another sandbox ready.

    Args:
        sandbox: builds the boxes; belongs to the pool from now on.
        size: how many are kept ready; 0 makes every box for its run.
        preload: modules that they have imported.
    """

    def __init__(self, sandbox: Sandbox, *, size: int, preload: Sequence[str] = ()) -> None:
        self._preload = tuple(preload)
        super().__init__(sandbox)
        self._size = size
        self._parked: deque[ParkedBox] = deque()
        self._lock = threading.Lock()
        self._look = threading.Event()
        self._is_closed = threading.Event()
        # One thread for as long as the pool lives: bubblewrap ends a box together with the thread that started it.
        self._filler = threading.Thread(target=self._keep_full, name="warm-pool", daemon=True)
        if size:
            self._filler.start()

    @property
    def size(self) -> int:
        """How many boxes the pool tries to keep ready."""
        return self._size

    @property
    def n_ready(self) -> int:
        """How many boxes are ready at this moment."""
        return len(self._parked)

    def open(self, *, preload: Sequence[str] = ()) -> Box:
        """A ready box, or else one that is started now."""
        while (parked := self._take()) is not None:
            if parked.is_waiting():
                return parked
            logger.warning("a warm box died while it waited; it is replaced")
            parked.close()
        return self._sandbox.open(preload=preload)

    def close(self) -> None:
        """See Sandbox.close."""
        self._is_closed.set()
        self._look.set()
        if self._filler.is_alive():
            self._filler.join(START_SECONDS)
        while (parked := self._take()) is not None:
            parked.close()
        self._sandbox.close()

    def _take(self) -> ParkedBox | None:
        with self._lock:
            parked = self._parked.popleft() if self._parked else None
        self._look.set()
        return parked

    def _keep_full(self) -> None:
        while not self._is_closed.is_set():
            self._look.clear()
            try:
                self._bury_the_dead()
                while len(self._parked) < self._size and not self._is_closed.is_set():
                    self._park(self._sandbox.open(preload=self._preload))
            except WaitCancelled:
                return  # the pool was closed while a box was starting
            except (SandboxUnavailable, BoxClosed, BoxTimedOut, protocol.ProtocolError) as error:
                logger.warning("no warm box could be started: %s", str(error) or type(error).__name__)
                self._is_closed.wait(REST_SECONDS)
            except Exception:
                # A pool that stopped filling would be slow for ever and say nothing.
                logger.exception("the warm pool stumbled")
                self._is_closed.wait(REST_SECONDS)
            else:
                self._look.wait(LOOK_SECONDS)

    def _park(self, box: Box) -> None:
        heard = bytearray()
        patience = Patience(time.monotonic() + START_SECONDS, self._is_closed)

        def read_exactly(length: int) -> bytes:
            data = bytearray()
            while len(data) < length:
                data += box.read(length - len(data), patience)
            heard.extend(data)
            return bytes(data)

        try:
            protocol.read_frame(read_exactly, {protocol.READY: _READY_BYTES})
        except BaseException:
            box.close()
            raise
        with self._lock:
            self._parked.append(ParkedBox(box, bytes(heard)))

    def _bury_the_dead(self) -> None:
        with self._lock:
            dead = [box for box in self._parked if not box.is_waiting()]
            for box in dead:
                self._parked.remove(box)
        for box in dead:
            logger.warning("a warm box died while it waited; it is replaced")
            box.close()
