"""A queued run is prepared once and runs on those prices, in whichever process, on both kinds of database."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from src.models.request import BacktestRequest
from src.services.backtests.datasets import Datasets
from src.services.backtests.prepare import Backtests, RunLimits
from src.services.data_provider.files.provider import FilesProvider
from src.services.runs.leases import Leases
from src.services.runs.notifications import RunNotifications
from src.services.runs.runs import Runs
from src.services.storage.blobs.folder import FolderBlobs
from src.services.storage.records.runs import RunKey, RunRecord, RunStatus
from src.services.storage.sql.opening import open_storage
from src.utils.deadline import Deadline
from tests.databases import database
from tests.fakes.counted_provider import CountedProvider
from tests.fakes.engine_box import engine_script
from tests.fakes.price_files import write_random_prices
from tests.fakes.sandbox import ScriptedSandbox
from tests.services.backtests.answers import strategy

LEASE_SECONDS = 30.0
SYMBOLS = ("SPY", "BND", "QQQ", "^IRX")
N_ASKED = 3
"""Tables and yields of one preparation: the universe, the benchmark, the risk-free rate."""

HALF, DESCRIPTION = strategy("SPY", "BND", timing="CLOSE_TO_NEXT_OPEN")
COMPUTED = HALF.replace('universe = ["SPY", "BND"]', 'universe = [name.upper() for name in ("spy", "bnd")]')


class Process:
    """A service process: its own memory and provider, on a shared database, price folder and blob folder."""

    def __init__(self, storage: Any, folder: Path, script: Callable[[bytes], bytes]) -> None:
        self.provider = CountedProvider(FilesProvider(folder / "prices"))
        self.store = storage.runs
        self.blobs = folder / "blobs"
        blobs = FolderBlobs(self.blobs, 10_000_000, self.store.datasets_in_use)
        self.sandbox = ScriptedSandbox(script)
        datasets = Datasets(self.provider, blobs)
        self.runs = Runs(
            Backtests(datasets=datasets, sandbox=self.sandbox, limits=RunLimits()),
            self.store,
            leases=Leases(self.store, lease_seconds=LEASE_SECONDS),
            notifications=RunNotifications(),
            run_seconds=60,
            max_queued=100,
        )

    def submit(self, source: str = HALF, *, rerun: bool = False, **changes: Any) -> RunKey:
        return self.runs.submit("local", posted(source, **changes), deadline=Deadline.after(60), rerun=rerun).run.key

    def execute_next(self) -> RunRecord:
        lease = self.store.claim(LEASE_SECONDS)
        assert lease is not None, "nothing is queued"
        self.runs.execute(lease, threading.Event())
        run: RunRecord = self.store.get(lease.key)
        return run

    def dataset(self, key: RunKey) -> str:
        name: str = self.store.details(key).dataset
        return name


def posted(source: str = HALF, **changes: Any) -> BacktestRequest:
    window = {"start_date": "2015-01-01", "end_date": "2015-12-31", "benchmark": "QQQ"}
    return BacktestRequest.model_validate({"strategy_code": source, **window, **changes})


Start = Callable[..., Process]


@pytest.fixture(params=["sqlite", "postgresql"])
def start(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Start]:
    """Starts another process on the same database and folders."""
    url = database(request.param, request, tmp_path)
    (tmp_path / "prices").mkdir()
    for symbol in SYMBOLS:
        write_random_prices(tmp_path / "prices", symbol)
    with ExitStack() as stack:

        def started(description: dict[str, Any] | None = None) -> Process:
            storage = open_storage(url)
            stack.callback(storage.close)
            return Process(storage, tmp_path, engine_script(description or DESCRIPTION, [0.5, 0.5]))

        yield started


def change_prices(tmp_path: Path) -> None:
    for symbol in SYMBOLS:
        write_random_prices(tmp_path / "prices", symbol, seed=1)


@pytest.mark.parametrize("source", [HALF, COMPUTED], ids=["declared", "computed"])
def test_the_provider_is_asked_once_for_a_queued_run(start: Start, source: str) -> None:
    process = start()
    process.submit(source)
    run = process.execute_next()
    assert (run.status, process.provider.n_asked) == (RunStatus.SUCCEEDED, N_ASKED)


@pytest.mark.parametrize("source", [HALF, COMPUTED], ids=["declared", "computed"])
def test_another_process_runs_it_on_the_same_prices_without_asking(start: Start, source: str, tmp_path: Path) -> None:
    key = start().submit(source)
    change_prices(tmp_path)
    other = start()
    run = other.execute_next()
    assert (run.key, run.status, other.provider.n_asked) == (key, RunStatus.SUCCEEDED, 0)
    assert len(other.sandbox.boxes) == 1


def test_the_result_is_that_of_a_run_with_a_waiting_client(start: Start, tmp_path: Path) -> None:
    process = start()
    process.submit()
    queued = process.execute_next()
    waited = process.runs.run_now("another", posted(), deadline=Deadline.after(60))
    assert waited.key.run_hash == queued.key.run_hash
    one, other = (process.store.result(run.key) for run in (queued, waited))
    assert (one.daily, one.orders, one.metrics) == (other.daily, other.orders, other.metrics)
    assert process.store.details(waited.key).dataset is None


def test_without_its_dataset_a_run_is_prepared_again(start: Start, tmp_path: Path) -> None:
    key = start().submit()
    other = start()
    (other.blobs / other.dataset(key)).unlink()
    run = other.execute_next()
    assert (run.status, other.provider.n_asked) == (RunStatus.SUCCEEDED, N_ASKED)


@pytest.mark.parametrize("content", [b"", b"damaged", None], ids=["empty", "damaged", "one bit"])
def test_a_damaged_dataset_counts_as_gone(start: Start, tmp_path: Path, content: bytes | None) -> None:
    key = start().submit()
    other = start()
    path = other.blobs / other.dataset(key)
    stored = bytearray(path.read_bytes())
    stored[len(stored) // 2] ^= 1
    path.write_bytes(stored if content is None else content)
    change_prices(tmp_path)
    run = other.execute_next()
    assert (run.status, run.error.code) == (RunStatus.FAILED, "data_changed")
    assert "the prices changed" in run.error.errors[0] or "the benchmark" in run.error.errors[0]


def test_a_rerun_recomputes_on_the_data_of_the_stored_run(start: Start, tmp_path: Path) -> None:
    process = start()
    key = process.submit()
    process.execute_next()
    dataset = process.dataset(key)
    assert process.submit(rerun=True) == key
    change_prices(tmp_path)
    other = start()
    run = other.execute_next()
    assert (run.status, run.recomputed.differences, other.provider.n_asked) == (RunStatus.SUCCEEDED, (), 0)
    assert other.dataset(key) == dataset


def test_a_rerun_posted_after_prices_changed_is_another_run(start: Start, tmp_path: Path) -> None:
    process = start()
    key = process.submit()
    process.execute_next()
    change_prices(tmp_path)
    other = process.submit(rerun=True)
    assert other != key
    assert process.dataset(other) != process.dataset(key)
    assert process.execute_next().status is RunStatus.SUCCEEDED


def test_a_rerun_of_a_run_with_a_waiting_client_stores_its_data(start: Start, tmp_path: Path) -> None:
    process = start()
    key = process.runs.run_now("local", posted(), deadline=Deadline.after(60)).key
    assert process.submit(rerun=True) == key
    change_prices(tmp_path)
    run = start().execute_next()
    assert run.recomputed.differences == ()


def test_a_run_accepted_by_an_earlier_version_is_prepared_when_it_runs(start: Start) -> None:
    process = start()
    process.submit()
    key = process.store.claim(LEASE_SECONDS).key
    details = process.store.details(key)
    backtests = process.runs._backtests
    n_asked = process.provider.n_asked
    early = type(details)(details.request, details.ingredients, details.warnings)
    assert backtests.prepare(posted(), deadline=Deadline.after(60), accepted=early).run_hash == key.run_hash
    fresh = start()
    assert fresh.runs._backtests.prepare(posted(), deadline=Deadline.after(60), accepted=early).run_hash == key.run_hash
    assert (process.provider.n_asked, fresh.provider.n_asked) == (n_asked, N_ASKED)


def test_a_strategy_that_describes_itself_differently_later_fails_with_a_reason(start: Start) -> None:
    start().submit(COMPUTED)
    run = start(DESCRIPTION | {"universe": ["BND", "SPY"]}).execute_next()
    assert (run.status, run.error.code) == (RunStatus.FAILED, "data_changed")
    assert "universe, cadence or warm-up changed" in run.error.errors[0]


def test_datasets_of_queued_runs_stay_while_others_make_room(start: Start) -> None:
    process = start()
    key = process.submit()
    later = count(4_000_000_000, 1_000)
    blobs = FolderBlobs(process.blobs, 200_000, process.store.datasets_in_use, lambda: float(next(later)))
    for number in range(5):
        blobs.put(bytes([number]) * 60_000)
    names = {path.name for path in process.blobs.iterdir()}
    assert process.dataset(key) in names
    other = start()
    assert (other.execute_next().status, other.provider.n_asked) == (RunStatus.SUCCEEDED, 0)


def test_a_blob_folder_that_cannot_be_written_costs_a_second_preparation_only(
    start: Start, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "blobs").touch()
    key = start().submit()
    other = start()
    assert other.store.details(key).dataset is None
    assert (other.execute_next().status, other.provider.n_asked) == (RunStatus.SUCCEEDED, N_ASKED)
    assert "BLOB_DIR" in caplog.text
