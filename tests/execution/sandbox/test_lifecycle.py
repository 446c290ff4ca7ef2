"""Boxes end: with their run, with their session, and with the service. Nothing is left behind."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import docker
import pytest

from src.errors import RunCancelled, RunTimedOut, StrategyFailed
from src.execution.sandbox.base import Patience, Sandbox
from src.execution.sandbox.docker_sandbox import LABEL, OWNER_LABEL, DockerSandbox
from src.execution.session import Job, Session
from tests.conftest import PROJECT, open_sandbox
from tests.execution.box_runs import PRELUDE, price_table, rules, run_in_box

HANG = PRELUDE + "class Mine(Base):\n    def on_data(self, data, portfolio):\n        while True: pass\n"
HONEST = PRELUDE + "class Mine(Base): pass\n"


def count_boxes(sandbox: Sandbox) -> int:
    """Boxes of this very sandbox: others may run on the same machine."""
    if isinstance(sandbox, DockerSandbox):
        client = docker.from_env()
        try:
            of_this_service = {"label": f"{LABEL}={sandbox.service_id}"}
            return len(client.containers.list(all=True, filters=of_this_service, ignore_removed=True))
        finally:
            client.close()
    children = Path(f"/proc/self/task/{threading.main_thread().native_id}/children").parent.parent.glob("*/children")
    pids = [pid for child in children for pid in child.read_text().split()]
    return sum(b"bwrap" in Path(f"/proc/{pid}/cmdline").read_bytes() for pid in pids)


def wait_until(is_true: Callable[[], bool], seconds: float = 10.0) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if is_true():
            return True
        time.sleep(0.05)
    return is_true()


def hang(sandbox: Sandbox, patience: Patience) -> None:
    with Session(sandbox, Job(HANG, "Mine", False, {}, 0, 60.0), patience) as session:
        session.describe()
        session.run(price_table(10), rules())


def test_a_finished_run_leaves_nothing(sandbox: Sandbox) -> None:
    run_in_box(sandbox, HONEST)
    assert wait_until(lambda: count_boxes(sandbox) == 0)


def test_a_failed_run_leaves_nothing(sandbox: Sandbox) -> None:
    with pytest.raises(StrategyFailed):
        run_in_box(sandbox, HANG, wall_seconds=0.5)
    assert wait_until(lambda: count_boxes(sandbox) == 0)


def test_a_cancelled_run_ends_within_a_second_and_leaves_nothing(sandbox: Sandbox) -> None:
    cancel = threading.Event()
    threading.Timer(1.5, cancel.set).start()
    with pytest.raises(RunCancelled):
        hang(sandbox, Patience(time.monotonic() + 30, cancel))
    cancelled_at = time.monotonic()
    assert wait_until(lambda: count_boxes(sandbox) == 0)
    assert time.monotonic() - cancelled_at < 1.0


def test_a_run_past_the_requests_deadline_ends_and_leaves_nothing(sandbox: Sandbox) -> None:
    with pytest.raises(RunTimedOut):
        hang(sandbox, Patience(time.monotonic() + 1.5, threading.Event()))
    assert wait_until(lambda: count_boxes(sandbox) == 0)


def test_several_runs_at_once_do_not_meet(sandbox: Sandbox) -> None:
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
    sandbox = open_sandbox(choice)
    ended: list[BaseException] = []

    def run() -> None:
        try:
            hang(sandbox, Patience(time.monotonic() + 60, threading.Event()))
        except BaseException as error:  # noqa: BLE001 - the test looks at what it was
            ended.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    assert wait_until(lambda: count_boxes(sandbox) > 0)
    time.sleep(0.5)
    sandbox.close()
    thread.join(10)
    assert not thread.is_alive()
    assert isinstance(ended[0], StrategyFailed)
    assert wait_until(lambda: count_boxes(sandbox) == 0)


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


SERVICE = """
import sys, threading, time
from src.execution.sandbox.base import Patience
from src.execution.sandbox.warm_pool import WarmPool
from src.execution.session import Job, Session
from tests.conftest import PROJECT, open_sandbox
from tests.execution.box_runs import price_table, rules

pool = WarmPool(open_sandbox("docker"), size=1)
while not pool.n_ready:
    time.sleep(0.05)
patience = Patience(time.monotonic() + 60, threading.Event())
with Session(pool, Job(sys.argv[1], "Mine", False, {}, 0, 60.0), patience) as session:
    session.describe()
    threading.Timer(1.0, lambda: print("running", flush=True)).start()
    session.run(price_table(10), rules())
"""


@pytest.mark.docker
def test_the_boxes_of_a_killed_service_are_removed_and_a_neighbours_are_not() -> None:
    sandbox = open_sandbox("docker")
    assert isinstance(sandbox, DockerSandbox)
    neighbours = sandbox.open()
    killed = subprocess.Popen([sys.executable, "-c", SERVICE, HANG], cwd=PROJECT, stdout=subprocess.PIPE)
    client = docker.from_env()

    def boxes_of_the_killed() -> list[str]:
        found = client.containers.list(all=True, filters={"label": LABEL}, ignore_removed=True)
        return [c.status for c in found if f"/{killed.pid}/" in c.labels[OWNER_LABEL]]

    try:
        with killed.stdout or pytest.fail("no pipe"):
            assert killed.stdout.readline() == b"running\n"
        assert boxes_of_the_killed().count("running") == 2
        killed.kill()
        killed.wait()
        assert sandbox.remove_orphans() >= 2
        assert boxes_of_the_killed() == []
        assert count_boxes(sandbox) == 1
        assert neighbours.read(1, Patience(time.monotonic() + 10, threading.Event())) == b"R"
    finally:
        killed.kill()
        killed.wait()
        neighbours.close()
        sandbox.close()
        client.close()
