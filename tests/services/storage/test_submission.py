"""What every RunStore promises of accepting runs."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from src.services.storage.base import Storage
from src.services.storage.errors import KeyReused, QueueFull
from src.services.storage.records.runs import RunFilter, RunStatus
from tests.services.storage.samples import failure, finished, key, new_run, result, started, success


def test_a_submitted_run_is_queued(storage: Storage) -> None:
    before = datetime.now(UTC) - timedelta(milliseconds=5)
    submission = storage.runs.submit(new_run(name="trend", warnings=("'comission' is not a field",)))
    run = submission.run
    assert submission.is_new and submission.lease is None
    assert (run.key, run.name, run.status, run.symbols) == (key(), "trend", RunStatus.QUEUED, ("SPY", "BND"))
    assert (run.start_date, run.end_date) == ("2015-01-01", "2016-12-31")
    assert before <= run.submitted_at <= datetime.now(UTC) + timedelta(milliseconds=5)
    assert run.submitted_at.tzinfo is UTC
    assert (run.started_at, run.finished_at, run.attempt, run.position) == (None, None, 0, 0)
    assert (run.progress, run.metrics, run.error, run.recomputed, run.has_result) == (None, None, None, None, False)
    assert storage.runs.get(key()) == run


def test_a_submitted_run_is_read_back_whole(storage: Storage) -> None:
    request = {"strategy_code": "é", "parameters": {"b": [1, 1.0, None, True], "a": {}}, "large": 2**80}
    new = new_run(request=request, warnings=("one", "two"))
    storage.runs.submit(new)
    details = storage.runs.details(key())
    assert details.request == request
    assert list(details.request) == list(request)
    assert details.ingredients == new.ingredients
    assert details.warnings == ("one", "two")


def test_a_run_may_trade_nothing_and_have_no_name(storage: Storage) -> None:
    run = storage.runs.submit(new_run(symbols=(), name=None)).run
    assert (run.symbols, run.name) == ((), None)


@pytest.mark.parametrize("prepare", [None, started, finished])
def test_a_run_that_waits_runs_or_succeeded_is_not_accepted_twice(storage: Storage, prepare) -> None:
    if prepare is None:
        storage.runs.submit(new_run())
    else:
        prepare(storage.runs)
    before = storage.runs.get(key())
    n_events = len(storage.runs.events(key(), after=0, limit=100))
    again = storage.runs.submit(new_run(name="another name"), lease_seconds=60)
    assert not again.is_new and again.lease is None
    assert again.run == before == storage.runs.get(key())
    assert len(storage.runs.events(key(), after=0, limit=100)) == n_events


@pytest.mark.parametrize("prepare", [None, started, finished])
def test_renaming_a_run_changes_nothing_else(storage: Storage, prepare) -> None:
    storage.runs.submit(new_run()) if prepare is None else prepare(storage.runs)
    before = storage.runs.get(key())
    assert before is not None
    events = storage.runs.events(key(), after=0, limit=100)
    renamed = storage.runs.rename(key(), "Straße \u202e2")
    assert renamed == replace(before, name="Straße \u202e2") == storage.runs.get(key())
    assert storage.runs.page("local", RunFilter(name="STRASSE"), limit=5).runs[0].key == key()
    assert storage.runs.page("local", RunFilter(name="run 1"), limit=5).runs == ()
    details = storage.runs.details(key())
    assert details.request == {**new_run().request, "name": "Straße \u202e2"}
    assert storage.runs.events(key(), after=0, limit=100) == events
    if prepare is finished:
        assert storage.runs.result(key()) == result()


def test_a_missing_run_or_another_owners_run_is_not_renamed(storage: Storage) -> None:
    storage.runs.submit(new_run(owner="other"))
    assert storage.runs.rename(key(), "mine") is None
    theirs = storage.runs.get(key(owner="other"))
    assert theirs.name == "run 1"


def test_a_repeatable_failure_is_not_retried(storage: Storage) -> None:
    finished(storage.runs, outcome=failure(is_repeatable=True))
    assert not storage.runs.submit(new_run()).is_new


@pytest.mark.parametrize(
    "outcome",
    [failure(), failure(status=RunStatus.CANCELLED), failure(status=RunStatus.TIMED_OUT)],
    ids=lambda outcome: outcome.status,
)
def test_a_run_that_may_succeed_next_time_is_accepted_again(storage: Storage, outcome) -> None:
    finished(storage.runs, outcome=outcome)
    first = storage.runs.get(key())
    again = storage.runs.submit(new_run(name="second try", request={"strategy_code": "new"}))
    run = again.run
    assert again.is_new
    assert (run.status, run.name, run.attempt, run.error) == (RunStatus.QUEUED, "second try", 0, None)
    assert (run.started_at, run.finished_at, run.progress) == (None, None, None)
    assert run.submitted_at > first.submitted_at
    details = storage.runs.details(key())
    assert details.request == {"strategy_code": "new"}


def test_events_go_on_counting_when_a_run_is_accepted_again(storage: Storage) -> None:
    finished(storage.runs, outcome=failure())
    run = storage.runs.submit(new_run()).run
    events = storage.runs.events(key(), after=0, limit=100)
    assert [event.id for event in events] == [1, 2, 3]
    assert [event.kind for event in events] == ["started", "finished", "queued"]
    assert run.first_event == 3


def test_rerun_computes_a_succeeded_run_once_more_and_keeps_its_result(storage: Storage) -> None:
    finished(storage.runs)
    run = storage.runs.submit(new_run(), rerun=True).run
    assert (run.status, run.has_result, run.metrics) == (RunStatus.QUEUED, True, {"sharpe_ratio": 1.5})
    assert storage.runs.result(key()) == result()


def test_rerun_accepts_a_repeatable_failure(storage: Storage) -> None:
    finished(storage.runs, outcome=failure(is_repeatable=True))
    assert storage.runs.submit(new_run(), rerun=True).is_new


def test_rerun_does_not_start_a_run_in_progress_twice(storage: Storage) -> None:
    started(storage.runs)
    assert not storage.runs.submit(new_run(), rerun=True).is_new


def test_a_run_with_a_lease_starts_at_once(storage: Storage) -> None:
    submission = storage.runs.submit(new_run(), lease_seconds=60)
    lease, run = submission.lease, submission.run
    assert (lease.key, lease.attempt) == (key(), 1)
    assert (run.status, run.attempt, run.position) == (RunStatus.RUNNING, 1, None)
    assert run.started_at is not None
    assert storage.runs.claim(60) is None


def test_a_full_queue_accepts_nothing_more(storage: Storage) -> None:
    started(storage.runs, 1)
    for number in (2, 3):
        storage.runs.submit(new_run(number), max_queued=2)
    with pytest.raises(QueueFull) as caught:
        storage.runs.submit(new_run(4), max_queued=2)
    assert (caught.value.n_running, caught.value.n_waiting) == (1, 2)
    assert storage.runs.get(key(4)) is None


def test_a_full_queue_still_returns_existing_runs_and_starts_those_with_a_lease(storage: Storage) -> None:
    storage.runs.submit(new_run(1), max_queued=1)
    assert not storage.runs.submit(new_run(1), max_queued=1).is_new
    assert storage.runs.submit(new_run(2), max_queued=1, lease_seconds=60).lease is not None


def test_a_queue_of_size_zero_accepts_no_run_that_would_wait(storage: Storage) -> None:
    with pytest.raises(QueueFull):
        storage.runs.submit(new_run(), max_queued=0)


def test_concurrent_submits_do_not_overfill_the_queue(storage: Storage) -> None:
    def submit(number: int) -> bool:
        try:
            return storage.runs.submit(new_run(number), max_queued=5).is_new
        except QueueFull:
            return False

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(submit, range(30))) == 5
    assert storage.runs.counts().n_queued == 5


def test_one_of_many_concurrent_submits_of_one_run_gets_the_lease(storage: Storage) -> None:
    with ThreadPoolExecutor(8) as threads:
        submissions = list(threads.map(lambda _: storage.runs.submit(new_run(), lease_seconds=60), range(16)))
    assert sum(submission.is_new for submission in submissions) == 1
    assert sum(submission.lease is not None for submission in submissions) == 1
    assert [event.id for event in storage.runs.events(key(), after=0, limit=9)] == [1]


def test_the_same_idempotency_key_and_request_return_the_first_run(storage: Storage) -> None:
    storage.runs.submit(new_run(1), idempotency=("k", "request"))
    again = storage.runs.submit(new_run(2), idempotency=("k", "request"), rerun=True)
    assert (again.is_new, again.run.key) == (False, key(1))
    assert storage.runs.get(key(2)) is None


def test_an_idempotency_key_with_another_request_is_refused(storage: Storage) -> None:
    storage.runs.submit(new_run(1), idempotency=("k", "request"))
    with pytest.raises(KeyReused):
        storage.runs.submit(new_run(2), idempotency=("k", "other"))
    assert storage.runs.get(key(2)) is None


def test_idempotency_keys_belong_to_their_owner(storage: Storage) -> None:
    storage.runs.submit(new_run(1, "ann"), idempotency=("k", "request"))
    assert storage.runs.submit(new_run(2, "bob"), idempotency=("k", "other")).is_new


def test_a_refused_run_does_not_use_up_its_idempotency_key(storage: Storage) -> None:
    with pytest.raises(QueueFull):
        storage.runs.submit(new_run(1), idempotency=("k", "request"), max_queued=0)
    assert storage.runs.submit(new_run(2), idempotency=("k", "other")).is_new


def test_the_idempotency_key_of_a_deleted_run_is_free_again(storage: Storage) -> None:
    storage.runs.submit(new_run(1), idempotency=("k", "request"))
    storage.runs.request_cancel(key(1))
    assert storage.runs.delete(key(1))
    assert storage.runs.submit(new_run(2), idempotency=("k", "other")).is_new


def test_one_of_many_concurrent_submits_with_one_idempotency_key_is_accepted(storage: Storage) -> None:
    def submit(number: int) -> bool:
        return storage.runs.submit(new_run(number), idempotency=("k", "request")).is_new

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(submit, range(16))) == 1
    assert storage.runs.counts().n_queued == 1


def test_a_hostile_idempotency_key_is_a_key_like_any_other(storage: Storage) -> None:
    for number, text in enumerate(["\x00", "\ud800", "k" * 100_000, "'; DROP TABLE runs; --", ""]):
        assert storage.runs.submit(new_run(number), idempotency=(text, text)).is_new
        assert not storage.runs.submit(new_run(number + 100), idempotency=(text, text)).is_new


def test_a_run_accepted_again_is_the_newest_of_the_list(storage: Storage) -> None:
    finished(storage.runs, 1, outcome=failure())
    time.sleep(0.001)
    finished(storage.runs, 2)
    time.sleep(0.001)
    storage.runs.submit(new_run(1))
    listed = storage.runs.page("local", RunFilter(), limit=10).runs
    assert [run.key for run in listed] == [key(1), key(2)]


def test_a_run_of_another_owner_is_another_run(storage: Storage) -> None:
    finished(storage.runs, 1, "ann")
    assert storage.runs.get(key(1, "bob")) is None
    submission = storage.runs.submit(new_run(1, "bob"), lease_seconds=60)
    assert submission.is_new and not submission.run.has_result
    storage.runs.finish(submission.lease, success(result=result(b"bob's")))
    mine = storage.runs.result(key(1, "ann"))
    assert mine == result()
