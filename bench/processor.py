"""Which processes spend processor time on a run, from /proc: children count once their parent has collected them."""

import os
from collections import Counter
from pathlib import Path

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
OWN, COLLECTED = slice(11, 13), slice(13, 15)
"""The fields of /proc/<pid>/stat after the name: user and system time of a process, and of its children that ended."""

INIT = 1
ENGINE = ("dockerd", "containerd")
CONTAINERS = ("/sys/fs/cgroup/cpuacct/docker/cpuacct.usage", "/sys/fs/cgroup/docker/cpu.stat")
"""The usage of all containers, dead ones included: version 1 in nanoseconds, version 2 in microseconds."""


def milliseconds(service: int, backend: str) -> dict[str, float]:
    """Processor time so far by part, in ms. Between two calls nothing else may run on the machine.

    Process 1 collects what outlives its parent: shims, which collected runc and the container, and boxes whose bwrap
    was killed.

    Args:
        service: process id of the service.
        backend: docker or bubblewrap.
    """
    spent = Counter({"service": _time(service, OWN)})
    for stat in Path("/proc").glob("[0-9]*/stat"):
        pid, name, parent = _identity(stat)
        if name in ENGINE:
            spent[name] += _time(pid, OWN) + _time(pid, COLLECTED)
        elif parent == service and b"reading_process" in _command(pid):
            spent["reading helpers"] += _time(pid, OWN)
    if backend == "docker":
        spent["boxes"] = _containers()
        spent["shims and runc"] = _time(INIT, COLLECTED) - spent["boxes"]
    else:
        spent["boxes"] = _time(service, COLLECTED) + _time(INIT, COLLECTED)
    return dict(spent)


def _identity(stat: Path) -> tuple[int, str, int]:
    try:
        head, tail = stat.read_text().rsplit(")", 1)
    except OSError:  # it has just ended
        return 0, "", 0
    pid, name = head.split(" (", 1)
    return int(pid), name, int(tail.split()[1])


def _time(pid: int, which: slice) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[which])) * 1000 / TICKS_A_SECOND


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _containers() -> float:
    version_1, version_2 = map(Path, CONTAINERS)
    if version_1.exists():
        return int(version_1.read_text()) / 1e6
    if version_2.exists():
        return int(version_2.read_text().split()[1]) / 1e3
    return 0.0
