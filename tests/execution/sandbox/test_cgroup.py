"""Control groups for boxes: where they are created, their contents, and their removal."""

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from src.execution.sandbox.base import BoxLimits
from src.execution.sandbox.cgroup import PREFIX, BoxCgroups, ways
from src.execution.sandbox.ownership import owner_mark
from tests.conftest import PROJECT, open_sandbox
from tests.execution.box_runs import long_deadline

LIMITS = BoxLimits(memory_bytes=64 * 1024 * 1024, processes=16)


class Machine:
    """A process's view of its hierarchies in /proc/self, all in one folder.

    Args:
        folder: an empty folder.
        version_2: its group in version 2, or None if version 2 is not mounted.
        controllers: the controllers of version 2's root.
        version_1: its group by controller.
    """

    def __init__(
        self,
        folder: Path,
        version_2: str | None,
        controllers: str = "memory pids",
        version_1: dict[str, str] | None = None,
    ) -> None:
        self.proc, self.unified = folder / "proc", folder / "unified"
        mounts, groups = [], []
        if version_2 is not None:
            (self.unified / version_2.lstrip("/")).mkdir(parents=True)
            (self.unified / "cgroup.controllers").write_text(controllers)
            mounts.append(f"30 20 0:26 / {self.unified} rw - cgroup2 cgroup2 rw")
            groups.append(f"0::{version_2}")
        for controller, group in (version_1 or {}).items():
            (folder / controller / group.lstrip("/")).mkdir(parents=True)
            mounts.append(f"31 20 0:27 / {folder / controller} rw shared:9 - cgroup cgroup rw,{controller}")
            groups.append(f"4:{controller}:{group}")
        self.proc.mkdir()
        (self.proc / "mountinfo").write_text("\n".join(mounts))
        (self.proc / "cgroup").write_text("\n".join(groups))

    def delegate(self, group: str) -> None:
        """Mark a group as systemd does with Delegate=yes."""
        folder = self.unified / group.lstrip("/")
        os.setxattr(folder, "user.delegate", b"1")
        (folder / "cgroup.subtree_control").write_text("memory pids")

    def ways(self, *, is_root: bool = False) -> list[tuple[str, tuple[Path, ...]]]:
        """The ways found, each with its folders."""
        return [(way.name, way.bases) for way in ways(self.proc, is_root=is_root)]


def test_a_group_that_systemd_delegated_is_used(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "/user.slice/run-1.scope")
    assert machine.ways() == []
    machine.delegate("/user.slice/run-1.scope")
    (way,) = ways(machine.proc, is_root=False)
    group = way.make(LIMITS)
    (entrance,) = group.entrances
    assert entrance.parent.parent == machine.unified / "user.slice/run-1.scope"
    assert (entrance.parent / "memory.max").read_text() == str(64 * 1024 * 1024)
    assert (entrance.parent / "pids.max").read_text() == "17"


def test_a_service_below_a_delegated_group_uses_that_group(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "/system.slice/hqg.service/hqg-service")
    machine.delegate("/system.slice/hqg.service")
    assert machine.ways() == [("cgroup v2", (machine.unified / "system.slice/hqg.service",))]


def test_an_ordinary_user_leaves_an_undelegated_group_alone(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "/user.slice/session-3.scope")
    assert machine.ways() == []
    assert machine.ways(is_root=True) == [("cgroup v2", (machine.unified,))]


def test_version_1_is_used_if_version_2_has_no_controllers(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "/", "hugetlb", {"memory": "/a", "pids": "/"})
    assert machine.ways(is_root=True) == [("cgroup v1", (tmp_path / "memory" / "a", tmp_path / "pids"))]


def test_a_memory_controller_alone_is_not_enough(tmp_path: Path) -> None:
    assert Machine(tmp_path, None, version_1={"memory": "/a"}).ways(is_root=True) == []


def test_a_machine_without_hierarchies_has_no_way_to_create_groups(tmp_path: Path) -> None:
    assert Machine(tmp_path, None).ways(is_root=True) == []
    assert list(ways(tmp_path / "no such folder", is_root=True)) == []


@pytest.fixture
def groups() -> Iterator[BoxCgroups]:
    """The first way that works on this machine."""
    for way in ways():
        try:
            assert way.make(LIMITS).remove()
        except OSError:
            continue
        yield way
        return
    pytest.skip("no control group can be created here")


def ours(groups: BoxCgroups, pid: int) -> set[str]:
    """The groups of a process's boxes, in every hierarchy."""
    mark = PREFIX + ":".join(owner_mark(pid).split("/"))
    return {folder.name for base in groups.bases for folder in base.glob(f"{mark}:*")}


def test_removing_a_group_kills_every_process_in_it(groups: BoxCgroups) -> None:
    group = groups.make(LIMITS)
    process = subprocess.Popen(["sleep", "1000"])
    for entrance in group.entrances:
        entrance.write_text(str(process.pid))
    assert len(ours(groups, os.getpid())) == 1
    assert group.remove()
    assert process.wait(60) == -9
    assert ours(groups, os.getpid()) == set()
    assert group.remove(), "a second removal is harmless"


def test_a_killed_services_groups_are_removed_and_a_running_ones_stay(groups: BoxCgroups) -> None:
    program = (
        "from src.execution.sandbox.cgroup import ways\nfrom src.execution.sandbox.base import BoxLimits\n"
        "import sys\nfor way in ways():\n    if way.name == sys.argv[1]: way.make(BoxLimits())\n"
        "print(flush=True)\nsys.stdin.read()\n"
    )
    neighbour, killed = (
        subprocess.Popen(
            [sys.executable, "-c", program, groups.name], cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for _ in range(2)
    )
    try:
        for process in (neighbour, killed):
            assert process.stdout.readline() == b"\n"
        left, kept = ours(groups, killed.pid), ours(groups, neighbour.pid)
        assert (len(left), len(kept)) == (1, 1)
        killed.kill()
        killed.wait()
        groups.remove_orphans()
        assert not left & {folder.name for base in groups.bases for folder in base.iterdir()}
        assert ours(groups, neighbour.pid) == kept
    finally:
        for process in (neighbour, killed):
            process.kill()
            process.communicate()
        groups.remove_orphans()


def test_a_group_whose_name_only_resembles_ours_is_left_alone(groups: BoxCgroups) -> None:
    folder = groups.bases[0] / f"{PREFIX}{uuid.uuid4().hex}"
    folder.mkdir()
    try:
        groups.remove_orphans()
        assert folder.is_dir()
    finally:
        folder.rmdir()


@pytest.mark.bubblewrap
def test_each_box_has_a_group_and_leaves_none(groups: BoxCgroups) -> None:
    sandbox = open_sandbox("bubblewrap")
    assert (sandbox.enforcement.memory, sandbox.enforcement.processes) == (groups.name, groups.name)
    boxes = [sandbox.open() for _ in range(2)]
    for box in boxes:
        assert box.read(1, long_deadline()) == b"R"
    assert len(ours(groups, os.getpid())) == 2
    sandbox.close()
    assert ours(groups, os.getpid()) == set()


@pytest.mark.bubblewrap
def test_a_box_that_cannot_be_started_leaves_no_group(groups: BoxCgroups, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox = open_sandbox("bubblewrap")
    monkeypatch.setattr(subprocess, "Popen", None)
    with pytest.raises(TypeError):
        sandbox.open()
    assert ours(groups, os.getpid()) == set()
    sandbox.close()
