"""Marks each box with its owner, to distinguish orphans from the boxes of running services."""

import os
import socket
from functools import cache
from pathlib import Path

_STARTED_FIELD = 21
"""Index of the start time in /proc/PID/stat, counted from 0: see proc(5)."""


def owner_mark(pid: int | None = None) -> str:
    """A mark that identifies a process until the machine reboots: host, boot, process ID and start time."""
    number = os.getpid() if pid is None else pid
    return "/".join((socket.gethostname(), _boot(), str(number), str(_started(number))))


def is_gone(mark: str) -> bool:
    """Whether the mark's process has ended.

    False if that cannot be known: the mark is another host's, or missing. A container that may belong to a running
    service is never touched on a guess.
    """
    parts = mark.split("/")
    if len(parts) != 4 or parts[:2] != [socket.gethostname(), _boot()] or not parts[2].isdecimal():
        return False
    return parts[3] != str(_started(int(parts[2])))


@cache
def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return "unknown"


def _started(pid: int) -> int | None:
    """The process's start in clock ticks since boot, or None if it does not exist."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # The name is in parentheses and may itself contain spaces and parentheses.
    return int(stat.rpartition(")")[2].split()[_STARTED_FIELD - 2])
