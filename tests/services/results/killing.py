"""Seals runs in processes that are killed with SIGKILL at their n-th disk operation, for each n.

Prints one JSON line per process: whether it was killed, what `verify` finds afterwards and what would be served.
"""

import io
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from src.cli.verify import verify_chains
from src.services.results.artifacts import Artifacts
from src.services.results.chain.folders import link_folder
from src.services.results.chain.manifest import FILE_NAMES, MANIFEST_NAME
from src.services.storage.records.runs import RunKey
from src.services.storage.sql.opening import open_storage
from tests.services.results.samples import run_key, succeeded

WATCHED = ("open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.scandir")


def act_and_die(act: Callable[[Artifacts, RunKey], object], root: Path, url: str, number: int) -> bool:
    """Act on the run in a process that dies after `number` steps; returns whether it was killed before it finished."""
    child = os.fork()
    if child == 0:
        steps = iter(range(number))

        def die_at_step(event: str, details: tuple) -> None:
            if event in WATCHED and str(root) in str(details[0]) and next(steps, None) is None:
                os.kill(os.getpid(), signal.SIGKILL)

        storage = open_storage(url)
        sys.addaudithook(die_at_step)
        act(Artifacts(root, storage), run_key(number))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def report(root: Path, url: str, was_killed: bool, number: int) -> None:
    storage = open_storage(url)
    out = io.StringIO()
    status = verify_chains(root, storage.chain, (), out)
    link = storage.chain.link(run_key(number))
    served = link is not None and all(
        (link_folder(root, link) / name).is_file() for name in (MANIFEST_NAME, *FILE_NAMES)
    )
    half = link is not None and not served
    print(json.dumps({"was_killed": was_killed, "status": status, "half": half, "said": out.getvalue()}), flush=True)
    storage.close()


def prepare(url: str, number: int) -> None:
    storage = open_storage(url)
    succeeded(storage, number)
    storage.close()


def kill_seals(root: Path, url: str) -> int:
    """Give every run a process that dies one step later than the previous one; returns the number of runs."""
    for number in range(1, 200):
        prepare(url, number)
        was_killed = act_and_die(Artifacts.seal, root, url, number)
        report(root, url, was_killed, number)
        if not was_killed:
            return number
    raise AssertionError("no process ever finished")


def kill_removals(root: Path, url: str, n_runs: int) -> None:
    storage = open_storage(url)
    for key in storage.runs.unsealed():
        Artifacts(root, storage).seal(key)
    storage.close()
    for number in range(1, n_runs + 1):
        was_killed = act_and_die(Artifacts.remove, root, url, number)
        report(root, url, was_killed, number)
        if not was_killed:
            return


if __name__ == "__main__":
    folder, database = Path(sys.argv[1]), sys.argv[2]
    kill_removals(folder, database, kill_seals(folder, database))
