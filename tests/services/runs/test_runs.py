"""Durable runs on an in-memory store: which are computed, and how each ends."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from src.errors import (
    BacktesterError,
    NoPrices,
    PriceSourceUnavailable,
    ResultNotReady,
    RunAbandoned,
    RunCancelled,
    RunFailed,
    RunNotFinished,
    RunNotFound,
    RunTimedOut,
    SandboxUnavailable,
    StrategyFailed,
)
from src.models.request import BacktestRequest
from src.services.results.answer_json import answer_pieces
from src.services.results.finished_run import FinishedRun
from src.services.runs import execution
from src.services.runs.leases import Leases
from src.services.runs.notifications import RunNotifications
from src.services.runs.progress_writer import PACE_SECONDS
from src.services.runs.queries import RunQueries
from src.services.runs.runs import Runs
from src.services.storage.errors import KeyReused, QueueFull, StorageUnavailable
from src.services.storage.records.attempts import Lease
from src.services.storage.records.runs import Progress, RunFilter, RunKey, RunRecord, RunStatus
from src.utils.deadline import Deadline
from tests.fakes.backtests import FakeBacktests
from tests.fakes.run_store import FakeRunStore

LEASE_SECONDS = 30.0
HANG_SECONDS = 60.0
WINDOW = {"start_date": "2015-01-01", "end_date": "2015-12-31"}
HALF_WAY = Progress(0.5, "2015-06-30", 10_050.0)


def posted(**changes: Any) -> BacktestRequest:
    return BacktestRequest.model_validate({"strategy_code": "class S: pass", **WINDOW, **changes})


class Service:
    """Runs with access to all their collaborators."""

    def __init__(self, backtests: FakeBacktests | None = None, store: FakeRunStore | None = None) -> None:
        self.backtests = backtests or FakeBacktests()
        self.store = store or FakeRunStore()
        self.leases = Leases(self.store, lease_seconds=LEASE_SECONDS)
        self.removed: list[RunKey] = []
        self.queries = RunQueries(self.store)
        self.runs = Runs(
            self.backtests,
            self.store,
            leases=self.leases,
            notifications=RunNotifications(),
            run_seconds=HANG_SECONDS,
            max_queued=3,
            remove_files=self.removed.append,
        )

    def run_now(self, owner: str = "local", cancel: threading.Event | None = None, **changes: Any) -> Any:
        deadline = Deadline.after(changes.pop("seconds", HANG_SECONDS), cancel)
        return self.runs.run_now(owner, posted(**changes), deadline=deadline)

    def submit(self, owner: str = "local", **changes: Any) -> Any:
        options = {name: changes.pop(name) for name in ("rerun", "idempotency_key") if name in changes}
        return self.runs.submit(owner, posted(**changes), deadline=Deadline.after(HANG_SECONDS), **options)

    def execute_next(self) -> None:
        self.runs.execute(self.claim(), threading.Event())

    def claim(self) -> Lease:
        lease = self.store.claim(LEASE_SECONDS)
        assert lease is not None, "nothing is queued"
        return lease

    def only_run(self) -> RunRecord:
        [run] = self.store.page("local", _ALL, limit=10).runs
        return run

    def events(self, key: RunKey) -> list[tuple[str, Any]]:
        return [(event.kind.value, event.data) for event in self.store.events(key, after=0, limit=1000)]


_ALL = RunFilter()


def answer_for(finished: FinishedRun, request: BacktestRequest) -> dict[str, Any]:
    """The answer to that request."""
    result = finished.result_for(request.name, request.unknown_fields_warnings())
    answer: dict[str, Any] = json.loads(b"".join(answer_pieces(result)))
    return answer


def test_a_run_is_executed_once_and_then_answered_from_the_store() -> None:
    service = Service()
    first, second = service.run_now(), service.run_now()
    assert [first.is_reused, second.is_reused] == [False, True]
    assert answer_for(first, posted()) == answer_for(second, posted())
    assert answer_for(first, posted())["run_hash"] == first.key.run_hash
    assert len(service.backtests.executed) == 1
    assert service.only_run().status is RunStatus.SUCCEEDED


def test_a_reused_answer_has_the_name_and_the_warnings_of_its_own_request() -> None:
    service = Service()
    service.backtests.answer["warnings"] = ["of the run"]
    first = service.run_now(name="first", comission=1, slipage=2)
    answers = [answer_for(first, posted(name="first", comission=1, slipage=2))]
    others = ({"name": "second"}, {"sead": 3}, {"name": "first", "comission": 1, "slipage": 2})
    answers += [answer_for(service.run_now(**changes), posted(**changes)) for changes in others]
    assert [answer["parameters"]["name"] for answer in answers] == ["first", "second", None, "first"]
    assert [len(answer["warnings"]) for answer in answers] == [3, 1, 2, 3]
    assert all(answer["warnings"][-1] == "of the run" for answer in answers)
    assert "sead" in answers[2]["warnings"][0]


def test_another_owner_has_another_run() -> None:
    service = Service()
    one, other = service.run_now("one"), service.run_now("other")
    assert one.key.run_hash == other.key.run_hash
    assert other.is_reused is False
    with pytest.raises(RunNotFound):
        service.queries.get(RunKey("third", one.key.run_hash))


@pytest.mark.parametrize(
    ("error", "status", "code", "is_tried_again"),
    [
        (StrategyFailed(["ZeroDivisionError"], "line 3", ["said"]), RunStatus.FAILED, "strategy_failed", False),
        (StrategyFailed(["slow"], timed_out=True), RunStatus.TIMED_OUT, "strategy_failed", True),
        (StrategyFailed(["the box ended"], is_repeatable=False), RunStatus.FAILED, "strategy_failed", True),
        (SandboxUnavailable("no engine"), RunStatus.FAILED, "sandbox_unavailable", True),
        (RunTimedOut("too long"), RunStatus.TIMED_OUT, "run_timed_out", True),
        (RuntimeError("/secret"), RunStatus.FAILED, "internal", True),
    ],
)
def test_a_runs_error_is_stored_and_raised_again(error, status, code, is_tried_again) -> None:
    service = Service(FakeBacktests(error=error))
    for _ in range(2):
        with pytest.raises(type(error), match=str(error)):
            service.run_now()
    run = service.only_run()
    assert (run.status, run.error.code) == (status, code)
    assert len(service.backtests.executed) == (2 if is_tried_again else 1)
    assert "secret" not in str(run.error)
    with pytest.raises(BacktesterError) as told:
        service.queries.finished(run.key)
    assert told.value.code == code
    if code == "strategy_failed":
        assert (told.value.errors, told.value.traceback, told.value.logs) == (
            error.errors,
            error.traceback,
            error.logs,
        )
        assert told.value.timed_out is error.timed_out


@pytest.mark.parametrize("error", [NoPrices(["none for 'XYZ'"]), PriceSourceUnavailable("down")])
def test_an_error_before_the_hash_is_known_stores_no_run(error) -> None:
    service = Service(FakeBacktests(error=error))
    with pytest.raises(type(error)):
        service.run_now()
    with pytest.raises(type(error)):
        service.submit()
    assert service.store.page("local", _ALL, limit=10).runs == ()


def test_a_client_that_disconnects_cancels_its_run() -> None:
    service, cancel = Service(FakeBacktests(hangs=True)), threading.Event()
    with ThreadPoolExecutor(1) as threads:
        run = threads.submit(service.run_now, cancel=cancel)
        assert service.backtests.started.wait(HANG_SECONDS)
        cancel.set()
        with pytest.raises(RunCancelled):
            run.result()
    assert service.only_run().status is RunStatus.CANCELLED
    with pytest.raises(RunAbandoned):
        service.queries.finished(service.only_run().key)
    service.backtests.hangs = False
    assert service.run_now().is_reused is False


def test_a_run_wanted_by_others_survives_its_clients_disconnect() -> None:
    service, cancel = Service(FakeBacktests(hangs=True)), threading.Event()
    with ThreadPoolExecutor(1) as threads:
        run = threads.submit(service.run_now, cancel=cancel)
        assert service.backtests.started.wait(HANG_SECONDS)
        assert service.submit().is_new is False
        cancel.set()
        with pytest.raises(RunCancelled):
            run.result()
    assert service.only_run().status is RunStatus.QUEUED, "an accepted run was lost"
    service.backtests.hangs = False
    service.execute_next()
    assert service.only_run().status is RunStatus.SUCCEEDED


def test_a_run_accepted_here_survives_the_client_of_another_process() -> None:
    store, cancel = FakeRunStore(), threading.Event()
    elsewhere, here = Service(FakeBacktests(hangs=True), store), Service(store=store)
    with ThreadPoolExecutor(1) as threads:
        run = threads.submit(elsewhere.run_now, cancel=cancel)
        assert elsewhere.backtests.started.wait(HANG_SECONDS)
        assert here.submit().is_new is False
        here.runs.keep_promises()
        cancel.set()
        with pytest.raises(RunCancelled):
            run.result()
    assert here.only_run().status is RunStatus.CANCELLED
    here.runs.keep_promises()
    assert here.only_run().status is RunStatus.QUEUED
    here.execute_next()
    here.runs.keep_promises()
    assert here.only_run().status is RunStatus.SUCCEEDED


def test_a_run_that_ends_at_its_requests_deadline_has_timed_out() -> None:
    service, cancel = Service(FakeBacktests(hangs=True, ignores_deadline=True)), threading.Event()
    threading.Timer(0.2, cancel.set).start()
    with pytest.raises(RunCancelled):
        service.run_now(cancel=cancel, seconds=0.2)
    assert service.only_run().status is RunStatus.TIMED_OUT


def test_a_second_caller_gets_the_key_to_wait_for() -> None:
    service = Service(FakeBacktests(hangs=True))
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(service.run_now)
        assert service.backtests.started.wait(HANG_SECONDS)
        key = service.run_now()
        assert key == service.only_run().key
        with pytest.raises(RunNotFinished):
            service.queries.finished(key)
        service.backtests.release.set()
        assert isinstance(first.result(), FinishedRun)
    assert service.queries.finished(key).is_reused
    assert len(service.backtests.executed) == 1


@pytest.mark.parametrize("posted_again", ["submit", "run_now"])
def test_posting_a_run_again_under_another_name_renames_it(posted_again: str) -> None:
    service = Service()
    first = service.run_now(name="first")
    stored = service.queries.result(first.key)
    getattr(service, posted_again)(name="second")
    assert service.only_run().name == "second"
    assert service.queries.page("local", RunFilter(name="second"), limit=5).runs
    assert not service.queries.page("local", RunFilter(name="first"), limit=5).runs
    assert service.queries.details(first.key).request["name"] == "second"
    # A name decides no result: the hash, the stored bytes and the answers to each name are what they were.
    assert service.only_run().key == first.key
    assert service.queries.result(first.key) == stored
    for name in ("first", "second", None):
        assert answer_for(service.run_now(name=name), posted(name=name))["parameters"]["name"] == name
    assert len(service.backtests.executed) == 1


def test_posting_a_run_again_without_a_name_keeps_its_name() -> None:
    service = Service()
    service.run_now(name="mine")
    service.submit()
    service.run_now()
    assert service.only_run().name == "mine"


def test_a_run_without_a_name_is_named_after_its_strategys_class() -> None:
    service = Service()
    finished = service.run_now()
    assert service.only_run().name == "MyStrategy"
    assert service.queries.details(finished.key).request["name"] is None
    assert answer_for(finished, posted())["parameters"]["name"] is None


def test_a_queued_run_can_be_renamed_and_its_answer_has_each_requests_name() -> None:
    service = Service()
    key = service.submit(name="first").run.key
    assert service.submit(name="second").run.name == "second"
    service.execute_next()
    assert service.only_run().name == "second"
    for name in ("first", "second"):
        finished = service.queries.finished(key)
        assert answer_for(finished, posted(name=name))["parameters"]["name"] == name


def test_a_submitted_run_is_queued_and_executed_later() -> None:
    service = Service(FakeBacktests(tells=[(HALF_WAY, ["one", "two"])]))
    submission = service.submit(name="mine")
    assert (submission.is_new, submission.run.status, submission.run.name) == (True, RunStatus.QUEUED, "mine")
    with pytest.raises(ResultNotReady):
        service.queries.result(submission.run.key)
    assert service.submit().is_new is False
    service.execute_next()
    run = service.only_run()
    assert (run.status, run.attempt) == (RunStatus.SUCCEEDED, 1)
    assert answer_for(service.queries.finished(run.key), posted(name="mine"))["parameters"]["name"] == "mine"
    assert service.submit().is_new is False
    told = service.events(run.key)
    assert [kind for kind, _ in told][:2] == ["queued", "started"]
    assert told[-1][0] == "finished"
    assert [line for kind, data in told if kind == "log" for line in data["lines"]] == ["one", "two"]


def test_lines_are_stored_once_and_in_order_however_slow_the_store_is() -> None:
    class SlowStore(FakeRunStore):
        def tell(self, *arguments: Any, **values: Any) -> bool:
            time.sleep(0.05)
            return super().tell(*arguments, **values)

    tells = [(Progress(n / 100, "2015-06-30", 1.0), [f"line {n}"]) for n in range(100)]
    service = Service(FakeBacktests(tells=tells, tell_seconds=0.005), SlowStore())
    service.submit()
    began = time.monotonic()
    service.execute_next()
    at_most = 1 + (time.monotonic() - began) / PACE_SECONDS
    told = service.events(service.only_run().key)
    assert [line for kind, data in told if kind == "log" for line in data["lines"]] == [f"line {n}" for n in range(100)]
    assert 1 < [kind for kind, _ in told].count("progress") < at_most, "not while it ran, or more often than allowed"


def test_a_store_that_fails_to_record_progress_does_not_harm_the_run() -> None:
    class DeafStore(FakeRunStore):
        def tell(self, *arguments: Any, **values: Any) -> bool:
            raise StorageUnavailable("full")

    service = Service(FakeBacktests(tells=[(HALF_WAY, ["one"])], tell_seconds=0.3), DeafStore())
    service.submit()
    service.execute_next()
    run = service.only_run()
    assert run.status is RunStatus.SUCCEEDED
    assert [data["lines"] for kind, data in service.events(run.key) if kind == "log"] == [["one"]]


def test_a_queued_run_runs_on_the_prices_it_was_accepted_with() -> None:
    service = Service()
    key = service.submit().run.key
    service.backtests.data = "other prices"
    service.execute_next()
    assert service.queries.get(key).status is RunStatus.SUCCEEDED
    assert service.backtests.executed == [key.run_hash]


def test_a_queued_run_whose_dataset_is_gone_fails_with_a_reason_if_its_prices_changed() -> None:
    service = Service()
    service.submit()
    service.backtests.data = "other prices"
    service.backtests.datasets.clear()
    service.execute_next()
    run = service.only_run()
    assert (run.status, run.error.code, run.error.is_repeatable) == (RunStatus.FAILED, "data_changed", False)
    assert "the prices changed" in run.error.errors[0]
    assert service.backtests.executed == []


def test_a_queued_run_without_a_sandbox_is_requeued() -> None:
    service = Service(FakeBacktests(error=SandboxUnavailable("no engine")))
    service.submit()
    with pytest.raises(SandboxUnavailable):
        service.execute_next()
    assert (service.only_run().status, service.only_run().attempt) == (RunStatus.QUEUED, 0)
    service.backtests.error = None
    service.execute_next()
    assert service.only_run().status is RunStatus.SUCCEEDED


@pytest.mark.parametrize("error", [StrategyFailed(["bad"], "", ["a", "b"]), RuntimeError("/secret")])
def test_an_error_of_a_queued_run_is_stored_and_affects_nothing_else(error) -> None:
    service = Service(FakeBacktests(error=error))
    service.submit()
    service.execute_next()
    run = service.only_run()
    assert run.status is RunStatus.FAILED
    assert "secret" not in str(run.error)
    assert [data["lines"] for kind, data in service.events(run.key) if kind == "log"] == (
        [["a", "b"]] if isinstance(error, StrategyFailed) else []
    )


def test_a_run_is_cancelled_at_once_in_its_own_process() -> None:
    service = Service(FakeBacktests(hangs=True))
    key = service.submit().run.key
    with ThreadPoolExecutor(1) as threads:
        run = threads.submit(service.execute_next)
        assert service.backtests.started.wait(HANG_SECONDS)
        assert service.runs.cancel(key).is_cancel_requested
        run.result(HANG_SECONDS)
    assert service.queries.get(key).status is RunStatus.CANCELLED
    assert service.backtests.n_cancelled == 1


def test_a_run_is_cancelled_by_another_process_at_its_next_heartbeat() -> None:
    store = FakeRunStore()
    here = Service(FakeBacktests(hangs=True), store)
    elsewhere = Service(store=store)
    key = here.submit().run.key
    with ThreadPoolExecutor(1) as threads:
        run = threads.submit(here.execute_next)
        assert here.backtests.started.wait(HANG_SECONDS)
        elsewhere.runs.cancel(key)
        assert here.backtests.n_running == 1
        here.leases.beat()
        run.result(HANG_SECONDS)
    assert elsewhere.queries.get(key).status is RunStatus.CANCELLED


def test_a_run_that_another_process_has_taken_over_stores_nothing_here() -> None:
    store = FakeRunStore()
    service = Service(FakeBacktests(hangs=True), store)
    key = service.submit().run.key
    lease = store.claim(0.0)
    time.sleep(0.01)
    assert store.recover(5) == [key]
    again = service.claim()
    with ThreadPoolExecutor(1) as threads:
        run = threads.submit(service.runs.execute, lease, threading.Event())
        assert service.backtests.started.wait(HANG_SECONDS)
        service.leases.beat()
        run.result(HANG_SECONDS)
    assert service.queries.get(key).status is RunStatus.RUNNING
    service.backtests.hangs = False
    service.runs.execute(again, threading.Event())
    assert (service.queries.get(key).status, service.queries.get(key).attempt) == (RunStatus.SUCCEEDED, 2)
    assert [kind for kind, _ in service.events(key)].count("finished") == 1


def test_a_cancelled_run_in_the_queue_is_never_executed_and_can_be_posted_again() -> None:
    service = Service()
    key = service.submit().run.key
    assert service.runs.cancel(key).status is RunStatus.CANCELLED
    assert service.store.claim(LEASE_SECONDS) is None
    assert service.submit().is_new


def test_a_rerun_keeps_the_result_and_lists_the_differences() -> None:
    service = Service()
    key = service.run_now(name="first", sead=1).key
    before = service.queries.result(key)
    assert service.submit(rerun=True, name="second").is_new
    assert service.run_now().is_reused, "the existing answer serves without waiting for the rerun"
    service.execute_next()
    assert service.queries.get(key).recomputed.differences == ()
    service.backtests.answer["metrics"]["total_return"] = 0.5
    service.backtests.answer["candles"][1]["close"] = 1.0
    service.backtests.answer["provenance"]["timings_ms"]["total"] = 99.0
    service.submit(rerun=True)
    service.execute_next()
    run = service.queries.get(key)
    assert run.recomputed.differences == ("candles[1].close", "metrics.total_return")
    assert (run.status, run.name) == (RunStatus.SUCCEEDED, "second")
    assert service.queries.result(key) == before
    answer = answer_for(service.queries.finished(key), posted(name="third"))
    assert (answer["parameters"]["name"], answer["warnings"]) == ("third", [])


def test_a_rerun_names_the_dataset_of_the_stored_run() -> None:
    service = Service()
    key = service.submit().run.key
    service.execute_next()
    stored = service.store.details(key).dataset
    service.backtests.datasets["an equal one"] = service.backtests.datasets[stored]
    service.submit(rerun=True)
    assert service.store.details(key).dataset == stored
    assert service.store.datasets_in_use() == {stored}
    service.execute_next()
    assert service.queries.get(key).recomputed.differences == ()
    assert service.store.datasets_in_use() == frozenset()


def test_a_run_with_a_waiting_client_stores_no_dataset() -> None:
    service = Service()
    key = service.run_now().key
    assert service.store.details(key).dataset is None
    assert service.backtests.datasets == {}


def test_an_idempotency_key_identifies_one_request() -> None:
    service = Service()
    first = service.submit(idempotency_key="k", seed=1)
    service.backtests.data = "other prices"
    again = service.submit(idempotency_key="k", seed=1)
    assert (again.is_new, again.run.key) == (False, first.run.key)
    with pytest.raises(KeyReused):
        service.submit(idempotency_key="k", seed=2)
    with pytest.raises(KeyReused):
        service.submit(idempotency_key="k", seed=1, name="another")


def test_the_queue_is_bounded() -> None:
    service = Service()
    for seed in range(3):
        service.submit(seed=seed)
    with pytest.raises(QueueFull):
        service.submit(seed=4)
    assert service.submit(seed=1).is_new is False
    assert service.run_now(seed=4).is_reused is False, "a run with a waiting client takes no room in the queue"


def test_only_finished_runs_are_deleted_with_their_files() -> None:
    service = Service()
    key = service.submit().run.key
    with pytest.raises(RunNotFinished):
        service.runs.delete(key)
    service.execute_next()
    service.runs.delete(key)
    assert set(service.removed) == {key}
    for ask in (
        service.queries.get,
        service.runs.delete,
        service.runs.cancel,
        service.queries.details,
        service.queries.result,
    ):
        with pytest.raises(RunNotFound):
            ask(key)


def test_two_runs_are_compared() -> None:
    service = Service()
    one = service.run_now(parameters={"a": 1, "b": {"c": 2}}, strategy_code="class S:\n    pass\n").key
    two = service.run_now(parameters={"b": {"c": 3}}, strategy_code="class T:\n    pass\n", seed=5).key
    told = service.queries.explain(one, two.run_hash)
    assert [
        (d["ingredient"], d["this"], d["other"]) for d in told["differences"] if d["ingredient"] != "strategy_code"
    ] == [
        ("parameters.a", 1, None),
        ("parameters.b.c", 2, 3),
        ("seed", 0, 5),
    ]
    assert "-class T:\n+class S:\n" in told["code_difference"]
    alone = service.queries.explain(one)
    assert (alone["against"], alone["differences"], alone["code_difference"]) == (None, [], None)
    with pytest.raises(RunNotFound):
        service.queries.explain(one, "0" * 64)


def test_sources_made_to_be_hard_to_compare_are_not_compared() -> None:
    def sources(n_lines: int) -> list[str]:
        return ["\n".join(f"# {number * step % 101}" for number in range(n_lines)) for step in (1, 7)]

    service = Service()
    for n_lines, is_compared in ((2_000, True), (2_001, False)):
        one, two = (service.run_now(strategy_code=source).key for source in sources(n_lines))
        difference = service.queries.explain(one, two.run_hash)["code_difference"]
        assert difference.startswith("--- other/strategy.py") is is_compared


class Forgetful(FakeRunStore):
    """A store that fails to store the end of runs a number of times."""

    def __init__(self, n_failures: int) -> None:
        super().__init__()
        self.n_failures = n_failures

    def finish(self, *arguments: Any) -> bool:
        if self.n_failures:
            self.n_failures -= 1
            raise StorageUnavailable("the disk is full")
        return super().finish(*arguments)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execution, "STORE_SECONDS", 0.2)
    monkeypatch.setattr(execution, "STORE_PAUSE_SECONDS", 0.02)


@pytest.mark.usefixtures("impatient")
def test_a_storage_failure_at_the_end_is_raised_and_the_run_is_executed_again_later() -> None:
    service = Service(store=Forgetful(1000))
    with pytest.raises(StorageUnavailable):
        service.run_now()
    assert service.only_run().status is RunStatus.RUNNING, "it must not be reported as ended"
    assert service.leases.n_held == 0


@pytest.mark.parametrize("error", [None, StrategyFailed(["bad"])])
def test_a_computed_result_survives_a_database_restart(error, monkeypatch) -> None:
    monkeypatch.setattr(execution, "STORE_PAUSE_SECONDS", 0.02)
    service = Service(FakeBacktests(error=error), Forgetful(3))
    service.submit()
    service.execute_next()
    assert service.only_run().status is (RunStatus.FAILED if error else RunStatus.SUCCEEDED)
    assert len(service.backtests.executed) == 1


@pytest.mark.usefixtures("impatient")
def test_a_client_that_disconnects_does_not_wait_for_the_database() -> None:
    service, cancel = Service(store=Forgetful(1000)), threading.Event()
    cancel.set()
    with pytest.raises(StorageUnavailable):
        service.run_now(cancel=cancel)
    assert service.store.n_failures == 999


def test_the_slower_of_two_concurrent_deletes_is_told_that_the_run_is_gone() -> None:
    service = Service()
    key = service.run_now().key
    service.runs._remove_files = service.store.delete  # the other one is faster
    with pytest.raises(RunNotFound):
        service.runs.delete(key)


def test_files_that_are_sealed_while_their_run_is_deleted_go_too() -> None:
    service, files = Service(), set()
    key = service.run_now().key

    def removed(removed_key: RunKey) -> None:
        files.discard(removed_key)
        if service.store.get(key) is not None:
            files.add(key)  # just after, another reader seals it

    service.runs._remove_files = removed
    service.runs.delete(key)
    assert files == set()


def test_the_lines_of_a_running_run_are_those_of_its_current_attempt() -> None:
    service = Service()
    key = service.submit().run.key
    first = service.claim()
    service.store.tell(first, progress=HALF_WAY, log_lines=["once"])
    service.store.give_back(first)
    assert service.queries.lines(service.queries.get(key)) == ["once"], "until the next attempt"
    second = service.claim()
    assert service.queries.lines(service.queries.get(key)) == []
    service.store.tell(second, progress=HALF_WAY, log_lines=["again"])
    service.store.tell(second, log_lines=[str(number) for number in range(2000)])
    lines = service.queries.lines(service.queries.get(key))
    assert (len(lines), lines[-1]) == (1000, "1999")


def test_a_run_that_took_the_service_down_too_often_says_so() -> None:
    service = Service()
    key = service.submit().run.key
    service.store.claim(0.0)
    time.sleep(0.01)
    service.store.recover(1)
    with pytest.raises(RunFailed):
        service.queries.finished(key)
