"""The sandbox port: the operations of every box, and the limits on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from src.utils.deadline import Deadline

BOX_COMMAND = (
    "-s",
    "-P",
    "-B",
    "-c",
    "import gc, sys; gc.disable(); sys.path.insert(0, '/box'); from src.execution.runner.start import main; main()",
)
"""Arguments for the box's Python: no user site, no current directory on the path, no bytecode written. Garbage is
collected from when user code is loaded: before, there is none, and looking for it takes a tenth of the start."""

BOX_ENVIRONMENT = {
    # Set iteration order of strings must be the same in every run.
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONUTF8": "1",
    # One thread: the order of floating-point additions must not depend on the machine's cores.
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    # Otherwise joblib tries to create semaphores, fails, and writes a warning to every strategy's logs.
    "JOBLIB_MULTIPROCESSING": "0",
    # numpy, scipy and scikit-learn look for a home folder, which must exist.
    "HOME": "/tmp",  # noqa: S108 - the box's own tmpfs, not the host's /tmp
    "LANG": "C.UTF-8",
}
"""The environment of every box."""

PACKAGES = {name: name for name in ("numpy", "pandas", "scipy", "sklearn")} | {"talib": "numpy"}
"""What a strategy may import beyond the standard library and its interface, and what its box imports in advance.

The others import NumPy. TA-Lib itself loads in no time, but would load pandas for a strategy that does not use it."""

PRELOAD_VARIABLE = "BOX_PRELOAD"
"""Environment variable of a box: modules that its strategy process imports before anything else."""
BOX_SOURCES = (
    "src/__init__.py",
    "src/engine",
    "src/execution/__init__.py",
    "src/execution/protocol.py",
    "src/execution/runner",
    # Nothing is imported from here until a strategy does.
    "hqg_backtester/__init__.py",
    "hqg_backtester/signals.py",
    "hqg_backtester/version.py",
)
"""The parts of the project inside a box, relative to its folder. Dockerfile.sandbox copies the same parts."""

BOX_USER_ID = 65534
TMP_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class BoxLimits:
    """The resource limits of one box.

    Attributes:
        memory_bytes: memory of all its processes and its /tmp together, without swap.
        cpus: processor time, 1.0 is one core.
        processes: processes and threads at any time.
    """

    memory_bytes: int = 512 * 1024 * 1024
    cpus: float = 1.0
    processes: int = 64

    def strategy_limits(self) -> dict[str, int]:
        """The limits of the strategy process that every backend sets: RLIMIT_* names and values."""
        return {
            # Private writable memory, which is a program's real use. An allocation beyond it raises
            # MemoryError, which is more informative than a killed process.
            "DATA": self.memory_bytes,
            "FSIZE": TMP_BYTES,
            "NOFILE": 256,
            "CORE": 0,
            "MEMLOCK": 0,
            "MSGQUEUE": 0,
        }


@dataclass(frozen=True)
class Enforcement:
    """How a box's limits are enforced, in a few words for the operator.

    Attributes:
        memory: the mechanism that counts its memory.
        processes: the mechanism that counts its processes and threads.
    """

    memory: str
    processes: str


def box_environment(preload: Sequence[str]) -> dict[str, str]:
    """The complete environment of a box whose strategy process imports these modules in advance."""
    return BOX_ENVIRONMENT | ({PRELOAD_VARIABLE: ",".join(preload)} if preload else {})


class BoxClosed(Exception):
    """The box ended before it sent the expected data."""


class Box(Protocol):
    """One started box, with an input stream and an output stream. It serves one run."""

    def write(self, data: bytes, deadline: Deadline) -> None:
        """Write all the data.

        Raises:
            DeadlinePassed, WaitCancelled, BoxClosed
        """
        ...

    def read(self, max_bytes: int, deadline: Deadline) -> bytes:
        """Read at least one byte and at most max_bytes.

        Raises:
            DeadlinePassed, WaitCancelled, BoxClosed
        """
        ...

    def is_waiting(self) -> bool:
        """Whether the box is alive and has no output to read, as a box is that waits for its run."""
        ...

    def ran_out_of_memory(self) -> bool:
        """Whether the kernel killed a process in the box for lack of memory; False if unknown."""
        ...

    def close(self, *, is_ending: bool = False) -> None:
        """Kill everything inside and remove the box, in the background. May be called twice; never raises.

        Args:
            is_ending: the runner has sent its last frame, so that the box may end by itself if it does so at once.
        """
        ...


class Sandbox(Protocol):
    """Builds boxes. Safe to call from several threads."""

    @property
    def name(self) -> str:
        """The value of provenance.sandbox, such as "docker" or "bubblewrap"."""
        ...

    @property
    def memory_bytes(self) -> int:
        """The memory limit reported to users."""
        ...

    @property
    def strategy_limits(self) -> Mapping[str, int]:
        """RLIMIT_* names without the prefix, with the values that the runner sets on the strategy process."""
        ...

    @property
    def enforcement(self) -> Enforcement:
        """How the limits on memory and processes are enforced, if a box can be started here."""
        ...

    def unavailable_reason(self) -> str | None:
        """None if a box can be started now, otherwise the reason and what the operator can do."""
        ...

    def open(self, *, preload: Sequence[str] = ()) -> Box:
        """Start a box.

        Args:
            preload: modules that its strategy process imports before the box reports that it is ready.

        Raises:
            SandboxUnavailable: no box can be started at present.
        """
        ...

    def remove_orphans(self) -> int:
        """Remove the boxes of killed services, never those of running ones. Returns the number removed."""
        ...

    def close(self) -> None:
        """Destroy all remaining boxes and release the backend."""
        ...
