"""A long day in a few minutes: many runs, a tenth of them hostile, after which nothing may be left over or have grown.

    python -m bench.soak [--runs 1000] [--backend docker|bubblewrap]

Exits with 1 when an honest run's result differs, or when the service has more boxes, processes, descriptors or
temporary files than before, a fifth more memory or half as many threads again.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

from bench.prices import real_or_generated
from bench.service import FIRST, LAST, post, serving_prices, strategy_code

HOSTILE = {
    "hang": "while True: pass",
    "memory": "self.x = [[0] * 10_000_000 for _ in range(1000)]",
    "output": "while True: print('x' * 10_000)",
    "exception": "raise ValueError('no')",
    "nonsense": "return 42",
    "threads": "self.t = [__import__('os')]",
    "deep": "return (lambda f: f(f))(lambda f: f(f))",
}
WARM_UP_RUNS = 150
ROOM = {"memory_mb": 1.2, "threads": 1.5, "descriptors": 1.5}
"""How much larger than before something may be. Pools of a fixed size, of threads and of database connections, grow to
it when chance first wants it; a thread or a descriptor that a run leaves behind would be one of hundreds."""
CLIENTS = 4


@dataclass(frozen=True)
class Footprint:
    """The resources of the service's process, and its containers if the backend is Docker."""

    containers: int
    processes: int
    descriptors: int
    threads: int
    temporary_files: int
    memory_mb: int

    @classmethod
    def of(cls, pid: int, folder: Path) -> "Footprint":
        """Of the process with that number, whose temporary files lie in that folder."""
        status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
        return cls(
            containers=len(_containers(pid)),
            processes=len(descendants(pid)),
            descriptors=len(list(Path(f"/proc/{pid}/fd").iterdir())),
            threads=int(status["Threads"]),
            temporary_files=sum(1 for _ in folder.rglob("*")),
            memory_mb=int(status["VmRSS"].split()[0]) // 1024,
        )


def descendants(pid: int) -> list[int]:
    """All descendants of that process."""
    found, queue = [], [pid]
    while queue:
        for children in Path(f"/proc/{queue.pop()}/task").glob("*/children"):
            pids = [int(child) for child in children.read_text().split()]
            queue += pids
            found += pids
    return found


def hostile_code(body: str) -> str:
    """The trend strategy with another on_data."""
    code = strategy_code()
    return code[: code.index("        close = data.close")] + f"        {body}\n"


def attempt(address: str, number: int) -> tuple[str, object]:
    """One run: its kind and result."""
    if number % 10:
        # Another seed each time, which this strategy does not ask for: another run with the same result.
        answer = post(address)
        return "honest", (answer["equity_stats"], answer["metrics"])
    name = list(HOSTILE)[number // 10 % len(HOSTILE)]
    try:
        post(address, strategy_code=hostile_code(HOSTILE[name]))
    except urllib.error.HTTPError as error:
        return name, error.code
    return name, 200


def run_all(address: str, runs: int) -> tuple[Counter[tuple[str, object]], Counter[str]]:
    """All runs by a few clients; outcomes of the hostile ones, and results of the honest ones."""
    outcomes: Counter[tuple[str, object]] = Counter()
    honest: Counter[str] = Counter()
    lock, numbers = threading.Lock(), iter(range(runs))

    def client() -> None:
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            kind, result = attempt(address, number)
            with lock:
                if kind == "honest":
                    honest[json.dumps(result, sort_keys=True)] += 1
                outcomes[kind, "" if kind == "honest" else result] += 1

    threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes, honest


def settled(measure: Callable[[], Footprint]) -> Footprint:
    """The footprint once the pool is full again and idle threads are gone."""
    time.sleep(15)
    return measure()


def complaints(before: Footprint, after: Footprint, honest: Counter[str]) -> list[str]:
    """The problems, as sentences."""
    found = [] if len(honest) == 1 else [f"honest runs gave {len(honest)} different results"]
    for field in fields(Footprint):
        was, now = getattr(before, field.name), getattr(after, field.name)
        allowed = was * ROOM.get(field.name, 1.0)
        if now > allowed:
            found.append(f"{field.name} grew from {was} to {now}")
    return found


def main() -> int:
    """Print the outcome; 1 if there are problems."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--backend", default="docker", choices=("docker", "bubblewrap"))
    arguments = parser.parse_args()
    prices = real_or_generated(("SPY", "BND"), FIRST, LAST)
    os.environ["MAX_EXECUTION_TIME"] = "2"
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TMPDIR"] = folder
        with serving_prices(prices, arguments.backend) as server:
            address, pid = server.address, server.pid
            run_all(address, WARM_UP_RUNS)
            before = settled(lambda: Footprint.of(pid, Path(folder)))
            started = time.monotonic()
            outcomes, honest = run_all(address, arguments.runs)
            spent = time.monotonic() - started
            after = settled(lambda: Footprint.of(pid, Path(folder)))
    print(f"{arguments.runs} runs on {arguments.backend} in {spent:.0f} s")
    for (kind, result), count in sorted(outcomes.items(), key=str):
        print(f"  {count:>5} {kind} {result}")
    print(f"before: {before}\nafter:  {after}")
    wrong = complaints(before, after, honest)
    print("\n".join(wrong) or "nothing is left, nothing has grown, every honest result is the same")
    return 1 if wrong else 0


def _containers(pid: int) -> list[str]:
    """Containers that belong to that process; none where no engine answers."""
    command = ["docker", "ps", "--all", "--format", '{{.Label "hqg-backtester.owner"}}']
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    return [owner for owner in said.stdout.split() if f"/{pid}/" in owner]


if __name__ == "__main__":
    sys.exit(main())
