"""The cost of the stores of runs without HTTP: SQLite and PostgreSQL side by side.

Both wait for the disk, as the service does. A database of 10,000 finished runs of one owner and 1,000 of others,
each with a source of 3 kB and 40 metrics, and a result of 100 kB compressed for every new one. The disk's own part
is shown beside: one `fsync` of a page appended to a file.
"""

import contextlib
import gzip
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine, create_engine, make_url, text

from src.services.storage.base import BuildLink, Storage
from src.services.storage.records.attempts import Lease, Outcome
from src.services.storage.records.chain import Link
from src.services.storage.records.results import StoredResult
from src.services.storage.records.runs import NewRun, Progress, RunError, RunFilter, RunKey, RunPage, RunStatus
from src.services.storage.sql.opening import open_storage
from tests.postgres_server import NoPostgres, postgres_url

OWNER = "local"
LEASE_SECONDS = 60.0
PAGE = 50
CHOICE = random.Random(7)  # noqa: S311 - the same data each time
METRICS = {f"metric_{number}": CHOICE.random() for number in range(40)}
CODE = "\n".join(f"line_{number} = {CHOICE.random()}" for number in range(90))
ANSWER = gzip.compress(CHOICE.randbytes(100_000), 1)
RESULT = StoredResult(b"{}", METRICS, ANSWER, b"", "ab" * 32, 546_000)
SUCCESS = Outcome(RunStatus.SUCCEEDED, RESULT)
SMALL = Outcome(RunStatus.SUCCEEDED, StoredResult(b"{}", METRICS, b"small", b"", "ab" * 32, 9))
PROGRESS = Progress(0.5, "2015-06-30", 10_500.25)


def new_run(number: int, owner: str = OWNER) -> NewRun:
    """A run of typical size."""
    return NewRun(
        key=RunKey(owner, f"{number:064x}"),
        name=f"trend {number % 97}",
        request={"strategy_code": CODE, "start_date": "2010-01-01", "parameters": {"lookback_days": number}},
        ingredients={"start_date": "2010-01-01", "end_date": "2020-12-31", "code": "ef" * 32, "data": "01" * 32},
        symbols=("SPY", "BND") if number % 10 else ("TLT",),
    )


def fill(storage: Storage, n_runs: int) -> None:
    """Finished runs of one owner, and a tenth as many of ten others; every twentieth failed."""
    failed = Outcome(RunStatus.FAILED, error=RunError("strategy_failed", ("ZeroDivisionError",), "line 3", ("x",) * 20))
    for number in range(n_runs + n_runs // 10):
        owner = OWNER if number < n_runs else f"owner {number % 10}"
        lease = storage.runs.submit(new_run(number, owner), lease_seconds=LEASE_SECONDS).lease
        storage.runs.finish(lease, failed if number % 20 == 0 else SMALL)


def seal_all(storage: Storage) -> None:
    """Links for all results, as if their files had been sealed: a server on this database finds nothing left to do."""
    for key in storage.runs.unsealed():
        storage.chain.append(key, _link(key))


def milliseconds(run: Callable[[int], object], times: int) -> tuple[float, float]:
    """Median and 95th percentile of calls one after the other."""
    spent = []
    for number in range(times):
        began = time.perf_counter()
        run(number)
        spent.append((time.perf_counter() - began) * 1e3)
    return statistics.median(spent), statistics.quantiles(spent, n=20)[-1]


class Measurement:
    """Each operation of the stores on a filled database.

    Args:
        times: calls of each.
        n_runs: finished runs of the owner.
    """

    def __init__(self, storage: Storage, times: int, n_runs: int) -> None:
        self._storage, self._times, self._n_runs = storage, times, n_runs
        self._leases: list[Lease] = []

    def rows(self) -> Iterator[tuple[str, float, float]]:
        """Name, median and 95th percentile in milliseconds."""
        for name, run in (*self._writes().items(), *self._reads().items()):
            yield name, *milliseconds(run, self._times)

    def _writes(self) -> dict[str, Callable[[int], object]]:
        runs = self._storage.runs
        return {
            "submit to the queue": lambda n: runs.submit(new_run(10**6 + n), max_queued=10**6),
            "submit a stored run": lambda n: runs.submit(new_run(1 + n % 19)),
            "claim": lambda _: self._leases.append(_there(runs.claim(LEASE_SECONDS))),
            "heartbeat of 3 leases": lambda _: runs.heartbeat(self._leases[:3], LEASE_SECONDS),
            "tell progress": lambda n: runs.tell(self._leases[n], progress=PROGRESS),
            "tell progress and 20 lines": lambda n: runs.tell(self._leases[n], progress=PROGRESS, log_lines=["x"] * 20),
            "finish with 100 kB": lambda n: runs.finish(self._leases[n], SUCCESS),
            "seal": lambda n: self._storage.chain.append(self._leases[n].key, _link(self._leases[n].key)),
            "recover, nothing to do": lambda _: runs.recover(3),
        }

    def _reads(self) -> dict[str, Callable[[int], object]]:
        runs, cursor = self._storage.runs, _cursor(self._storage, self._n_runs // 2)

        def page(wanted: RunFilter, cursor: str | None = None) -> RunPage:
            return runs.page(OWNER, wanted, limit=PAGE, cursor=cursor)

        return {
            "get": lambda n: runs.get(new_run(n).key),
            "result of 100 kB": lambda n: runs.result(new_run(10**6 + n).key),
            "events": lambda n: runs.events(new_run(10**6 + n).key, after=2, limit=100),
            f"page of {PAGE}, the newest": lambda _: page(RunFilter()),
            f"page of {PAGE}, in the middle": lambda _: page(RunFilter(), cursor),
            "page, status=failed": lambda _: page(RunFilter(status=RunStatus.FAILED)),
            "page, status=timed_out (none)": lambda _: page(RunFilter(status=RunStatus.TIMED_OUT)),
            "page, name=TREND 5": lambda _: page(RunFilter(name="TREND 5")),
            "page, name=absent": lambda _: page(RunFilter(name="absent")),
            "page, symbol=TLT": lambda _: page(RunFilter(symbol="TLT")),
            "page, symbol=GLD (none)": lambda _: page(RunFilter(symbol="GLD")),
            "counts": lambda _: runs.counts(),
            "surplus(10,000)": lambda _: runs.surplus(10_000),
            "unsealed, nearly all of them": lambda _: runs.unsealed(),
        }


def _there(lease: Lease | None) -> Lease:
    assert lease is not None
    return lease


def _link(key: RunKey) -> BuildLink:
    def build(number: int, previous_hash: str) -> Link:
        return Link(key.owner, number, key.run_hash, f"{number:064x}", previous_hash, datetime.now(UTC))

    return build


def _cursor(storage: Storage, depth: int) -> str:
    page: RunPage = storage.runs.page(OWNER, RunFilter(), limit=depth)
    assert page.next_cursor is not None
    return page.next_cursor


@contextlib.contextmanager
def databases() -> Iterator[dict[str, str]]:
    """The URLs of an empty database of each kind that this machine has, both on the same disk."""
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        urls = {"SQLite": f"sqlite:///{folder}/runs.db"}
        try:
            urls["PostgreSQL"] = stack.enter_context(postgres_url(is_durable=True))
        except NoPostgres as reason:
            print(f"no PostgreSQL: {reason}\n")
        yield urls


def disk_milliseconds(times: int) -> float:
    """Median of appending a page to a file and waiting for the disk."""
    with tempfile.TemporaryDirectory() as folder, Path(folder, "page").open("wb", buffering=0) as file:

        def append(_: int) -> None:
            file.write(bytes(4096))
            os.fsync(file.fileno())

        return milliseconds(append, times)[0]


def print_store_table(n_runs: int, times: int) -> None:
    """The duration of each operation on a database of that many finished runs."""
    table: dict[str, list[tuple[float, float]]] = {}
    with databases() as urls:
        for url in urls.values():
            with contextlib.closing(open_storage(url)) as storage:
                fill(storage, n_runs)
                tidy(url)
                for name, *spent in Measurement(storage, times, n_runs).rows():
                    table.setdefault(name, []).append((spent[0], spent[1]))
    print(f"the stores: {n_runs} stored runs, {times} calls each; ms, median and 95th percentile")
    print(f"one page written and fsynced: {disk_milliseconds(times):.2f} ms\n")
    print(f"{'':<34}" + "".join(f"{name:>22}" for name in urls))
    for name, measured in table.items():
        print(f"{name:<34}" + "".join(f"{p50:>13.2f}{p95:>9.2f}" for p50, p95 in measured))


def tidy(url: str) -> None:
    """Analyse PostgreSQL's tables, as it would do automatically a minute later."""
    if not url.startswith("postgresql"):
        return
    engine: Engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("VACUUM ANALYZE"))
    engine.dispose()
