"""The second filter's numbers and jumps, checked against the kernel's own headers and by running it as a machine."""

import re
import struct
from pathlib import Path

import pytest

from src.execution.runner import second_filter

PID = 77
ALLOWED, DENIED, NOT_THERE = 0x7FFF0000, 0x00050001, 0x00050026
AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}


def verdict(machine: str, number: int, *arguments: int, audit: int | None = None) -> int:
    """What the kernel would answer: the program interpreted as classic BPF over one system call."""
    program = second_filter.filter_program(machine, PID)
    code = list(struct.iter_unpack("=HBBI", program))
    data = struct.pack("<iIQ6Q", number, audit or AUDIT[machine], 0, *(*arguments, *[0] * (6 - len(arguments))))
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


def column(machine: str) -> int:
    return ["x86_64", "aarch64"].index(machine)


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_numbers_are_the_kernels_own(machine: str) -> None:
    if not HEADERS[machine].is_file():
        pytest.skip(f"the kernel's headers are not installed: {HEADERS[machine].name}")
    text = HEADERS[machine].read_text()
    known = {name: int(number) for name, number in re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", text)}
    table = (
        second_filter._TAKEN_AWAY
        | second_filter._REFUSED_TWICE
        | {
            "open": second_filter._OPEN,
            "openat": second_filter._OPENAT,
            "clone": second_filter._CLONE,
            "clone3": second_filter._CLONE3,
            "kill": second_filter._KILL,
            "tgkill": second_filter._TGKILL,
            "prlimit64": second_filter._PRLIMIT64,
        }
    )
    assert {name: numbers[column(machine)] for name, numbers in table.items()} == {
        name: known.get(name) for name in table
    }


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_what_is_taken_away_is_denied_and_the_rest_is_not(machine: str) -> None:
    index = column(machine)
    for numbers in (*second_filter._TAKEN_AWAY.values(), *second_filter._REFUSED_TWICE.values()):
        if numbers[index] is not None:
            assert verdict(machine, numbers[index]) == DENIED
    read, write = [(0, 1), (63, 64)][index]
    assert verdict(machine, read) == verdict(machine, write) == ALLOWED


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_arguments_decide_where_they_should(machine: str) -> None:
    index = column(machine)
    openat, clone, clone3 = (n[index] for n in (second_filter._OPENAT, second_filter._CLONE, second_filter._CLONE3))
    assert verdict(machine, openat, 0, 0, 0) == ALLOWED
    for writing in (0o1, 0o2, 0o100, 0o1000, 0o2000, 0o101):
        assert verdict(machine, openat, 0, 0, writing) == DENIED
    assert verdict(machine, clone, 0x10000 | 17) == ALLOWED
    assert verdict(machine, clone, 17) == DENIED
    assert verdict(machine, clone3) == NOT_THERE
    for numbers in (second_filter._KILL, second_filter._TGKILL):
        assert verdict(machine, numbers[index], PID, 9) == ALLOWED
        for other in (1, 0, 0xFFFFFFFF, PID + 1):
            assert verdict(machine, numbers[index], other, 9) == DENIED
    prlimit = second_filter._PRLIMIT64[index]
    assert verdict(machine, prlimit, 0, 7, 0, 1234) == ALLOWED
    assert verdict(machine, prlimit, 0, 7, 1234, 0) == DENIED
    assert verdict(machine, prlimit, 0, 7, 1 << 40, 0) == DENIED


def test_other_ways_into_the_kernel_are_denied() -> None:
    assert verdict("x86_64", 0, audit=0x40000003) == DENIED  # 32-bit calls
    assert verdict("x86_64", 0x40000000) == DENIED  # x32 calls
    assert verdict("aarch64", 63, audit=AUDIT["x86_64"]) == DENIED


def test_an_unknown_machine_runs_no_user_code() -> None:
    with pytest.raises(OSError, match="riscv64"):
        second_filter.filter_program("riscv64", PID)
