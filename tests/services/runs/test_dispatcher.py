"""The queue fills every free slot, beside waiting clients, despite failures."""

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from src.app.durable_runs import DurableRuns, durable_runs
from src.config.settings import Settings
from src.errors import SandboxUnavailable
from src.models.request import BacktestRequest
from src.services.admission import slots
from src.services.results.errors import ArtifactNotFound, ArtifactsNotReady
from src.services.runs import dispatcher, retention
from src.services.runs.notifications import News, RunNotifications
from src.services.runs.retention import RunRetention
from src.services.storage.errors import QueueFull, StorageUnavailable
from src.services.storage.records.attempts import Lease
from src.services.storage.records.runs import RunFilter, RunKey, RunStatus
from src.utils.deadline import Deadline
from tests.fakes.application import FakeFiles, wait_until
from tests.fakes.backtests import FakeBacktests
from tests.fakes.run_store import FakeRunStore

HANG_SECONDS = 60.0


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even on a slow machine, a stopping service requeues its runs before it ends; old runs are removed at once."""
    monkeypatch.setattr(retention, "RETAIN_SECONDS", 0.0)
    for module in (dispatcher, slots):
        monkeypatch.setattr(module, "STOP_SECONDS", HANG_SECONDS)


@contextlib.asynccontextmanager
async def serving(
    backtests: FakeBacktests, store: FakeRunStore, files: FakeFiles | None = None, **settings: Any
) -> AsyncIterator[DurableRuns]:
    values = Settings(_env_file=None, **settings)
    async with durable_runs(backtests, store, files or FakeFiles(), values) as durable:
        yield durable


def request(seed: int) -> BacktestRequest:
    return BacktestRequest(strategy_code="class S: pass", start_date="2015-01-01", end_date="2015-12-31", seed=seed)


def submit(durable: DurableRuns, seed: int) -> RunKey:
    submission = durable.runs.submit("local", request(seed), deadline=Deadline.after(HANG_SECONDS))
    return submission.run.key


async def until(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + HANG_SECONDS
    while not is_true():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.01)


def statuses(store: FakeRunStore) -> list[str]:
    return [run.status.value for run in store.page("local", RunFilter(), limit=100).runs]


async def test_queued_runs_start_at_once_up_to_the_number_of_slots(monkeypatch) -> None:
    # A dispatcher that was not notified of a queued run would not poll for it before this test ends.
    monkeypatch.setattr(dispatcher, "POLL_SECONDS", 3600.0)

    backtests, store = FakeBacktests(hangs=True), FakeRunStore()
    async with serving(backtests, store, max_concurrent_runs=2) as durable:
        for seed in range(5):
            submit(durable, seed)
        await until(lambda: backtests.n_running == 2)
        await asyncio.sleep(0.1)
        assert sorted(statuses(store)) == ["queued"] * 3 + ["running"] * 2
        backtests.release.set()
        await until(lambda: statuses(store) == ["succeeded"] * 5)
    assert backtests.n_most_running == 2
    assert len(backtests.executed) == 5


async def test_runs_an_earlier_process_left_in_the_queue_start_automatically() -> None:
    store = FakeRunStore()
    async with serving(FakeBacktests(hangs=True), store, max_concurrent_runs=1) as durable:
        submit(durable, 1)
        submit(durable, 2)
    assert statuses(store) == ["queued"] * 2, "runs in progress when the service stopped are requeued"
    async with serving(FakeBacktests(), store):
        await until(lambda: statuses(store) == ["succeeded"] * 2)
    assert all(run.attempt == 1 for run in store.page("local", RunFilter(), limit=9).runs)


async def test_a_run_of_a_dead_process_is_started_again_once_its_lease_expires() -> None:
    store = FakeRunStore()
    async with serving(FakeBacktests(), store, max_concurrent_runs=1) as durable:
        pass
    durable.runs._store.submit(_new(store), lease_seconds=0.2)
    async with serving(FakeBacktests(), store):
        await until(lambda: statuses(store) == ["succeeded"])
    [run] = store.page("local", RunFilter(), limit=9).runs
    assert run.attempt == 2


def _new(store: FakeRunStore) -> Any:
    """What submitting a run gives to the store."""
    taken: list[Any] = []

    class Taking(FakeRunStore):
        def submit(self, new: Any, **options: Any) -> Any:
            taken.append(new)
            return super().submit(new, **options)

    async def story() -> None:
        async with serving(FakeBacktests(hangs=True), Taking()) as durable:
            submit(durable, 1)

    thread = threading.Thread(target=lambda: asyncio.run(story()))
    thread.start()
    thread.join()
    return taken[0]


async def test_queued_runs_get_their_turn_while_clients_keep_every_slot_busy() -> None:
    backtests, store = FakeBacktests(), FakeRunStore()
    async with serving(backtests, store, max_concurrent_runs=1, max_queued_runs=4) as durable:
        is_over = asyncio.Event()

        async def busy() -> None:
            while not is_over.is_set():
                with contextlib.suppress(QueueFull):
                    await durable.run_slots.run(lambda cancel: time.sleep(0.01))
                await asyncio.sleep(0)

        people = [asyncio.create_task(busy()) for _ in range(5)]
        await asyncio.sleep(0.1)
        await until(lambda: durable.run_slots.is_full)
        for seed in range(5):
            submit(durable, seed)
        await until(lambda: statuses(store) == ["succeeded"] * 5)
        is_over.set()
        await asyncio.gather(*people)


async def test_without_a_sandbox_queued_runs_wait_until_there_is_one(monkeypatch) -> None:
    monkeypatch.setattr(dispatcher, "LONGEST_PAUSE_SECONDS", 0.3)

    backtests, store = FakeBacktests(error=SandboxUnavailable("no engine")), FakeRunStore()
    async with serving(backtests, store) as durable:
        submit(durable, 1)
        await until(lambda: len(backtests.executed) >= 2)
        assert len(backtests.executed) < 10, "it retries without a pause"
        backtests.error = None
        await until(lambda: statuses(store) == ["succeeded"])
    [run] = store.page("local", RunFilter(), limit=9).runs
    assert run.attempt == 1, "no attempt was the run's fault"


class Failing(FakeRunStore):
    """A database that is unavailable for a while."""

    is_down = False

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def claim(self, lease_seconds: float) -> Lease | None:
        self._check()
        return super().claim(lease_seconds)

    def recover(self, max_attempts: int) -> list[RunKey]:
        self._check()
        return super().recover(max_attempts)

    def _check(self) -> None:
        if self.is_down:
            raise self.error


@pytest.mark.parametrize("error", [StorageUnavailable("away"), RuntimeError("away")])
async def test_it_survives_a_database_outage(monkeypatch, error) -> None:
    monkeypatch.setattr(dispatcher, "LONGEST_PAUSE_SECONDS", 0.3)

    store = Failing(error)
    async with serving(FakeBacktests(), store) as durable:
        store.is_down = True
        submit(durable, 1)
        await asyncio.sleep(1.0)
        assert statuses(store) == ["queued"]
        store.is_down = False
        await until(lambda: statuses(store) == ["succeeded"])


async def test_finished_runs_are_sealed_and_the_oldest_are_removed_files_first() -> None:
    store, files = FakeRunStore(), FakeFiles()
    async with serving(FakeBacktests(), store, files, run_retention=2) as durable:
        keys = []
        for seed in range(4):
            keys.append(submit(durable, seed))
            await until(lambda: store.get(keys[-1]).status is RunStatus.SUCCEEDED)
        await until(lambda: len(files.removed) == 2)
        await until(lambda: len(statuses(store)) == 2 and set(files.sealed) >= set(keys[2:]))
    assert files.removed == keys[:2]


async def test_the_oldest_runs_are_removed_when_answers_exceed_the_total_size() -> None:
    store, files = FakeRunStore(), FakeFiles()
    async with serving(FakeBacktests(), store, files, run_retention_bytes=0) as durable:
        keys = []
        for seed in range(3):
            keys.append(submit(durable, seed))
            await until(lambda: store.get(keys[-1]).status is RunStatus.SUCCEEDED)
        await until(lambda: len(statuses(store)) == 1 and len(files.removed) == 2)
    assert files.removed == keys[:2]
    assert store.result(keys[2]) is not None


async def test_runs_that_end_close_together_share_one_search_for_old_runs(monkeypatch) -> None:
    monkeypatch.setattr(retention, "RETAIN_SECONDS", 3600.0)

    class Searched(FakeRunStore):
        n_times = 0

        def surplus(self, *arguments) -> list[RunKey]:
            self.n_times += 1
            return super().surplus(*arguments)

    store, files = Searched(), FakeFiles()
    async with serving(FakeBacktests(), store, files) as durable:
        await until(lambda: store.n_times == 1)  # what an earlier process left
        keys = [submit(durable, seed) for seed in range(5)]
        await until(lambda: set(files.sealed) == set(keys))
        assert store.n_times == 1
        monkeypatch.setattr(retention, "RETAIN_SECONDS", 0.0)
        submit(durable, 5)
        await until(lambda: store.n_times == 2)


@pytest.mark.parametrize("error", [ArtifactsNotReady("it failed"), ArtifactNotFound("it was deleted")])
def test_an_ended_run_without_a_result_is_no_failure_of_sealing(error: Exception, caplog) -> None:
    class Asked(FakeFiles):
        def seal(self, key: RunKey) -> None:
            super().seal(key)
            raise error

    files, notifications, key = Asked(), RunNotifications(), RunKey("local", "a" * 64)
    sealing = RunRetention(FakeRunStore(), files, notifications, keep=1)
    sealing.start()
    notifications.notify(key, News.FINISHED)
    wait_until(lambda: files.sealed == [key], HANG_SECONDS)
    sealing.close()
    assert caplog.records == []


class Chained(FakeFiles):
    """Files whose sealed runs the store records, like the real ones."""

    can_seal = True

    def link(self, key: RunKey) -> RunKey | None:
        return key if key in self.sealed else None

    def seal(self, key: RunKey) -> None:
        if key in self.sealed:
            return
        if not self.can_seal:
            raise OSError("no space left")
        super().seal(key)


async def test_a_run_is_sealed_before_it_is_removed_even_if_many_end_at_once() -> None:
    files = Chained()
    store = FakeRunStore(chain=files)
    async with serving(FakeBacktests(), store, files, run_retention=1, max_concurrent_runs=4) as durable:
        for seed in range(12):
            submit(durable, seed)
        await until(lambda: len(statuses(store)) == 1)
    assert len(files.removed) == 11
    assert set(files.removed) <= set(files.sealed)


async def test_a_run_that_cannot_be_sealed_is_kept_and_does_not_block_others() -> None:
    files = Chained()
    store = FakeRunStore(chain=files)
    async with serving(FakeBacktests(), store, files, run_retention=1) as durable:
        sealed = submit(durable, 0)
        await until(lambda: sealed in files.sealed)
        files.can_seal = False
        others = [submit(durable, seed) for seed in (1, 2)]
        await until(lambda: files.removed == [sealed])
        await asyncio.sleep(0.5)
        assert {run.key for run in store.page("local", RunFilter(), limit=9).runs} == set(others)
        files.can_seal = True
        submit(durable, 3)
        await until(lambda: set(files.removed) == {sealed, *others})


def test_leftovers_of_killed_processes_are_cleaned_up_repeatedly() -> None:
    class Cleaned(FakeFiles):
        n_times = 0

        def clean_up(self) -> None:
            self.n_times += 1
            raise OSError("not this time")

    files = Cleaned()
    cleaning = RunRetention(FakeRunStore(), files, RunNotifications(), keep=1, look_seconds=0.01, clean_seconds=0.02)
    cleaning.start()
    wait_until(lambda: files.n_times >= 3, HANG_SECONDS)
    cleaning.close()


async def test_files_that_are_sealed_while_their_run_is_removed_go_too() -> None:
    class AskedFor(FakeFiles):
        """Readers that find none seal them: here just after their removal, while the run still exists."""

        def __init__(self) -> None:
            super().__init__()
            self.present: set[RunKey] = set()

        def seal(self, key: RunKey) -> None:
            self.present.add(key)

        def remove(self, key: RunKey) -> None:
            self.present.discard(key)
            if store.get(key) is not None:
                self.seal(key)

    store = FakeRunStore()

    files = AskedFor()
    async with serving(FakeBacktests(), store, files, run_retention=1) as durable:
        submit(durable, 0)
        await until(lambda: statuses(store) == ["succeeded"])
        kept = submit(durable, 1)
        await until(lambda: files.present == {kept})


async def test_a_clock_jump_takes_no_run_from_the_process_executing_it(monkeypatch) -> None:
    monkeypatch.setattr(dispatcher, "RECOVER_SECONDS", 0.02)

    class Jumping(FakeRunStore):
        """Its clock jumps after each search for runs of dead processes, while there are jumps left."""

        def __init__(self) -> None:
            self.ahead = timedelta(0)
            self.jumps: list[int] = []
            self.n_looks = 0
            super().__init__(clock=lambda: datetime.now(UTC) + self.ahead)

        def recover(self, max_attempts: int) -> list[RunKey]:
            found = super().recover(max_attempts)
            self.ahead = timedelta(hours=self.jumps.pop(0)) if self.jumps else self.ahead
            self.n_looks += 1
            return found

    store, backtests = Jumping(), FakeBacktests(hangs=True)
    async with serving(backtests, store) as durable:
        key = submit(durable, 1)
        await until(backtests.started.is_set)
        store.jumps += [1, 24, -24]
        enough = store.n_looks + 8
        await until(lambda: store.n_looks >= enough)
        run = store.get(key)
        assert (run.status, run.attempt, len(store.events(key, after=0, limit=99))) == (RunStatus.RUNNING, 1, 2)
        backtests.release.set()
        await until(lambda: statuses(store) == ["succeeded"])


def test_queued_runs_start_soon_after_a_database_outage(monkeypatch, caplog) -> None:
    monkeypatch.setattr(dispatcher, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(dispatcher, "LONGEST_STORAGE_PAUSE_SECONDS", 0.05)

    def pauses() -> list[float]:
        return [record.args[0] for record in caplog.records if "queued runs wait" in record.msg]

    async def story() -> None:
        store = Failing(StorageUnavailable("away"))
        async with serving(FakeBacktests(), store) as durable:
            store.is_down = True
            submit(durable, 1)
            await until(lambda: len(pauses()) >= 8)
            store.is_down = False
            await until(lambda: statuses(store) == ["succeeded"])

    asyncio.run(story())
    assert max(pauses()) == 0.05, "they double, up to the longest"


async def test_files_that_cannot_be_written_stop_nothing() -> None:
    class FullDisk(FakeFiles):
        def seal(self, key: RunKey) -> None:
            raise OSError("no space left")

    store = FakeRunStore()
    async with serving(FakeBacktests(), store, FullDisk(), run_retention=1) as durable:
        for seed in range(3):
            submit(durable, seed)
        await until(lambda: "queued" not in statuses(store) and "running" not in statuses(store))
