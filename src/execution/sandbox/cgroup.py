"""Control groups for bubblewrap boxes, so that the kernel counts a whole box's memory and processes.

A container engine creates these itself; bubblewrap does not. So this module creates one for each box if the process
may: below its own group (version 1, or version 2 delegated by systemd), or anywhere for root.
"""

import errno
import os
import signal
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from src.execution.sandbox.base import BoxLimits
from src.execution.sandbox.ownership import is_gone, owner_mark

PREFIX = "hqg-box:"
"""Prefix of the group names; the owner's mark and a random part follow, so that orphans can be found."""

SERVICE_GROUP = "hqg-service"
"""The child group that the service moves to: a version 2 group may hold processes or limited groups, not both."""

REMOVE_SECONDS = 2.0
"""How long a box's last process may take to disappear after it was killed."""

_MOVES = 5
_CONTROLLERS = {"memory", "pids"}

Setting = tuple[Path, str]
"""A file in a group's folder and the value to write to it."""


class BoxCgroup:
    """The group of one box.

    Args:
        folders: its folder in each hierarchy.
        events: the file that counts the processes killed for lack of memory, in a line "oom_kill N".
    """

    def __init__(self, folders: Sequence[Path], events: Path) -> None:
        self._folders = tuple(folders)
        self._events = events

    @property
    def entrances(self) -> tuple[Path, ...]:
        """The files to which a process writes "0" to join."""
        return tuple(folder / "cgroup.procs" for folder in self._folders)

    def ran_out_of_memory(self) -> bool:
        """Whether the kernel killed one of its processes at the memory limit."""
        try:
            counts = dict(line.split() for line in self._events.read_text().splitlines())
        except (OSError, ValueError):
            return False
        return int(counts.get("oom_kill", 0)) > 0

    def remove(self) -> bool:
        """Kill its remaining processes and remove it; False if the kernel still keeps it."""
        give_up = time.monotonic() + REMOVE_SECONDS
        while not (is_removed := all(_removed(folder) for folder in self._folders)):
            if time.monotonic() > give_up:
                break
            time.sleep(0.005)
        return is_removed


@dataclass(frozen=True)
class BoxCgroups:
    """One way to create groups for boxes.

    Attributes:
        name: its name in /health.
        bases: the parent folder for groups in each hierarchy.
        events_name: name of the events file (see BoxCgroup), in the group of the first hierarchy.
        settings: the limits of a new group, given its folders.
        prepare: prepares the bases for groups with limits; raises OSError if that is not allowed.
    """

    name: str
    bases: tuple[Path, ...]
    events_name: str
    settings: Callable[[Sequence[Path], BoxLimits], Iterator[Setting]]
    prepare: Callable[[], None]

    def make(self, limits: BoxLimits) -> BoxCgroup:
        """A new, empty group with these limits.

        Raises:
            OSError: the kernel or the administrator does not allow it.
        """
        self.prepare()
        name = PREFIX + ":".join((*owner_mark().split("/"), uuid.uuid4().hex))
        folders = tuple(base / name for base in self.bases)
        group = BoxCgroup(folders, folders[0] / self.events_name)
        try:
            for folder in folders:
                folder.mkdir()
            for file, value in self.settings(folders, limits):
                file.write_text(value)
        except OSError:
            group.remove()
            raise
        return group

    def remove_orphans(self) -> int:
        """Remove the groups of services that have ended, not those of running ones. Returns the number removed."""
        removed = 0
        for name in {folder.name for base in self.bases for folder in base.glob(PREFIX + "*")}:
            mark = "/".join(name.removeprefix(PREFIX).rsplit(":", 1)[0].split(":"))
            if is_gone(mark):
                folders = tuple(base / name for base in self.bases)
                removed += BoxCgroup(folders, folders[0] / self.events_name).remove()
        return removed


def ways(process: Path = Path("/proc/self"), *, is_root: bool | None = None) -> Iterator[BoxCgroups]:
    """The ways to create groups that may work here, best first. Only a trial shows whether one does.

    Args:
        process: this process's folder in /proc: proc(5).
        is_root: whether the process has root's rights; None asks the kernel.
    """
    with suppress(OSError, ValueError):
        mounts, groups = _mounts(process / "mountinfo"), _own_groups(process / "cgroup")
        if base := _version_2_base(mounts, groups, os.geteuid() == 0 if is_root is None else is_root):
            yield BoxCgroups(
                "cgroup v2", (base,), "memory.events", _version_2_settings, lambda: _enable_controllers(base)
            )
        if bases := _version_1_bases(mounts, groups):
            yield BoxCgroups("cgroup v1", bases, "memory.oom_control", _version_1_settings, lambda: None)


def _version_2_settings(folders: Sequence[Path], limits: BoxLimits) -> Iterator[Setting]:
    (folder,) = folders
    yield folder / "memory.max", str(limits.memory_bytes)
    # A kernel without swap has no such file.
    if (folder / "memory.swap.max").exists():
        yield folder / "memory.swap.max", "0"
    yield folder / "pids.max", str(_processes(limits))


def _version_1_settings(folders: Sequence[Path], limits: BoxLimits) -> Iterator[Setting]:
    memory, processes = folders
    yield memory / "memory.limit_in_bytes", str(limits.memory_bytes)
    # Memory and swap together, if the kernel counts swap; swappiness 0 otherwise avoids it.
    if (memory / "memory.memsw.limit_in_bytes").exists():
        yield memory / "memory.memsw.limit_in_bytes", str(limits.memory_bytes)
    else:
        yield memory / "memory.swappiness", "0"
    yield processes / "pids.max", str(_processes(limits))


def _processes(limits: BoxLimits) -> int:
    # bwrap itself waits outside the box but inside the group.
    return limits.processes + 1


def _version_2_base(mounts: dict[str, "_Mount"], groups: dict[str, str], is_root: bool) -> Path | None:
    if "cgroup2" not in mounts or "" not in groups:
        return None
    mount = mounts["cgroup2"]
    own = mount.folder_of(groups[""])
    if own is None or not set((mount.folder / "cgroup.controllers").read_text().split()) >= _CONTROLLERS:
        return None
    for group in (own, own.parent):
        if not os.access(group, os.W_OK):
            continue
        if _is_delegated(group) or (group == mount.folder and own.name in (SERVICE_GROUP, group.name)):
            return group
    # As Docker's "cgroupfs" driver does.
    return mount.folder if is_root else None


def _is_delegated(group: Path) -> bool:
    """Whether systemd delegates the group to its owner: see systemd.resource-control(5), Delegate=."""
    for name in ("trusted.delegate", "user.delegate"):
        with suppress(OSError):
            return os.getxattr(group, name) == b"1"
    return False


def _enable_controllers(base: Path) -> None:
    """Allow the groups below this one to have limits on memory and processes.

    Raises:
        OSError: not allowed.
    """
    control = base / "cgroup.subtree_control"
    for _ in range(_MOVES):
        if set(control.read_text().split()) >= _CONTROLLERS:
            return
        try:
            control.write_text("+memory +pids")
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise
            _move_processes(base, base / SERVICE_GROUP)
    raise OSError(errno.EBUSY, "processes keep arriving in the group", str(base))


def _move_processes(source: Path, target: Path) -> None:
    target.mkdir(exist_ok=True)
    for pid in (source / "cgroup.procs").read_text().split():
        with suppress(ProcessLookupError):
            (target / "cgroup.procs").write_text(pid)


def _version_1_bases(mounts: dict[str, "_Mount"], groups: dict[str, str]) -> tuple[Path, ...]:
    bases = []
    for controller in ("memory", "pids"):
        if controller not in mounts or controller not in groups:
            return ()
        own = mounts[controller].folder_of(groups[controller])
        if own is None or not os.access(own, os.W_OK):
            return ()
        bases.append(own)
    return tuple(bases)


def _removed(folder: Path) -> bool:
    for pid in _processes_in(folder):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    try:
        folder.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def _processes_in(folder: Path) -> list[int]:
    try:
        return [int(pid) for pid in (folder / "cgroup.procs").read_text().split()]
    except OSError:
        return []


@dataclass(frozen=True)
class _Mount:
    """The folder at which a hierarchy is mounted, and the group that is the folder's root."""

    folder: Path
    root: str

    def folder_of(self, group: str) -> Path | None:
        """The group's folder, or None if the mount does not contain it."""
        way = os.path.relpath(group, self.root)
        return None if way.startswith("..") else self.folder / way


def _mounts(file: Path) -> dict[str, _Mount]:
    """The mounted hierarchies: "cgroup2", and version 1 by controller. See proc(5), mountinfo."""
    found: dict[str, _Mount] = {}
    for line in file.read_text().splitlines():
        place, _, kind = line.partition(" - ")
        root, folder = place.split()[3:5]
        filesystem, _, options = kind.split()[:3]
        names = options.split(",") if filesystem == "cgroup" else [filesystem]
        if filesystem in ("cgroup", "cgroup2"):
            found |= dict.fromkeys(names, _Mount(Path(folder), root))
    return found


def _own_groups(file: Path) -> dict[str, str]:
    """This process's groups by controller; "" is version 2's. See cgroups(7)."""
    lines = file.read_text().splitlines()
    return {name: group for _, names, group in (line.split(":", 2) for line in lines) for name in names.split(",")}
