"""Whose box is it? A mark on each container tells orphans from the boxes of living neighbours."""

import os
import socket
from pathlib import Path

_STARTED_FIELD = 21
"""Index of the start time in /proc/PID/stat, counted from 0: see proc(5)."""


def owner_mark(pid: int | None = None) -> str:
    """What names a process of this machine for as long as the machine runs: host, boot, process and its start."""
    number = os.getpid() if pid is None else pid
    return "/".join((socket.gethostname(), _boot(), str(number), str(_started(number))))


def is_gone(mark: str) -> bool:
    """Whether the process of that mark has ended.

    False where it cannot be known: the mark of another host, or none at all. A container that seems to be
    somebody else's is never touched for what we only guess.
    """
    parts = mark.split("/")
    if len(parts) != 4 or parts[:2] != [socket.gethostname(), _boot()] or not parts[2].isdecimal():
        return False
    return parts[3] != str(_started(int(parts[2])))


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return "unknown"


def _started(pid: int) -> int | None:
    """The process's start in clock ticks since boot, None when there is no such process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # The name stands in parentheses and may hold anything, spaces and parentheses too.
    return int(stat.rpartition(")")[2].split()[_STARTED_FIELD - 2])
