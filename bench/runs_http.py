"""Latency over HTTP of the service with stored runs, compared with the minimum possible.

All servers answer in turns, so that other load on this machine slows all of them equally. The floor is
FastAPI with the same bytes in memory (bench/bare.py). Boxes are bubblewrap's, so that each checkout runs its own code
in them.
"""

import contextlib
import gzip
import itertools
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.prices import real_or_generated
from bench.run_stores import OWNER, databases, fill, seal_all, tidy
from bench.service import FIRST, LAST, posted_body, price_folder, strategy_code
from bench.serving import PROJECT, Answer, Client, Server, serving
from src.services.storage.records.runs import RunFilter
from src.services.storage.sql.opening import open_storage

FLOOR = "bare FastAPI"
PAGE = 50
LIST = f"/api/v1/runs?limit={PAGE}"
REST_SECONDS = 0.6
"""Before a fresh run: the next warm box is there by then."""
SEEDS = itertools.count(1)


@dataclass
class Target:
    """A server under test, and the resources to request.

    Attributes:
        etag: of its stored result.
        middle: cursor of the page half way down its list.
    """

    name: str
    server: Server
    client: Client
    run_hash: str = ""
    etag: str = ""
    middle: str = ""

    @property
    def has_database(self) -> bool:
        return self.name != FLOOR

    def post(self, encoding: str = "identity", **changes: object) -> Answer:
        """POST /api/v1/backtest."""
        return self.client.ask("POST", "/api/v1/backtest", posted_body(**changes), {"Accept-Encoding": encoding})

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        """GET; `{hash}` in the path is that of the stored run."""
        return self.client.ask("GET", path.replace("{hash}", self.run_hash), headers=headers)


@dataclass(frozen=True)
class Operation:
    """One line of the table.

    Attributes:
        call: what is timed.
        floor_too: whether the floor can do it.
        status: what they must answer.
        is_fresh: whether it runs a backtest, and so waits for a warm box first and is done less often.
    """

    call: Callable[[Target], Answer]
    floor_too: bool = False
    status: int = 200
    is_fresh: bool = False


@dataclass
class Spent:
    """Milliseconds of the calls of one operation on one server, and the processor time that they took there."""

    milliseconds: list[float] = field(default_factory=list)
    cpu_milliseconds: float = 0.0

    def __str__(self) -> str:
        cpu = self.cpu_milliseconds / len(self.milliseconds)
        return f"{min(self.milliseconds):>10.1f}{self.median:>8.1f}{cpu:>8.1f}"

    @property
    def median(self) -> float:
        return statistics.median(self.milliseconds)


def never_read_before() -> bytes:
    """A request with a source of its own: readings are remembered."""
    return posted_body(strategy_code=f"{strategy_code()}# {next(SEEDS)}\n")


OPERATIONS = {
    "POST, fresh": Operation(lambda target: target.post(seed=next(SEEDS)), is_fresh=True),
    "POST, reused": Operation(lambda target: target.post(), floor_too=True),
    "POST, reused, gzip": Operation(lambda target: target.post("gzip"), floor_too=True),
    "POST, reused, other name": Operation(lambda target: target.post(name="another"), floor_too=True),
    "GET result": Operation(lambda target: target.get("/api/v1/runs/{hash}/result"), floor_too=True),
    "GET result, gzip": Operation(
        lambda target: target.get("/api/v1/runs/{hash}/result", {"Accept-Encoding": "gzip"}), floor_too=True
    ),
    "GET result, not modified": Operation(
        lambda target: target.get("/api/v1/runs/{hash}/result", {"If-None-Match": target.etag}), status=304
    ),
    "GET summary": Operation(lambda target: target.get("/api/v1/runs/{hash}")),
    "POST validate": Operation(
        lambda target: target.client.ask("POST", "/api/v1/validate", never_read_before()), floor_too=True
    ),
    f"page of {PAGE}, the newest": Operation(lambda target: target.get(LIST), floor_too=True),
    f"page of {PAGE}, in the middle": Operation(lambda target: target.get(f"{LIST}&cursor={target.middle}")),
    "page, status=failed": Operation(lambda target: target.get(f"{LIST}&status=failed")),
    "page, symbol=GLD (none)": Operation(lambda target: target.get(f"{LIST}&symbol=GLD")),
    "page, name=absent (none)": Operation(lambda target: target.get(f"{LIST}&name=absent")),
}


def measured(operation: Operation, targets: Sequence[Target], times: int) -> dict[str, Spent]:
    """The durations of the operation on each server that can do it, in turns."""
    asked = [target for target in targets if operation.floor_too or target.has_database]
    table = {target.name: Spent() for target in asked}
    began = {target.name: target.server.cpu_milliseconds() for target in asked}
    for _ in range(max(10, times // 4) if operation.is_fresh else times):
        for target in asked:
            time.sleep(REST_SECONDS if operation.is_fresh else 0.0)
            answer = operation.call(target)
            if answer.status != operation.status:
                raise RuntimeError(f"{target.name} answered {answer.status}: {answer.body[:500]!r}")
            table[target.name].milliseconds.append(answer.milliseconds)
    for target in asked:
        table[target.name].cpu_milliseconds = target.server.cpu_milliseconds() - began[target.name]
    return table


@contextlib.contextmanager
def targets(n_runs: int) -> Iterator[list[Target]]:
    """Every server, with the same runs in its database."""
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(price_folder(real_or_generated(("SPY", "BND"), FIRST, LAST)))
        settings = {
            "DATA_PROVIDER": "files",
            "DATA_DIR": str(folder),
            "SANDBOX": "bubblewrap",
            "SANDBOX_PYTHON": str(PROJECT / ".venv-sandbox" / "bin" / "python"),
            "RUN_RETENTION": "1000000",
        }
        made = []
        for name, url in stack.enter_context(databases()).items():
            middle = _filled(url, n_runs)
            server = stack.enter_context(serving({**settings, "DATABASE_URL": url}))
            made.append(_stored(Target(name, server, _client(stack, server), middle=middle)))
        yield [*made, _floor(stack, made[0])]


def _client(stack: contextlib.ExitStack, server: Server) -> Client:
    return stack.enter_context(contextlib.closing(Client(server)))


def _filled(url: str, n_runs: int) -> str:
    """Fill the database; the cursor half way down its list."""
    with contextlib.closing(open_storage(url)) as storage:
        fill(storage, n_runs)
        seal_all(storage)
        tidy(url)
        page = storage.runs.page(OWNER, RunFilter(), limit=n_runs // 2)
    if page.next_cursor is None:
        raise RuntimeError("the list ends before its middle")
    return page.next_cursor


def _stored(target: Target) -> Target:
    """The server with one run that is requested repeatedly, after some others, when everything is imported."""
    for _ in range(5):
        target.post(seed=next(SEEDS))
        time.sleep(REST_SECONDS)
    target.run_hash = target.post().headers["x-run-hash"]
    if target.post().headers.get("x-run-reused") != "true":
        raise RuntimeError("the same run was computed twice")
    target.etag = target.get("/api/v1/runs/{hash}/result").headers["etag"]
    return target


def _floor(stack: contextlib.ExitStack, peer: Target) -> Target:
    """A bare server with the same answers."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    plain = peer.post().body
    (folder / "answer.json").write_bytes(plain)
    (folder / "answer.json.gz").write_bytes(peer.post("gzip").body)
    (folder / "page.json").write_bytes(peer.get(LIST).body)
    if gzip.decompress((folder / "answer.json.gz").read_bytes()) != plain:
        raise RuntimeError("the compressed answer says something else")
    print(f"the answer: {len(plain):,} bytes, compressed {(folder / 'answer.json.gz').stat().st_size:,}")
    server = stack.enter_context(serving({"BENCH_BARE_FOLDER": str(folder)}, app="bench.bare:app"))
    return Target(FLOOR, server, _client(stack, server), run_hash=peer.run_hash)


def own_milliseconds(target: Target, times: int = 20) -> tuple[float, float]:
    """Least and median of what a fresh run takes outside its own steps: HTTP, line, naming, storing, writing."""
    outside = []
    for _ in range(times):
        time.sleep(REST_SECONDS)
        answer = target.post(seed=next(SEEDS))
        outside.append(answer.milliseconds - json.loads(answer.body)["provenance"]["timings_ms"]["total"])
    return min(outside), statistics.median(outside)


def print_http_table(n_runs: int, times: int) -> None:
    """The duration of each operation on each server."""
    with targets(n_runs) as servers:
        names = [target.name for target in servers]
        print(
            f"over HTTP: {n_runs} stored runs, {times} calls each (fresh runs a quarter); load {os.getloadavg()[0]:.1f}"
        )
        print("ms: least, median, processor time of the server; last: the first median by the last one\n")
        print(f"{'':<28}" + "".join(f"{name:>26}" for name in names))
        for name, operation in OPERATIONS.items():
            print(_line(name, names, measured(operation, servers, times)), flush=True)
        for target in servers:
            if target.name != FLOOR:
                least, median = own_milliseconds(target)
                print(f"a fresh run outside its own steps, {target.name}: {least:.1f} {median:.1f} ms")
        print(f"load {os.getloadavg()[0]:.1f}")


def _line(name: str, names: Sequence[str], table: Mapping[str, Spent]) -> str:
    cells = "".join(f"{table.get(target, '')!s:>26}" for target in names)
    first, *_, last = table
    ratio = f"{table[first].median / table[last].median:>7.1f}" if last == FLOOR else ""
    return f"{name:<28}{cells}{ratio}"
