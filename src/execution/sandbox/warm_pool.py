"""Boxes started in advance: runner loaded, packages imported, each waiting for one run.

A box serves exactly one run and is then destroyed, and the pool starts another in the background. If the pool is
empty, a box is started for the run.
"""

import logging
import threading
from collections import deque
from collections.abc import Sequence

from src.errors import SandboxUnavailable
from src.execution import protocol
from src.execution.sandbox.base import Box, BoxClosed, Sandbox
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


class ParkedBox(WrappedBox):
    """A box whose first output was read while it was parked; its user reads that output again."""

    def __init__(self, box: Box, first_word: bytes) -> None:
        super().__init__(box)
        self._first_word = first_word

    def read(self, max_bytes: int, deadline: Deadline) -> bytes:
        """See Box.read."""
        if not self._first_word:
            return super().read(max_bytes, deadline)
        said, self._first_word = self._first_word[:max_bytes], self._first_word[max_bytes:]
        return said


class WarmPool(WrappedSandbox):
    """A sandbox that keeps boxes of another sandbox ready.

    Args:
        sandbox: builds the boxes; the pool takes ownership of it.
        size: the number of boxes kept ready; 0 starts every box for its run.
        preload: modules that the boxes import in advance.
    """

    def __init__(self, sandbox: Sandbox, *, size: int, preload: Sequence[str] = ()) -> None:
        self._preload = tuple(preload)
        super().__init__(sandbox)
        self._size = size
        self._parked: deque[ParkedBox] = deque()
        self._lock = threading.Lock()
        self._look = threading.Event()
        self._is_closed = threading.Event()
        # One thread for the pool's lifetime, because bubblewrap ends a box when the thread that started it ends.
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
        """A ready box, or one started now if none is ready."""
        while (parked := self._take()) is not None:
            if parked.is_waiting():
                return parked
            logger.warning("replacing a warm box that died while idle")
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
                self._remove_dead()
                while len(self._parked) < self._size and not self._is_closed.is_set():
                    self._park(self._sandbox.open(preload=self._preload))
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
                self._look.wait(LOOK_SECONDS)

    def _park(self, box: Box) -> None:
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
            self._parked.append(ParkedBox(box, bytes(heard)))

    def _remove_dead(self) -> None:
        with self._lock:
            dead = [box for box in self._parked if not box.is_waiting()]
            for box in dead:
                self._parked.remove(box)
        for box in dead:
            logger.warning("replacing a warm box that died while idle")
            box.close()
