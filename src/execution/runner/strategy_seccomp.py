"""The second system-call filter, which the strategy process applies to itself before user code runs.

An allow-list of the calls that CPython, NumPy, pandas, SciPy and scikit-learn make while they compute, load a module
or run threads. No call on it delivers a signal later or from elsewhere (no timers, no descriptors that signal),
changes a file, creates memory that no limit counts, or sees another process. The box's own filter must allow more,
because the runner forks and stops its child. gVisor does not apply Docker's filter, so there this is the only one.
A filter can only be narrowed further, never removed.
"""

import ctypes
import errno
import os
import struct
from collections.abc import Iterator, Mapping
from signal import SIGABRT
from typing import NamedTuple

_PR_SET_NO_NEW_PRIVS = 38
_PR_SET_SECCOMP = 22
_SECCOMP_MODE_FILTER = 2

_ALLOW = 0x7FFF0000
_REFUSE = 0x00050000
"""To be combined with an error number."""

# Offsets in struct seccomp_data: number, architecture, then six 64-bit arguments.
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16

_LOAD, _JUMP_EQUAL, _JUMP_GREATER_OR_EQUAL, _JUMP_ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06

_NOT_READING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_ASYNC
# MAP_SHARED, which MAP_SHARED_VALIDATE holds too, MAP_GROWSDOWN and MAP_HUGETLB: no limit of a process counts them.
_UNCOUNTED_MAPPINGS = 0x01 | 0x100 | 0x40000
_MOST_MAPPED_BYTES = 1 << 30
# The flags of pthread_create: a thread, not a process, and no namespace.
_PTHREAD_FLAGS = 0x3D0F00
_FCNTL_COMMANDS = (1, 2, 3, 1030)  # F_GETFD, F_SETFD, F_GETFL, F_DUPFD_CLOEXEC
_IOCTL_REQUESTS = (0x5401, 0x5451)  # TCGETS behind isatty, FIOCLEX behind set_inheritable
_MADVICE = (3, 4, 8, 14, 15)  # WILLNEED, DONTNEED, FREE, HUGEPAGE, NOHUGEPAGE
_ARCH_PRCTL_CODES = (0x1021, 0x1022, 0x1023)  # requests for a matrix unit, which OpenBLAS makes on some processors

_FIRST_NEW_NUMBER = 424
"""For calls from this number on, libraries fall back to an older call if the kernel lacks them."""

_X32_NUMBERS = 0x40000000
"""Numbers from this one on are x86_64's second set of calls."""

_Parts = tuple[int, int, int, int]


class OneOf(NamedTuple):
    """The argument, of which the kernel reads 32 bits, is one of these."""

    argument: int
    values: tuple[int, ...]

    def instructions(self) -> Iterator[_Parts]:
        """Go on behind the last instruction where it holds."""
        yield _argument(self.argument)
        for index, value in enumerate(self.values):
            yield (_JUMP_EQUAL, len(self.values) - index, 0, value)
        yield _refusal(errno.EPERM)


class WithoutBits(NamedTuple):
    """None of these low 32 bits is set in the argument."""

    argument: int
    bits: int

    def instructions(self) -> Iterator[_Parts]:
        """Go on behind the last instruction where it holds."""
        yield _argument(self.argument)
        yield (_JUMP_ANY_BIT, 0, 1, self.bits)
        yield _refusal(errno.EPERM)


class AtMost(NamedTuple):
    """The 64-bit argument is no larger; a larger one is refused with that error number."""

    argument: int
    value: int
    error: int

    def instructions(self) -> Iterator[_Parts]:
        """Go on behind the last instruction where it holds."""
        yield _argument(self.argument, high_half=True)
        yield (_JUMP_EQUAL, 1, 0, 0)
        yield _refusal(self.error)
        yield _argument(self.argument)
        yield (_JUMP_GREATER_OR_EQUAL, 0, 1, self.value + 1)
        yield _refusal(self.error)


class Call(NamedTuple):
    """One system call: its numbers, None if an architecture lacks the call, and the conditions on its arguments."""

    x86_64: int | None
    aarch64: int | None
    conditions: tuple[OneOf | WithoutBits | AtMost, ...] = ()


def allowed_calls(pid: int) -> dict[str, Call]:
    """The allowed calls, most frequent first, because the kernel compares in this order.

    Args:
        pid: the process that applies the filter to itself.
    """
    short = AtMost(1, _MOST_MAPPED_BYTES, errno.ENOMEM)
    return {
        # A bar comes in, a decision goes out.
        "read": Call(0, 63),
        "write": Call(1, 64),
        "futex": Call(202, 98),
        "clock_gettime": Call(228, 113),
        # Memory.
        "mmap": Call(9, 222, (short, WithoutBits(3, _UNCOUNTED_MAPPINGS))),
        "munmap": Call(11, 215),
        "brk": Call(12, 214),
        "mremap": Call(25, 216, (AtMost(2, _MOST_MAPPED_BYTES, errno.ENOMEM),)),
        "madvise": Call(28, 233, (OneOf(2, _MADVICE),)),
        "mprotect": Call(10, 226),
        # Modules, time zones and source lines are read when first needed.
        "newfstatat": Call(262, 79),
        "openat": Call(257, 56, (WithoutBits(2, _NOT_READING),)),
        "lseek": Call(8, 62),
        "ioctl": Call(16, 29, (OneOf(1, _IOCTL_REQUESTS),)),
        "close": Call(3, 57),
        "getdents64": Call(217, 61),
        "fstat": Call(5, 80),
        "pread64": Call(17, 67),
        "open": Call(2, None, (WithoutBits(1, _NOT_READING),)),
        "stat": Call(4, None),
        "lstat": Call(6, None),
        "statx": Call(332, 291),
        "access": Call(21, None),
        "faccessat": Call(269, 48),
        "faccessat2": Call(439, 439),
        "readlink": Call(89, None),
        "readlinkat": Call(267, 78),
        "getcwd": Call(79, 17),
        "fcntl": Call(72, 25, (OneOf(1, _FCNTL_COMMANDS),)),
        "readv": Call(19, 65),
        "writev": Call(20, 66),
        # Threads.
        "clone": Call(56, 220, (OneOf(0, (_PTHREAD_FLAGS,)),)),
        "set_robust_list": Call(273, 99),
        "rseq": Call(334, 293),
        "exit": Call(60, 93),
        "gettid": Call(186, 178),
        "sched_yield": Call(24, 124),
        "sched_getaffinity": Call(204, 123),
        "getcpu": Call(309, 168),
        # Handlers may be set, signals may not be sent, except by abort().
        "rt_sigprocmask": Call(14, 135),
        "rt_sigaction": Call(13, 134),
        "rt_sigreturn": Call(15, 139),
        "sigaltstack": Call(131, 132),
        "tgkill": Call(234, 131, (OneOf(0, (pid,)), OneOf(2, (SIGABRT,)))),
        "exit_group": Call(231, 94),
        # Time. A sleep that a stop interrupted goes on with restart_syscall.
        "clock_nanosleep": Call(230, 115),
        "nanosleep": Call(35, 101),
        "restart_syscall": Call(219, 128),
        "gettimeofday": Call(96, 169),
        "time": Call(201, None),
        "clock_getres": Call(229, 114),
        "times": Call(100, 153),
        "getrusage": Call(98, 165),
        # Questions about itself and the machine.
        "getrandom": Call(318, 278),
        "getpid": Call(39, 172),
        "getppid": Call(110, 173),
        "getuid": Call(102, 174),
        "geteuid": Call(107, 175),
        "getgid": Call(104, 176),
        "getegid": Call(108, 177),
        "uname": Call(63, 160),
        "sysinfo": Call(99, 179),
        "getrlimit": Call(97, 163),
        "prlimit64": Call(302, 261, (AtMost(2, 0, errno.EPERM),)),  # no new limit, so it only asks
        "arch_prctl": Call(158, None, (OneOf(0, _ARCH_PRCTL_CODES),)),
    }


_AUDIT_NUMBERS: Mapping[str, int] = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}


def own_filter() -> bytes:
    """The filter for this process.

    Raises:
        OSError: the architecture is unknown; user code must not run then.
    """
    return filter_program(os.uname().machine, os.getpid())


def allow_only_what_user_code_needs(program: bytes) -> None:
    """Restrict the system calls of this process and all its future threads.

    Args:
        program: from `own_filter`.

    Raises:
        OSError: the kernel refused; user code must not run then.
    """
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
    """The filter as classic BPF, eight bytes per instruction.

    Args:
        machine: the name in os.uname().
        pid: the only process that may be signalled, and only by abort().

    Raises:
        OSError: no system call numbers are known for that machine.
    """
    if machine not in _AUDIT_NUMBERS:
        raise OSError(errno.ENOTSUP, f"no system call numbers are known for {machine}")
    return b"".join(struct.pack("=HBBI", *parts) for parts in _program(machine, pid))


def _program(machine: str, pid: int) -> Iterator[_Parts]:
    yield (_LOAD, 0, 0, _ARCHITECTURE)
    yield (_JUMP_EQUAL, 1, 0, _AUDIT_NUMBERS[machine])
    yield _refusal(errno.EPERM)
    yield (_LOAD, 0, 0, _NUMBER)
    for call in allowed_calls(pid).values():
        number = getattr(call, machine)
        if number is not None:
            block = [
                *(part for condition in call.conditions for part in condition.instructions()),
                (_RETURN, 0, 0, _ALLOW),
            ]
            yield (_JUMP_EQUAL, 0, len(block), number)
            yield from block
    yield (_JUMP_GREATER_OR_EQUAL, 2, 0, _X32_NUMBERS)
    yield (_JUMP_GREATER_OR_EQUAL, 0, 1, _FIRST_NEW_NUMBER)
    yield _refusal(errno.ENOSYS)
    yield _refusal(errno.EPERM)


def _refusal(error: int) -> _Parts:
    return (_RETURN, 0, 0, _REFUSE | error)


def _argument(index: int, high_half: bool = False) -> _Parts:
    # Little-endian on both machines: the low half comes first.
    return (_LOAD, 0, 0, _ARGUMENTS + 8 * index + (4 if high_half else 0))
