"""Measures how soon a run's box is dead after the run is deleted, compared with killing the box by hand; and how soon
a service ends after SIGTERM, with a hanging run and idle.

Two servers share one database. Runs of a strategy that hangs in its first decision are deleted through the server
that executes them, and through the other one, from which it learns at the next heartbeat. The peers are boxes of the
same runs: bubblewrap's is sent SIGKILL, a container `docker kill`. A box is dead when none of its processes is left;
the engine must be on this machine, where its processes can be seen.
"""

import contextlib
import itertools
import json
import os
import signal
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.service import posted_body
from bench.serving import PROJECT, Client, Server, serving
from bench.soak import HOSTILE, descendants, hostile_code
from src.execution.sandbox.docker_sandbox import OWNER_LABEL

SEEDS = itertools.count(1)
LOOK_SECONDS = 0.001
HANG_SECONDS = 120.0
"""Nothing that is waited for here takes that long, unless it never comes."""


@dataclass(frozen=True)
class Box:
    """Where a run hangs.

    Attributes:
        worker: the server that works on the run. other: the one that does not.
        pids: its processes, the one that holds it first.
        container: its id, "" where it is none.
    """

    run_hash: str
    worker: Server
    other: Server
    pids: tuple[int, ...]
    container: str = ""

    def is_dead(self) -> bool:
        """Whether none of its processes is left."""
        return not any(_is_alive(pid) for pid in self.pids)


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def ask(server: Server, method: str, path: str, body: bytes | None = None) -> tuple[int, dict[str, object]]:
    """Status and JSON of one request on a connection of its own."""
    with contextlib.closing(Client(server)) as client:
        answer = client.ask(method, f"/api/v1/{path}", body)
        return answer.status, json.loads(answer.body or b"{}")


def delete(server: Server, run_hash: str) -> None:
    """Cancel the run."""
    ask(server, "DELETE", f"runs/{run_hash}")


def hanging_box(servers: tuple[Server, Server], backend: str) -> Box:
    """The box of a new run that has begun to decide."""
    body = posted_body(strategy_code=hostile_code(HOSTILE["hang"]), seed=next(SEEDS))
    status, run = ask(servers[0], "POST", "runs", body)
    if status != 201:
        raise RuntimeError(f"the run was not accepted: {run}")
    run_hash = str(run["run_hash"])
    _until(lambda: bool(ask(servers[0], "GET", f"runs/{run_hash}")[1]["progress"]))
    for worker, other in (servers, servers[::-1]):
        for holder, container in _held(worker, backend):
            return Box(run_hash, worker, other, (holder, *descendants(holder)), container)
    raise RuntimeError("the run has no box")


def _held(server: Server, backend: str) -> Iterator[tuple[int, str]]:
    """The first process of each box of that server, and the container's id."""
    if backend == "bubblewrap":
        for pid in descendants(server.pid):
            if _is_alive(pid) and Path(f"/proc/{pid}/comm").read_text().strip() == "bwrap":
                yield pid, ""
        return
    form = f'{{{{.ID}}}} {{{{.Label "{OWNER_LABEL}"}}}}'
    for line in _said("docker", "ps", "--format", form).splitlines():
        container, _, owner = line.partition(" ")
        if f"/{server.pid}/" in owner:
            yield int(_said("docker", "inspect", "-f", "{{.State.Pid}}", container)), container


def _said(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def _until(is_true: Callable[[], bool]) -> None:
    until = time.monotonic() + HANG_SECONDS
    while not is_true():
        if time.monotonic() > until:
            raise RuntimeError("it did not happen")
        time.sleep(LOOK_SECONDS)


def _kill(box: Box) -> None:
    if box.container:
        _said("docker", "kill", box.container)
    else:
        os.kill(box.pids[0], signal.SIGKILL)


WAYS: dict[str, Callable[[Box], None]] = {
    "DELETE, to the process that works on it": lambda box: delete(box.worker, box.run_hash),
    "DELETE, to another process": lambda box: delete(box.other, box.run_hash),
    "by hand": _kill,
}


def dying_milliseconds(box: Box, end: Callable[[Box], None]) -> float:
    """How long the box lives after being ended this way."""
    ending = threading.Thread(target=end, args=(box,))
    began = time.perf_counter()
    ending.start()
    _until(box.is_dead)
    spent = (time.perf_counter() - began) * 1e3
    ending.join()
    # Even if the box was killed by hand, its run must no longer be executed.
    delete(box.worker, box.run_hash)
    return spent


@contextlib.contextmanager
def two_servers(backend: str) -> Iterator[tuple[Server, Server]]:
    """On one database, without warm boxes: every box belongs to a run."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        settings = {
            "DATABASE_URL": f"sqlite:///{folder}/runs.db",
            "ARTIFACT_DIR": f"{folder}/artifacts",
            "BLOB_DIR": f"{folder}/blobs",
            "DATA_PROVIDER": "mock",
            "SANDBOX": backend,
            "SANDBOX_PYTHON": str(PROJECT / ".venv-sandbox" / "bin" / "python"),
            "SANDBOX_POOL_SIZE": "0",
        }
        yield stack.enter_context(serving(settings)), stack.enter_context(serving(settings))


def stopping_milliseconds(backend: str, *, hangs: bool) -> float:
    """From SIGTERM to the end of a service.

    Args:
        hangs: whether a run hangs in it.
    """
    with two_servers(backend) as servers:
        ending = hanging_box(servers, backend).worker if hangs else servers[0]
        began = time.perf_counter()
        os.kill(ending.pid, signal.SIGTERM)
        _until(lambda: not _is_alive(ending.pid))
        return (time.perf_counter() - began) * 1e3


def print_kill_table(times: int) -> None:
    """How long boxes outlive their runs, for each kind of box that this machine has."""
    print(f"\nfrom its end to the last process of a run's box: ms, {times} times each in turns")
    print(f"{'':<56}{'p50':>9}{'max':>9}{'times':>9}")
    for backend in ("bubblewrap", "docker"):
        with two_servers(backend) as servers:
            status, told = ask(servers[0], "GET", "health/ready")
            if status != 200:
                print(f"no {backend}: {told['reasons']}")
                continue
            spent: dict[str, list[float]] = {name: [] for name in WAYS}
            for _ in range(times):
                for name, end in WAYS.items():
                    spent[name].append(dying_milliseconds(hanging_box(servers, backend), end))
        _print_lines(backend, spent)
        stops = range(max(1, times // 4))
        hanging = [stopping_milliseconds(backend, hangs=True) for _ in stops]
        idle = [stopping_milliseconds(backend, hangs=False) for _ in stops]
        _print_lines(backend, {"SIGTERM to its end, a run hangs": hanging, "SIGTERM to its end, idle": idle})
    print("times: the median by that of the last line of its kind; by hand is SIGKILL, or `docker kill`")
    print(f"load {os.getloadavg()[0]:.1f}")


def _print_lines(backend: str, spent: Mapping[str, Sequence[float]]) -> None:
    medians = {name: statistics.median(values) for name, values in spent.items()}
    *_, last = medians.values()
    for name, values in spent.items():
        label, ratio = f"{backend}, {name}", medians[name] / last
        print(f"{label:<56}{medians[name]:>9.0f}{max(values):>9.0f}{ratio:>9.1f}", flush=True)
