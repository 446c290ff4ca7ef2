"""Boxes that bubblewrap builds from Linux namespaces, for machines without a Docker engine.

If this process may create control groups (cgroup.py), each box has one, like a container. Otherwise the runner
limits only the strategy process, before user code runs: its private memory and its address space.
"""

import itertools
import logging
import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from src.errors import SandboxUnavailable
from src.execution.sandbox import cgroup
from src.execution.sandbox.base import Box, BoxClosed, BoxLimits, Enforcement, box_environment
from src.execution.sandbox.box_launcher import BoxLauncher, BoxProcess
from src.execution.sandbox.bubblewrap_command import box_command
from src.execution.sandbox.pipe import is_silent, read_some, write_all
from src.execution.sandbox.removal import Removal
from src.utils.deadline import Deadline

logger = logging.getLogger(__name__)

PROBE_SECONDS = 20.0

_NOT_AS_ROOT = (
    " (a service running as root runs its boxes as another user, who must be able to read the sandbox's interpreter,"
    " its packages and the src folder, and to create user namespaces)"
)

ADDRESS_SPACE_RESERVE_BYTES = 512 * 1024 * 1024
"""Address space beyond a box's memory limit, for library code and allocators' reserves, which use no private memory.

NumPy, pandas, SciPy and scikit-learn together use 157 MB of it.
"""


class BubblewrapSandbox:
    """Builds boxes with `bwrap`.

    Args:
        python: interpreter of the virtual environment whose packages the box offers.
        source_folder: the project's folder, which holds BOX_SOURCES.
        limits: the limits of one box; `cpus` is not enforced.
        ways: the ways to create control groups, tried in order of preference.
    """

    name = "bubblewrap"

    def __init__(
        self,
        *,
        python: Path,
        source_folder: Path,
        limits: BoxLimits,
        ways: Callable[[], Iterable[cgroup.BoxCgroups]] = cgroup.ways,
    ) -> None:
        self.memory_bytes = limits.memory_bytes
        self._limits = limits
        self._python = python
        self._source_folder = source_folder
        self._ways = ways
        self._groups: cgroup.BoxCgroups | None = None
        self._lock = threading.Lock()
        self._open_boxes: set[BubblewrapBox] = set()
        self._removal = Removal()
        self._launcher: BoxLauncher | None = None

    @property
    def strategy_limits(self) -> Mapping[str, int]:
        """See Sandbox.strategy_limits."""
        # The kernel counts processes per user of the box's own namespace.
        own = {**self._limits.strategy_limits(), "NPROC": self._limits.processes}
        return own if self._groups is not None else own | {"AS": self.memory_bytes + ADDRESS_SPACE_RESERVE_BYTES}

    @property
    def enforcement(self) -> Enforcement:
        """See Sandbox.enforcement."""
        # The first box determines it.
        self.unavailable_reason()
        if self._groups is not None:
            return Enforcement(memory=self._groups.name, processes=self._groups.name)
        return Enforcement(
            memory="private memory and address space of the strategy's process",
            processes="processes of the box's user",
        )

    def unavailable_reason(self) -> str | None:
        """None, or the first missing requirement. A success is remembered."""
        with self._lock:
            if self._launcher is not None:
                return None
            try:
                launcher = BoxLauncher(box_command(self._python, self._source_folder))
                try:
                    self._groups = self._working_groups(launcher)
                except BaseException:
                    launcher.close()
                    raise
            except SandboxUnavailable as error:
                return str(error)
            self._launcher = launcher
            return None

    def _working_groups(self, launcher: BoxLauncher) -> cgroup.BoxCgroups | None:
        """The first way to create control groups with which a box starts; None if a box starts only without one.

        Raises:
            SandboxUnavailable: no box starts.
        """
        for groups in self._ways():
            try:
                _probe(launcher, groups.make(self._limits))
            except (SandboxUnavailable, OSError) as error:
                logger.warning("no box starts in a %s: %s", groups.name, error)
            else:
                return groups
        _probe(launcher, None)
        return None

    def open(self, *, preload: Sequence[str] = ()) -> Box:
        """See Sandbox.open."""
        reason = self.unavailable_reason()
        if reason is not None or self._launcher is None:
            raise SandboxUnavailable(reason or "bubblewrap is not ready")
        try:
            group = self._groups.make(self._limits) if self._groups is not None else None
        except OSError as error:
            raise SandboxUnavailable(f"a control group for a box cannot be created: {error}") from error
        try:
            process = _start(self._launcher, preload, group)
        except BaseException:
            if group is not None:
                group.remove()
            raise
        box = BubblewrapBox(process, group, self._remove)
        with self._lock:
            self._open_boxes.add(box)
        return box

    def remove_orphans(self) -> int:
        """Remove the groups of killed services, whose boxes the kernel ended. Returns the number removed."""
        self.unavailable_reason()
        return self._groups.remove_orphans() if self._groups is not None else 0

    def close(self) -> None:
        """See Sandbox.close."""
        with self._lock:
            boxes = list(self._open_boxes)
        for box in boxes:
            box.close()
        self._removal.close()
        if self._launcher is not None:
            self._launcher.close()

    def _remove(self, box: "BubblewrapBox") -> None:
        self._removal.add(lambda: self._remove_now(box))

    def _remove_now(self, box: "BubblewrapBox") -> None:
        box.clean_up()
        with self._lock:
            self._open_boxes.discard(box)


class BubblewrapBox:
    """One `bwrap` process. The runner is process 1 inside, so the box ends when the runner ends.

    Args:
        process: the process.
        group: its control group, if there is one.
        remove: called once with the box when it is closed, to have `clean_up` called.
    """

    def __init__(
        self, process: BoxProcess, group: cgroup.BoxCgroup | None, remove: "Callable[[BubblewrapBox], None]"
    ) -> None:
        self._process = process
        self._group = group
        self._remove = remove
        self._close_lock, self._use_lock = threading.Lock(), threading.Lock()
        self._is_closed = False

    @property
    def pid(self) -> int:
        """The ID of the bwrap process, an ancestor of all the box's processes."""
        return self._process.pid

    def write(self, data: bytes, deadline: Deadline) -> None:
        """See Box.write."""
        with self._use_lock:
            self._check_open()
            write_all(self._process.stdin, data, deadline)

    def read(self, max_bytes: int, deadline: Deadline) -> bytes:
        """See Box.read."""
        with self._use_lock:
            self._check_open()
            return read_some(self._process.stdout, max_bytes, deadline)

    def is_waiting(self) -> bool:
        """See Box.is_waiting."""
        with self._use_lock:
            return not self._is_closed and not self._process.has_ended() and is_silent(self._process.stdout)

    def ran_out_of_memory(self) -> bool:
        """See Box.ran_out_of_memory. False without a control group, which alone counts this."""
        return self._group is not None and self._group.ran_out_of_memory()

    def close(self, *, is_ending: bool = False) -> None:
        """See Box.close. Killing it costs less than letting it end."""
        with self._close_lock:
            if self._is_closed:
                return
            self._is_closed = True
        self._process.kill()
        self._remove(self)

    def clean_up(self) -> None:
        """Wait until the box has ended after `close`, and release what it used."""
        words = self._process.last_words()
        if words:
            logger.warning("the box wrote to stderr: %r", words)
        if self._group is not None and not self._group.remove():
            logger.warning("the control group of a box could not be removed")
        # A thread that is reading or writing now sees that the box is dead. Closing the descriptors earlier could
        # let their numbers be reused while that thread still uses them.
        with self._use_lock:
            self._process.close()

    def _check_open(self) -> None:
        if self._is_closed:
            raise BoxClosed("the box is closed")


def _start(launcher: BoxLauncher, preload: Sequence[str], group: cgroup.BoxCgroup | None) -> BoxProcess:
    entrances = [str(entrance) for entrance in group.entrances] if group is not None else []
    settings = itertools.chain.from_iterable(("--setenv", *item) for item in box_environment(preload).items())
    return launcher.start(entrances, ["--clearenv", *settings])


def _is_root() -> bool:
    return os.geteuid() == 0


def _probe(launcher: BoxLauncher, group: cgroup.BoxCgroup | None) -> None:
    """Start a box and wait for its first byte.

    Raises:
        SandboxUnavailable: with bubblewrap's error output.
    """
    try:
        process = _start(launcher, (), group)
    except SandboxUnavailable:
        if group is not None:
            group.remove()
        raise
    box = BubblewrapBox(process, group, BubblewrapBox.clean_up)
    try:
        box.read(1, Deadline.after(PROBE_SECONDS))
    except Exception as error:
        process.kill()
        said = process.last_words().decode(errors="replace").strip()
        raise SandboxUnavailable(
            f"bubblewrap cannot build a box here: {said or type(error).__name__}{_NOT_AS_ROOT if _is_root() else ''}"
        ) from error
    finally:
        box.close()
