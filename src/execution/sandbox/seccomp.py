"""The system calls that a box may make, as data, and in the forms that Docker and bubblewrap take.

An allow-list: any other call fails with EPERM. It holds the calls that CPython, NumPy, pandas, SciPy and the
runner's one fork need, and those that runc needs between loading the filter and starting Python.
No sockets, no ptrace, no namespaces, no mounts, no keys, no io_uring, no bpf, no System V or POSIX
message queues, no memfd. Calls that a kernel or processor lacks are skipped there.
"""

import errno
import json
import os
from functools import cache
from typing import Any

_FILES = """
read readv write writev pread64 pwrite64 preadv lseek open openat close close_range dup dup2 dup3 pipe pipe2
stat fstat lstat newfstatat statx statfs fstatfs access faccessat faccessat2 readlink readlinkat getcwd chdir
getdents getdents64 ftruncate fsync fdatasync mkdir mkdirat rmdir unlink unlinkat rename renameat renameat2
poll ppoll select pselect6 epoll_create1 epoll_ctl epoll_wait epoll_pwait eventfd2 umask flock fadvise64
"""
_MEMORY = "munmap mremap mprotect madvise brk msync mincore membarrier"
_SIGNALS = """
rt_sigaction rt_sigprocmask rt_sigreturn rt_sigtimedwait rt_sigsuspend rt_sigpending sigaltstack kill tgkill
setitimer getitimer pause
"""
_PROCESS = """
futex futex_waitv set_robust_list get_robust_list rseq set_tid_address gettid getpid getppid getuid geteuid
getgid getegid getgroups getresuid getresgid getpgrp getpgid setpgid getsid getrlimit setrlimit prlimit64
getrusage times uname sysinfo getcpu sched_getaffinity sched_setaffinity sched_yield sched_getparam
sched_getscheduler getrandom exit exit_group restart_syscall arch_prctl wait4 waitid execve
"""
_CLOCKS = "clock_gettime clock_getres clock_nanosleep nanosleep gettimeofday time"

ALLOWED = tuple(" ".join((_FILES, _MEMORY, _SIGNALS, _PROCESS, _CLOCKS)).split())

# fork, vfork and threads, but no new namespace: the CLONE_NEW* bits must be zero.
_NEW_NAMESPACE_BITS = 0x7E020000

_PRCTL_ALLOWED = {
    1: "PR_SET_PDEATHSIG",
    3: "PR_GET_DUMPABLE",
    4: "PR_SET_DUMPABLE",
    15: "PR_SET_NAME",
    16: "PR_GET_NAME",
    22: "PR_SET_SECCOMP",
    38: "PR_SET_NO_NEW_PRIVS",
}
_FCNTL_ALLOWED = {0: "F_DUPFD", 1: "F_GETFD", 2: "F_SETFD", 3: "F_GETFL", 4: "F_SETFL", 1030: "F_DUPFD_CLOEXEC"}
"""No locks, which use unlimited kernel memory; no larger pipes; no signals from files."""

_MAPPING_BITS = 0x0F | 0x100 | 0x40000
_PRIVATE_MAPPING = 0x02
"""Of MAP_TYPE, MAP_GROWSDOWN and MAP_HUGETLB only MAP_PRIVATE, since no process limit counts the others' memory."""

_IOCTL_ALLOWED = {0x5401: "TCGETS", 0x5421: "FIONBIO", 0x5451: "FIOCLEX", 0x541B: "FIONREAD"}


@cache
def docker_profile() -> str:
    """The allow-list as the JSON text that Docker's `seccomp=` security option takes."""

    def allow(names: tuple[str, ...], *arguments: dict[str, Any]) -> dict[str, Any]:
        return {"names": list(names), "action": "SCMP_ACT_ALLOW", "args": list(arguments)}

    def equals(index: int, value: int) -> dict[str, Any]:
        return {"index": index, "value": value, "op": "SCMP_CMP_EQ"}

    no_namespaces = {
        "index": 0,
        "value": _NEW_NAMESPACE_BITS,
        "valueTwo": 0,
        "op": "SCMP_CMP_MASKED_EQ",
    }
    private_mapping = {
        "index": 3,
        "value": _MAPPING_BITS,
        "valueTwo": _PRIVATE_MAPPING,
        "op": "SCMP_CMP_MASKED_EQ",
    }
    rules = [
        allow(ALLOWED),
        allow(("fork", "vfork")),
        allow(("clone",), no_namespaces),
        # glibc tries clone3 first, whose flags a filter cannot see, and falls back to clone on ENOSYS.
        {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": errno.ENOSYS, "args": []},
        *(allow(("prctl",), equals(0, option)) for option in _PRCTL_ALLOWED),
        *(allow(("ioctl",), equals(1, request)) for request in _IOCTL_ALLOWED),
        *(allow(("fcntl",), equals(1, request)) for request in _FCNTL_ALLOWED),
        allow(("mmap",), private_mapping),
        allow(("seccomp",)),
    ]
    return json.dumps(
        {
            "defaultAction": "SCMP_ACT_ERRNO",
            "defaultErrnoRet": errno.EPERM,
            # No sub-architectures: 32-bit system calls would pass by other numbers.
            "archMap": [
                {"architecture": "SCMP_ARCH_X86_64", "subArchitectures": []},
                {"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": []},
            ],
            "syscalls": rules,
        }
    )


@cache
def bpf_program() -> bytes:
    """The allow-list compiled for this machine's kernel, as bubblewrap's `--seccomp` reads it.

    Raises:
        ImportError, OSError: libseccomp is not installed.
    """
    import pyseccomp  # noqa: PLC0415 - loads libseccomp, which only this backend needs

    program = pyseccomp.SyscallFilter(defaction=pyseccomp.ERRNO(errno.EPERM))

    def add(action: Any, name: str, *arguments: Any) -> None:
        # libseccomp translates every name that exists on this processor.
        number = pyseccomp.resolve_syscall(pyseccomp.system_arch(), name)
        if number >= 0:
            program.add_rule(action, number, *arguments)

    for name in (*ALLOWED, "fork", "vfork", "seccomp"):
        add(pyseccomp.ALLOW, name)
    add(pyseccomp.ALLOW, "clone", pyseccomp.Arg(0, pyseccomp.MASKED_EQ, _NEW_NAMESPACE_BITS, 0))
    add(pyseccomp.ERRNO(errno.ENOSYS), "clone3")
    for option in _PRCTL_ALLOWED:
        add(pyseccomp.ALLOW, "prctl", pyseccomp.Arg(0, pyseccomp.EQ, option))
    for request in _IOCTL_ALLOWED:
        add(pyseccomp.ALLOW, "ioctl", pyseccomp.Arg(1, pyseccomp.EQ, request))
    for request in _FCNTL_ALLOWED:
        add(pyseccomp.ALLOW, "fcntl", pyseccomp.Arg(1, pyseccomp.EQ, request))
    add(pyseccomp.ALLOW, "mmap", pyseccomp.Arg(3, pyseccomp.MASKED_EQ, _MAPPING_BITS, _PRIVATE_MAPPING))
    with os.fdopen(os.memfd_create("seccomp"), "w+b") as file:
        program.export_bpf(file)
        file.seek(0)
        return file.read()
