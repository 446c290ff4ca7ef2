"""The user IDs that the kernel sees in a bubblewrap box of a service running as root."""

import os
from pathlib import Path

import pytest

from src.execution.sandbox.bubblewrap_sandbox import BubblewrapBox
from src.execution.sandbox.launcher import FIRST_USER_ID
from tests.conftest import open_sandbox
from tests.execution.box_runs import PRELUDE, long_deadline, price_table, run_in_box

pytestmark = pytest.mark.bubblewrap


def status(pid: int) -> dict[str, list[str]]:
    """The fields of /proc/PID/status, each split into words."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: words.split() for name, _, words in (line.partition(":") for line in lines)}


def processes_of(box: object) -> list[int]:
    """The host's IDs of bwrap and all its descendants."""
    assert isinstance(box, BubblewrapBox)
    found = [box.pid]
    for pid in found:
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            found += [int(child) for child in children.read_text().split()]
    return found


@pytest.mark.skipif(os.geteuid() != 0, reason="the service's user, and so the box's, is not root here")
def test_each_box_of_root_runs_as_its_own_ordinary_user() -> None:
    sandbox = open_sandbox("bubblewrap")
    boxes = [sandbox.open() for _ in range(2)]
    users = []
    for box in boxes:
        assert box.read(1, long_deadline()) == b"R"
        processes = [status(pid) for pid in processes_of(box)]
        assert len(processes) >= 3, "bwrap, the runner and the strategy process"
        for process in processes:
            assert len(set(process["Uid"] + process["Gid"])) == 1
            assert process["Groups"] == []
            users.append(int(process["Uid"][0]))
    assert len(set(users)) == len(boxes)
    assert min(users) >= FIRST_USER_ID
    sandbox.close()


HIDDEN = (
    "'/proc/keys', '/proc/key-users', '/proc/timer_list', '/proc/slabinfo', '/proc/kcore', '/proc/kallsyms',"
    " '/proc/vmallocinfo', '/proc/kpagecount', '/proc/kpageflags', '/proc/pagetypeinfo', '/proc/sched_debug',"
    " '/proc/sysrq-trigger'"
)


def test_files_of_proc_that_belong_to_root_or_list_keys_cannot_be_read() -> None:
    sandbox = open_sandbox("bubblewrap")
    source = f"""{PRELUDE}
class Mine(Base):
    def on_data(self, data, portfolio):
        for path in ({HIDDEN}):
            try: print(path, open(path, "rb").read(100))
            except OSError: pass
        return Hold()
"""
    assert run_in_box(sandbox, source, prices=price_table(1)).logs == ()
    sandbox.close()
