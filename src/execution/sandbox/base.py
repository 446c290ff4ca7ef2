"""The sandbox port: what every box offers, and the limits that every box keeps."""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

BOX_COMMAND = (
    "-s",
    "-P",
    "-B",
    "-c",
    "import sys; sys.path.insert(0, '/box'); from src.execution.runner.__main__ import main; main()",
)
"""Arguments for the box's Python: no user site, no current directory on the path, no bytecode written."""

BOX_ENVIRONMENT = {
    # Set iteration order of strings must be the same in every run.
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONUTF8": "1",
    # One thread: the order of floating-point additions must not depend on the machine's cores.
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    # Without it joblib tries for semaphores, is refused, and warns of that in the logs of every strategy.
    "JOBLIB_MULTIPROCESSING": "0",
    # numpy, scipy and scikit-learn must not look for a home folder that is not there.
    "HOME": "/tmp",  # noqa: S108 - the box's own tmpfs, not the host's /tmp
    "LANG": "C.UTF-8",
}
"""The environment of every box."""

PRELOAD_VARIABLE = "BOX_PRELOAD"
"""Environment variable of a box: modules that its strategy process imports before anything else."""
BOX_SOURCES = (
    "__init__.py",
    "engine",
    "execution/__init__.py",
    "execution/protocol.py",
    "execution/runner",
)
"""What of `src` is inside a box, relative to it: Dockerfile.sandbox copies the same."""

BOX_USER_ID = 65534
TMP_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class BoxLimits:
    """What one box may use.

    Attributes:
        memory_bytes: memory of all its processes and its /tmp together; no swap beyond it.
        cpus: processor time, 1.0 is one core.
        processes: processes and threads at one time.
    """

    memory_bytes: int = 512 * 1024 * 1024
    cpus: float = 1.0
    processes: int = 64

    def strategy_limits(self) -> dict[str, int]:
        """The limits of the strategy process that every backend sets: RLIMIT_* names and values."""
        return {
            # Private writable memory: what a program really takes. An allocation beyond it raises
            # MemoryError, which tells the person more than a killed process does.
            "DATA": self.memory_bytes,
            "FSIZE": TMP_BYTES,
            "NOFILE": 256,
            "CORE": 0,
            "MEMLOCK": 0,
            "MSGQUEUE": 0,
        }


@dataclass(frozen=True)
class Enforcement:
    """What holds a box to its limits, in a few words for the operator.

    Attributes:
        memory: what counts its memory.
        processes: what counts its processes and threads.
    """

    memory: str
    processes: str


def box_environment(preload: Sequence[str]) -> dict[str, str]:
    """The whole environment of a box whose strategy process imports these modules beforehand."""
    return BOX_ENVIRONMENT | ({PRELOAD_VARIABLE: ",".join(preload)} if preload else {})


class BoxTimedOut(Exception):
    """The box did not read or write in time."""


class BoxClosed(Exception):
    """The box ended before it said what was asked of it."""


class WaitCancelled(Exception):
    """The person who waited for the box is gone."""


@dataclass(frozen=True)
class Patience:
    """How long the host waits for a box, in one object that every read and write consults.

    Attributes:
        deadline: time.monotonic() seconds at which waiting ends.
        cancel: set by another thread when nobody waits any more.
    """

    deadline: float
    cancel: threading.Event

    POLL_SECONDS = 0.1
    """How late a cancel may be noticed."""

    def wait_seconds(self) -> float:
        """How long to block at most before asking again.

        Raises:
            WaitCancelled, BoxTimedOut
        """
        if self.cancel.is_set():
            raise WaitCancelled
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise BoxTimedOut
        return min(left, self.POLL_SECONDS)


class Box(Protocol):
    """One started box: a stream in, a stream out, and an end. It serves one run."""

    def write(self, data: bytes, patience: Patience) -> None:
        """Write all of it.

        Raises:
            BoxTimedOut, WaitCancelled, BoxClosed
        """
        ...

    def read(self, max_bytes: int, patience: Patience) -> bytes:
        """At least one byte, at most max_bytes.

        Raises:
            BoxTimedOut, WaitCancelled, BoxClosed
        """
        ...

    def is_waiting(self) -> bool:
        """Whether it is alive and has nothing to say: so a box is that waits for its run."""
        ...

    def ran_out_of_memory(self) -> bool:
        """Whether the kernel killed something in it for want of memory; False where unknown."""
        ...

    def close(self) -> None:
        """Kill everything inside and remove the box. May be called twice; never raises."""
        ...


class Sandbox(Protocol):
    """A way to build boxes. Safe to call from several threads."""

    @property
    def name(self) -> str:
        """What stands in provenance.sandbox: "docker" or "bubblewrap"."""
        ...

    @property
    def memory_bytes(self) -> int:
        """The memory limit that a person is told about."""
        ...

    @property
    def strategy_limits(self) -> Mapping[str, int]:
        """RLIMIT_* names without the prefix and the values that the runner sets on the strategy process."""
        ...

    @property
    def enforcement(self) -> Enforcement:
        """What holds memory and processes to their limits, as far as a box can be started here."""
        ...

    def unavailable_reason(self) -> str | None:
        """None when a box could be started now, else why not and what an operator can do."""
        ...

    def open(self, *, preload: Sequence[str] = ()) -> Box:
        """A started box.

        Args:
            preload: modules that its strategy process imports before the box says that it is ready.

        Raises:
            SandboxUnavailable: none can be started at present.
        """
        ...

    def remove_orphans(self) -> int:
        """Remove boxes that a service which was killed has left behind; how many. Never a living neighbour's."""
        ...

    def close(self) -> None:
        """Destroy what is left of every box and let go of the backend."""
        ...
