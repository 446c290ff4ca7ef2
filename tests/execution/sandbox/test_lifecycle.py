"""Boxes end with their run, their session or the service, and leave nothing behind."""

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import docker
import pytest
from docker.errors import ImageNotFound

from src.errors import RunCancelled, RunTimedOut, StrategyFailed
from src.execution.sandbox.base import BoxClosed, Sandbox
from src.execution.sandbox.bubblewrap_sandbox import BubblewrapBox
from src.execution.sandbox.docker_engine import Engine
from src.execution.sandbox.docker_sandbox import LABEL, OWNER_LABEL, DockerSandbox
from src.execution.sandbox.removal import MAX_WAITING, Removal
from src.execution.session.progress import Observe
from src.execution.session.session import Job, Session
from src.utils.deadline import Deadline
from tests.conftest import PROJECT, open_sandbox
from tests.execution.box_runs import (
    HONEST,
    LONG_SECONDS,
    PRELUDE,
    becomes_true,
    long_deadline,
    price_table,
    rules,
    run_in_box,
)

HANG = PRELUDE + "class Mine(Base):\n    def on_data(self, data, portfolio):\n        while True: pass\n"


def bubblewrap_processes(service: str = "self") -> set[str]:
    """IDs of the boxes that this process, or the one with that ID, has started in any sandbox."""
    found, parents = set[str](), [service]
    for parent in parents:
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            with suppress(OSError):  # a thread or a box that ended between listing and reading
                for pid in children.read_text().split():
                    words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                    if words[0].endswith(b"bwrap"):
                        found.add(pid)
                    elif any(word.endswith(b"launcher.py") for word in words):
                        parents.append(pid)
    return found


@dataclass
class Boxes:
    """The boxes of one sandbox; others may run on the same machine and in this process."""

    sandbox: Sandbox
    strangers: set[str] = field(default_factory=bubblewrap_processes)

    def count(self) -> int:
        if not isinstance(self.sandbox, DockerSandbox):
            return len(bubblewrap_processes() - self.strangers)
        client = docker.from_env()
        try:
            of_this_service = {"label": f"{LABEL}={self.sandbox.service_id}"}
            return len(client.containers.list(all=True, filters=of_this_service, ignore_removed=True))
        finally:
            client.close()

    def are_gone(self) -> bool:
        """Whether they are all gone within LONG_SECONDS."""
        return becomes_true(lambda: self.count() == 0)


@pytest.fixture
def boxes(sandbox: Sandbox) -> Boxes:
    return Boxes(sandbox)


def hang(sandbox: Sandbox, deadline: Deadline, observe: Observe | None = None) -> None:
    with Session(sandbox, Job(HANG, "Mine", False, {}, 0, 2 * LONG_SECONDS), deadline) as session:
        session.describe()
        session.run(price_table(10), rules(), observe)


def test_a_finished_run_leaves_nothing(sandbox: Sandbox, boxes: Boxes) -> None:
    run_in_box(sandbox, HONEST)
    assert boxes.are_gone()


def test_a_failed_run_leaves_nothing(sandbox: Sandbox, boxes: Boxes) -> None:
    with pytest.raises(StrategyFailed):
        run_in_box(sandbox, HANG, wall_seconds=0.5)
    assert boxes.are_gone()


def test_a_cancelled_run_ends_long_before_its_time_limit_and_leaves_nothing(sandbox: Sandbox, boxes: Boxes) -> None:
    deadline = long_deadline()
    with pytest.raises(RunCancelled):
        # After its first output the strategy hangs, and only the cancel ends it before its deadline.
        hang(sandbox, deadline, lambda *_: deadline.cancel.set())
    assert boxes.are_gone()


def test_a_box_that_claims_to_end_and_stays_is_removed(sandbox: Sandbox, boxes: Boxes) -> None:
    box = sandbox.open()
    assert box.read(1, long_deadline()) == b"R"
    box.close(is_ending=True)
    assert boxes.are_gone()


def test_too_many_boxes_that_wait_for_their_removal_hold_up_the_next() -> None:
    removal, may_go_on, added = Removal(), threading.Event(), threading.Semaphore(0)

    def add() -> None:
        for _ in range(MAX_WAITING + 1):
            removal.add(may_go_on.wait)
            added.release()

    thread = threading.Thread(target=add)
    thread.start()
    for _ in range(MAX_WAITING):
        assert added.acquire(timeout=LONG_SECONDS)
    assert thread.is_alive()
    may_go_on.set()
    thread.join(LONG_SECONDS)
    assert added.acquire(blocking=False)
    removal.close()
    removal.add(added.release)
    assert added.acquire(blocking=False), "a box that is closed after its sandbox is removed at once"


def test_a_run_past_the_requests_deadline_ends_and_leaves_nothing(sandbox: Sandbox, boxes: Boxes) -> None:
    with pytest.raises(RunTimedOut):
        hang(sandbox, Deadline.after(1.0))
    assert boxes.are_gone()


def test_concurrent_runs_do_not_affect_each_other(sandbox: Sandbox) -> None:
    results: list[list[float]] = []
    threads = [
        threading.Thread(target=lambda: results.append(run_in_box(sandbox, HONEST).equity.tolist())) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    assert all(result == results[0] for result in results)


@pytest.mark.parametrize(
    "choice",
    [
        pytest.param("docker", marks=pytest.mark.docker),
        pytest.param("bubblewrap", marks=pytest.mark.bubblewrap),
    ],
)
def test_closing_the_sandbox_ends_running_boxes(choice: str) -> None:
    sandbox, runs = open_sandbox(choice), threading.Event()
    boxes = Boxes(sandbox)
    ended: list[BaseException] = []

    def run() -> None:
        try:
            hang(sandbox, long_deadline(), lambda *_: runs.set())
        except BaseException as error:  # noqa: BLE001 - the test looks at what it was
            ended.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    assert runs.wait(LONG_SECONDS)
    assert boxes.count() == 1
    sandbox.close()
    thread.join(LONG_SECONDS)
    assert [type(error) for error in ended] == [StrategyFailed]
    assert boxes.are_gone()


def test_a_reader_never_uses_a_descriptor_that_another_thread_has_closed(sandbox: Sandbox) -> None:
    """The descriptor's number may by then belong to another box or to a file."""
    stands, may_go_on = threading.Event(), threading.Event()

    class Held(Deadline):
        """Pauses before it reads the box, as on an overloaded machine."""

        def poll_seconds(self) -> float:
            stands.set()
            assert may_go_on.wait(LONG_SECONDS)
            return super().poll_seconds()

    box, ended = sandbox.open(), list[BaseException]()
    while box.read(1000, long_deadline())[-1:] != b"}":
        pass  # its first output; it writes no more before it has a job

    def read() -> None:
        try:
            box.read(1, Held.after(LONG_SECONDS))
        except BaseException as error:  # noqa: BLE001 - the test looks at what it was
            ended.append(error)

    reading, closing = threading.Thread(target=read), threading.Thread(target=box.close)
    reading.start()
    assert stands.wait(LONG_SECONDS)
    closing.start()
    closing.join(0.5)  # it waits for the reader, or has finished
    may_go_on.set()
    for thread in (reading, closing):
        thread.join(LONG_SECONDS)
        assert not thread.is_alive()
    assert [type(error) for error in ended] == [BoxClosed]
    with pytest.raises(BoxClosed):
        box.read(1, long_deadline())


@pytest.mark.docker
@pytest.mark.gvisor
@pytest.mark.bubblewrap
def test_all_backends_give_the_same_bytes() -> None:
    source = PRELUDE + "import random\nimport numpy as np\nclass Mine(Base):\n    def on_data(self, data, portfolio):\n"
    source += "        w = random.random() / 2 + np.random.rand() / 2\n        print(w)\n"
    source += "        return TargetWeights({'AAA': w, 'BBB': 1 - w})\n"
    replies = []
    for choice in ("docker", "bubblewrap", "docker+runsc"):
        sandbox = open_sandbox(choice)
        replies += [run_in_box(sandbox, source, seed=3, slippage=0.0005, commission=1.0) for _ in range(2)]
        sandbox.close()
    first = replies[0]
    for reply in replies[1:]:
        assert reply.logs == first.logs
        for name in ("day", "symbol", "shares", "price", "fee", "cash", "equity"):
            assert getattr(reply, name).tobytes() == getattr(first, name).tobytes()


@pytest.mark.docker
def test_boxes_start_after_any_number_of_other_calls_of_the_engine() -> None:
    """docker-py closes the connections of all but the 25 addresses that it called last."""
    engine = Engine()
    for number in range(30):
        with pytest.raises(ImageNotFound):
            engine.client.images.get(f"no-such-image-{number}")
    assert isinstance(engine.call("GET", "/json?limit=1"), list)
    engine.close()


@pytest.mark.bubblewrap
def test_boxes_end_with_their_launcher_and_the_next_box_starts_another() -> None:
    sandbox = open_sandbox("bubblewrap")
    box = sandbox.open()
    assert isinstance(box, BubblewrapBox)
    assert box.read(1, long_deadline()) == b"R"
    launcher = Path(f"/proc/{box.pid}/stat").read_text().rpartition(")")[2].split()[1]
    os.kill(int(launcher), signal.SIGKILL)
    with pytest.raises(BoxClosed):
        while box.read(1000, long_deadline()):
            pass
    box.close()
    assert run_in_box(sandbox, HONEST, prices=price_table(3)).decisions == 3
    sandbox.close()


@pytest.mark.bubblewrap
def test_a_killed_services_bubblewrap_boxes_end_with_it() -> None:
    service = subprocess.Popen([sys.executable, "-c", SERVICE, HANG, "bubblewrap"], cwd=PROJECT, stdout=subprocess.PIPE)
    with service.stdout or pytest.fail("no pipe"):
        assert service.stdout.readline() == b"running\n"
        # The box that hangs in its run, and its replacement in the pool.
        assert becomes_true(lambda: len(bubblewrap_processes(str(service.pid))) == 2)
        boxes = bubblewrap_processes(str(service.pid))
        service.kill()
        service.wait()
    assert becomes_true(lambda: not any(Path(f"/proc/{pid}").exists() for pid in boxes))


SERVICE = """
import sys, time
from src.execution.sandbox.warm_pool import WarmPool
from src.execution.session.session import Job, Session
from tests.conftest import open_sandbox
from tests.execution.box_runs import long_deadline, price_table, rules

pool = WarmPool(open_sandbox(sys.argv[2]), size=1)
while not pool.n_ready:
    time.sleep(0.05)
with Session(pool, Job(sys.argv[1], "Mine", False, {}, 0, 120.0), long_deadline()) as session:
    session.describe()
    session.run(price_table(10), rules(), lambda *_: print("running", flush=True))
"""


@pytest.mark.docker
def test_a_killed_services_boxes_are_removed_and_a_running_ones_stay() -> None:
    sandbox = open_sandbox("docker")
    assert isinstance(sandbox, DockerSandbox)
    boxes, neighbours = Boxes(sandbox), sandbox.open()
    killed = subprocess.Popen([sys.executable, "-c", SERVICE, HANG, "docker"], cwd=PROJECT, stdout=subprocess.PIPE)
    client = docker.from_env()

    def boxes_of_the_killed() -> list[str]:
        found = client.containers.list(all=True, filters={"label": LABEL}, ignore_removed=True)
        return [c.status for c in found if f"/{killed.pid}/" in c.labels[OWNER_LABEL]]

    try:
        with killed.stdout or pytest.fail("no pipe"):
            assert killed.stdout.readline() == b"running\n"
            # The box that hangs in its run, and its replacement in the pool.
            assert becomes_true(lambda: boxes_of_the_killed().count("running") == 2)
            killed.kill()
            killed.wait()
        # A service that starts meanwhile removes them too.
        assert becomes_true(lambda: sandbox.remove_orphans() == 0 and boxes_of_the_killed() == [])
        assert boxes.count() == 1
        assert neighbours.read(1, long_deadline()) == b"R"
    finally:
        killed.kill()
        killed.wait()
        neighbours.close()
        sandbox.close()
        client.close()
