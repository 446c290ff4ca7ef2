"""The second system-call filter, which the strategy process puts on itself before user code runs.

The box's own filter is an allow-list that must let the runner fork, stop its child and be started at all.
The strategy process needs none of that any more: this one takes away new processes, other programs,
every way to write or change a file, changes to the process itself, and signals to anybody else. A filter
can only be narrowed further, never taken off.
"""

import ctypes
import errno
import os
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_PR_SET_NO_NEW_PRIVS = 38
_PR_SET_SECCOMP = 22
_SECCOMP_MODE_FILTER = 2

_ALLOW = 0x7FFF0000
_DENY = 0x00050000 | errno.EPERM
_NOT_THERE = 0x00050000 | errno.ENOSYS

# Offsets in struct seccomp_data: number, architecture, then six 64-bit arguments.
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16

_LOAD, _JUMP_EQUAL, _JUMP_GREATER_OR_EQUAL, _JUMP_ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06

_CLONE_THREAD = 0x00010000
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

# System call numbers, (x86_64, aarch64); None where that architecture has no such call.
_TAKEN_AWAY: dict[str, tuple[int | None, int | None]] = {
    "fork": (57, None),
    "vfork": (58, None),
    "execve": (59, 221),
    "execveat": (322, 281),
    "creat": (85, None),
    "openat2": (437, 437),
    "open_by_handle_at": (304, 265),
    "truncate": (76, 45),
    "ftruncate": (77, 46),
    "fallocate": (285, 47),
    "mkdir": (83, None),
    "mkdirat": (258, 34),
    "rmdir": (84, None),
    "unlink": (87, None),
    "unlinkat": (263, 35),
    "rename": (82, None),
    "renameat": (264, 38),
    "renameat2": (316, 276),
    "setpgid": (109, 154),
    "setsid": (112, 157),
    "setrlimit": (160, 164),
    "sched_setaffinity": (203, 122),
    "prctl": (157, 167),
    "seccomp": (317, 277),
    "tkill": (200, 130),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
}
# What the box's own filter refuses already. Said again, because gVisor has kernel surfaces of its own and does
# not apply the filter that Docker hands it.
_REFUSED_TWICE: dict[str, tuple[int | None, int | None]] = {
    "socket": (41, 198),
    "socketpair": (53, 199),
    "connect": (42, 203),
    "bind": (49, 200),
    "listen": (50, 201),
    "accept": (43, 202),
    "accept4": (288, 242),
    "sendto": (44, 206),
    "recvfrom": (45, 207),
    "sendmsg": (46, 211),
    "recvmsg": (47, 212),
    "sendmmsg": (307, 269),
    "recvmmsg": (299, 243),
    "memfd_create": (319, 279),
    "symlink": (88, None),
    "symlinkat": (266, 36),
    "link": (86, None),
    "linkat": (265, 37),
    "mknod": (133, None),
    "mknodat": (259, 33),
    "chmod": (90, None),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "chown": (92, None),
    "fchown": (93, 55),
    "lchown": (94, None),
    "fchownat": (260, 54),
    "utimensat": (280, 88),
    "setxattr": (188, 5),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "unshare": (272, 97),
    "setns": (308, 268),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "shmget": (29, 194),
    "msgget": (68, 186),
    "semget": (64, 190),
    "mq_open": (240, 180),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "inotify_init": (253, None),
    "inotify_init1": (294, 26),
    "fanotify_init": (300, 262),
    "setpriority": (141, 140),
    "setuid": (105, 146),
    "setgid": (106, 144),
    "setgroups": (116, 159),
    "setresuid": (117, 147),
    "setresgid": (119, 149),
    "capset": (126, 91),
    "personality": (135, 92),
    "syslog": (103, 116),
    "name_to_handle_at": (303, 264),
    "kcmp": (312, 272),
    "timer_create": (222, 107),
    "signalfd4": (289, 74),
    "splice": (275, 76),
    "tee": (276, 77),
    "vmsplice": (278, 75),
}
_OPEN, _OPENAT = (2, None), (257, 56)
_CLONE, _CLONE3 = (56, 220), (435, 435)
_KILL, _TGKILL = (62, 129), (234, 131)
_PRLIMIT64 = (302, 261)


@dataclass(frozen=True)
class _Machine:
    """One architecture: its audit number and its column in the tables above."""

    audit: int
    column: int


_MACHINES = {"x86_64": _Machine(0xC000003E, 0), "aarch64": _Machine(0xC00000B7, 1)}
_X32_NUMBERS = 0x40000000
"""Numbers from here on are x86_64's second set of calls, which would pass the rules by another number."""


def take_away_what_user_code_needs_not() -> None:
    """Narrow what this process, and every thread it will ever have, may ask of the kernel.

    Raises:
        OSError: the kernel refused, or the architecture is unknown; user code must not run then.
    """
    program = filter_program(os.uname().machine, os.getpid())
    instructions = ctypes.create_string_buffer(program, len(program))

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))

    libc = ctypes.CDLL(None, use_errno=True)
    wanted = Program(len(program) // 8, ctypes.addressof(instructions))
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "no_new_privs was refused")
    if libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(wanted), 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "the second system-call filter was refused")


def filter_program(machine: str, pid: int) -> bytes:
    """The filter as classic BPF: eight bytes an instruction.

    Args:
        machine: as os.uname() names it.
        pid: the only process that may be signalled.

    Raises:
        OSError: no system call numbers are known for that machine.
    """
    if machine not in _MACHINES:
        raise OSError(errno.ENOTSUP, f"no system call numbers are known for {machine}")
    return b"".join(_instruction(*parts) for parts in _program(_MACHINES[machine], pid))


_Parts = tuple[int, int, int, int]


def _instruction(code: int, if_true: int, if_false: int, value: int) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)


def _program(machine: _Machine, pid: int) -> Iterator[_Parts]:
    yield (_LOAD, 0, 0, _ARCHITECTURE)
    yield (_JUMP_EQUAL, 1, 0, machine.audit)
    yield (_RETURN, 0, 0, _DENY)
    yield (_LOAD, 0, 0, _NUMBER)
    yield (_JUMP_GREATER_OR_EQUAL, 0, 1, _X32_NUMBERS)
    yield (_RETURN, 0, 0, _DENY)
    for numbers in (*_TAKEN_AWAY.values(), *_REFUSED_TWICE.values()):
        yield from _when(numbers[machine.column], [(_RETURN, 0, 0, _DENY)])
    # glibc falls back from clone3, whose flags no filter can see, to clone.
    yield from _when(_CLONE3[machine.column], [(_RETURN, 0, 0, _NOT_THERE)])
    yield from _when(_CLONE[machine.column], _deny_unless_any_bit(0, _CLONE_THREAD))
    yield from _when(_OPEN[machine.column], _deny_if_any_bit(1, _WRITING))
    yield from _when(_OPENAT[machine.column], _deny_if_any_bit(2, _WRITING))
    for numbers in (_KILL, _TGKILL):
        yield from _when(numbers[machine.column], _deny_unless_equal(0, pid))
    # prlimit64 may ask (a null pointer for the new limit), not set.
    yield from _when(_PRLIMIT64[machine.column], _deny_unless_null(2))
    yield (_RETURN, 0, 0, _ALLOW)


def _when(number: int | None, block: Sequence[_Parts]) -> Iterator[_Parts]:
    """Run the block for this system call. It must return on every path."""
    if number is not None:
        yield (_JUMP_EQUAL, 0, len(block), number)
        yield from block


def _argument(index: int, high_half: bool = False) -> _Parts:
    # Little-endian on both machines: the low half comes first.
    return (_LOAD, 0, 0, _ARGUMENTS + 8 * index + (4 if high_half else 0))


def _deny_if_any_bit(index: int, bits: int) -> list[_Parts]:
    return [_argument(index), (_JUMP_ANY_BIT, 0, 1, bits), (_RETURN, 0, 0, _DENY), (_RETURN, 0, 0, _ALLOW)]


def _deny_unless_any_bit(index: int, bits: int) -> list[_Parts]:
    return [_argument(index), (_JUMP_ANY_BIT, 0, 1, bits), (_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _DENY)]


def _deny_unless_equal(index: int, value: int) -> list[_Parts]:
    return [_argument(index), (_JUMP_EQUAL, 0, 1, value), (_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _DENY)]


def _deny_unless_null(index: int) -> list[_Parts]:
    low, high = _argument(index), _argument(index, high_half=True)
    return [
        low,
        (_JUMP_EQUAL, 0, 3, 0),
        high,
        (_JUMP_EQUAL, 0, 1, 0),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _DENY),
    ]
