"""The second filter's numbers and jumps, checked against the kernel's headers and in a BPF interpreter."""

import re
import struct
from pathlib import Path

import pytest

from src.execution.runner import strategy_seccomp

PID = 77
ALLOWED, DENIED, NOT_THERE, NO_MEMORY = 0x7FFF0000, 0x00050001, 0x00050026, 0x0005000C
AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}


def verdict(machine: str, number: int, *arguments: int, audit: int | None = None) -> int:
    """The kernel's verdict: the program interpreted as classic BPF for one system call."""
    program = strategy_seccomp.filter_program(machine, PID)
    code = list(struct.iter_unpack("=HBBI", program))
    data = struct.pack("<IIQ6Q", number, audit or AUDIT[machine], 0, *(*arguments, *[0] * (6 - len(arguments))))
    accumulator, position = 0, 0
    while True:
        operation, if_true, if_false, value = code[position]
        position += 1
        match operation:
            case 0x20:
                (accumulator,) = struct.unpack_from("<I", data, value)
            case 0x15:
                position += if_true if accumulator == value else if_false
            case 0x35:
                position += if_true if accumulator >= value else if_false
            case 0x45:
                position += if_true if accumulator & value else if_false
            case 0x06:
                return value


MACHINES = ["x86_64", "aarch64"]
CALLS = strategy_seccomp.allowed_calls(PID)
PTHREAD = 0x3D0F00


def known_numbers(machine: str) -> dict[str, int]:
    if not HEADERS[machine].is_file():
        pytest.skip(f"the kernel's headers are not installed: {HEADERS[machine].name}")
    text = HEADERS[machine].read_text()
    known = {name: int(number) for name, number in re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", text)}
    # The generic header has this number under the older call's name.
    return known if machine == "x86_64" else known | {"newfstatat": known["fstatat"]}


def on(machine: str, name: str, *arguments: int) -> int:
    number = getattr(CALLS[name], machine)
    return verdict(machine, number, *arguments)


@pytest.mark.parametrize("machine", MACHINES)
def test_the_system_call_numbers_match_the_kernels(machine: str) -> None:
    known = known_numbers(machine)
    assert {name: getattr(call, machine) for name, call in CALLS.items()} == {name: known.get(name) for name in CALLS}


@pytest.mark.parametrize("machine", MACHINES)
def test_a_call_that_is_not_on_the_list_is_denied(machine: str) -> None:
    on_the_list = {getattr(call, machine) for call in CALLS.values()}
    for number in set(range(2000)) - on_the_list:
        assert verdict(machine, number) == (DENIED if number < 424 else NOT_THERE), number


@pytest.mark.parametrize("name", [
    *("socket", "connect", "fork", "vfork", "execve", "execveat", "ptrace", "process_vm_readv", "kill", "tkill"),
    *("rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_send_signal", "timerfd_create", "timer_create", "setitimer"),
    *("signalfd4", "eventfd2", "epoll_create1", "pipe2", "mq_notify", "io_uring_setup", "prctl", "seccomp", "bpf"),
    *("shmget", "shmat", "memfd_create", "userfaultfd", "setrlimit", "setpgid", "setsid", "dup3", "splice", "vmsplice"),
    *("truncate", "ftruncate", "fallocate", "openat2", "open_by_handle_at", "mount", "unshare", "setns", "clone3"),
    *("keyctl", "perf_event_open", "inotify_init1", "fanotify_init", "pkey_mprotect", "process_madvise"),
])  # fmt: skip
@pytest.mark.parametrize("machine", MACHINES)
def test_these_dangerous_calls_are_not_on_the_list(machine: str, name: str) -> None:
    number = known_numbers(machine).get(name)
    if number is not None:
        assert verdict(machine, number) in (DENIED, NOT_THERE)


@pytest.mark.parametrize("machine", MACHINES)
def test_reading_a_bar_and_writing_a_decision_are_compared_first(machine: str) -> None:
    assert list(CALLS)[:2] == ["read", "write"]
    assert on(machine, "read") == on(machine, "write") == on(machine, "futex") == ALLOWED


@pytest.mark.parametrize("machine", MACHINES)
def test_files_are_opened_for_reading_only(machine: str) -> None:
    not_reading = (0o1, 0o2, 0o100, 0o1000, 0o2000, 0o101, 0o20000)
    assert on(machine, "openat", 0, 0, 0o2000000) == ALLOWED
    assert {on(machine, "openat", 0, 0, flags) for flags in not_reading} == {DENIED}
    if machine == "x86_64":
        assert on(machine, "open", 0, 0o2000000) == ALLOWED
        assert {on(machine, "open", 0, flags) for flags in not_reading} == {DENIED}


@pytest.mark.parametrize("machine", MACHINES)
def test_only_a_thread_can_be_created(machine: str) -> None:
    assert on(machine, "clone", PTHREAD) == ALLOWED
    # A process, a process that shares memory, a thread in a new namespace, a traced thread.
    for flags in (17, 0x4111, PTHREAD | 0x10000000, PTHREAD | 0x2000, PTHREAD & ~0x10000, 0):
        assert on(machine, "clone", flags) == DENIED


@pytest.mark.parametrize("machine", MACHINES)
def test_the_only_signal_allowed_is_its_own_abort(machine: str) -> None:
    assert on(machine, "tgkill", PID, PID, 6) == ALLOWED
    for process, number in ((1, 6), (0, 6), (0xFFFFFFFF, 6), (PID + 1, 6), (PID, 18), (PID, 19), (PID, 9), (PID, 0)):
        assert on(machine, "tgkill", process, PID, number) == DENIED


@pytest.mark.parametrize("machine", MACHINES)
def test_no_descriptor_can_be_made_to_send_signals(machine: str) -> None:
    for command in (1, 2, 3, 1030):
        assert on(machine, "fcntl", 1, command) == ALLOWED
    # F_DUPFD, F_SETFL, locks, F_SETOWN, F_SETSIG, F_SETOWN_EX, F_SETLEASE, F_NOTIFY, F_SETPIPE_SZ, F_ADD_SEALS …
    for command in (0, 4, 5, 6, 7, 8, 9, 10, 11, 15, 16, 36, 37, 38, 1024, 1025, 1026, 1031, 1033, 1036):
        assert on(machine, "fcntl", 1, command) == DENIED
    assert on(machine, "ioctl", 1, 0x5401) == on(machine, "ioctl", 1, 0x5451) == ALLOWED
    # FIOASYNC, FIONBIO, FIOSETOWN, SIOCSPGRP, TIOCSTI, TIOCSCTTY
    for request in (0x5452, 0x5421, 0x8901, 0x8902, 0x5412, 0x540E):
        assert on(machine, "ioctl", 1, request) == DENIED


@pytest.mark.parametrize("machine", MACHINES)
def test_memory_must_be_private_and_requested_in_bounded_pieces(machine: str) -> None:
    gigabyte = 1 << 30
    assert on(machine, "mmap", 0, gigabyte, 3, 0x22) == ALLOWED
    assert on(machine, "mmap", 0, 4096, 1, 0x02) == ALLOWED
    # Shared, shared and anonymous, shared with a check of its flags, growing downwards, in huge pages.
    for uncounted in (0x01, 0x21, 0x03, 0x23, 0x122, 0x40022):
        assert on(machine, "mmap", 0, 4096, 3, uncounted) == DENIED
    for length in (gigabyte + 1, 1 << 32, 1 << 46, (1 << 64) - 1):
        assert on(machine, "mmap", 0, length, 3, 0x22) == NO_MEMORY
        assert on(machine, "mremap", 0, 4096, length, 1) == NO_MEMORY
    assert on(machine, "mremap", 0, 4096, gigabyte, 1) == ALLOWED
    assert on(machine, "madvise", 0, 4096, 4) == ALLOWED
    assert on(machine, "madvise", 0, 4096, 9) == on(machine, "madvise", 0, 4096, 12) == DENIED  # REMOVE, MERGEABLE


@pytest.mark.parametrize("machine", MACHINES)
def test_limits_can_be_read_but_not_set(machine: str) -> None:
    assert on(machine, "prlimit64", 0, 7, 0, 1234) == ALLOWED
    assert on(machine, "prlimit64", 0, 7, 1234, 0) == on(machine, "prlimit64", 0, 7, 1 << 40, 0) == DENIED


def test_arch_prctl_may_only_request_the_matrix_unit() -> None:
    assert on("x86_64", "arch_prctl", 0x1023, 18) == ALLOWED
    assert on("x86_64", "arch_prctl", 0x1002) == on("x86_64", "arch_prctl", 0x1012) == DENIED


def test_other_ways_into_the_kernel_are_denied() -> None:
    assert verdict("x86_64", 0, audit=0x40000003) == DENIED  # 32-bit calls
    assert verdict("x86_64", 0x40000000) == DENIED  # x32 calls
    assert verdict("x86_64", 0xFFFFFFFF & -1) == DENIED
    assert verdict("aarch64", 63, audit=AUDIT["x86_64"]) == DENIED


def test_an_unknown_machine_runs_no_user_code() -> None:
    with pytest.raises(OSError, match="riscv64"):
        strategy_seccomp.filter_program("riscv64", PID)
