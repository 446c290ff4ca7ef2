"""Ownership marks: running and ended owners are recognised, and unknown ones are left alone."""

import os
import subprocess
import sys

from src.execution.sandbox.ownership import is_gone, owner_mark


def test_a_living_process_is_not_gone() -> None:
    assert not is_gone(owner_mark())
    assert not is_gone(owner_mark(os.getppid()))


def test_a_process_that_ended_is_gone() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    mark = owner_mark(process.pid)
    assert not is_gone(mark)
    process.communicate(b"\n")
    assert is_gone(mark)


def test_another_process_with_the_same_id_is_not_the_owner() -> None:
    host, boot, pid, started = owner_mark().split("/")
    assert is_gone(f"{host}/{boot}/{pid}/{int(started) - 1}")


def test_a_box_with_an_unknown_owner_is_left_alone() -> None:
    host, boot, pid, _ = owner_mark().split("/")
    for mark in ("", "x", f"other/{boot}/{pid}/1", f"{host}/other/{pid}/1", f"{host}/{boot}/-1/1", f"{host}/{boot}//1"):
        assert not is_gone(mark)
