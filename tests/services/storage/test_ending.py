"""What every RunStore promises of the end of runs: results, failures, cancelling, recomputing, deleting."""

from datetime import UTC, datetime, timedelta

import pytest

from src.services.storage.base import Storage
from src.services.storage.records.attempts import Outcome
from src.services.storage.records.runs import Progress, RunError, RunKey, RunStatus
from tests.services.storage.samples import failure, finished, key, new_run, result, started, success


def test_a_run_that_succeeded_has_its_result_and_metrics(storage: Storage) -> None:
    metrics = {"sharpe_ratio": 1.25, "alpha": None, "undefined": {"alpha": "no benchmark"}, "total_orders": 3}
    answer = result(bytes(range(256)) * 40, metrics=metrics)
    assert storage.runs.finish(started(storage.runs), success(result=answer))
    run = storage.runs.get(key())
    assert run.finished_at is not None and run.started_at is not None
    assert (run.status, run.metrics, run.has_result, run.error) == (RunStatus.SUCCEEDED, metrics, True, None)
    assert run.submitted_at <= run.started_at <= run.finished_at <= datetime.now(UTC) + timedelta(milliseconds=5)
    assert storage.runs.result(key()) == answer


def test_a_run_that_failed_says_why(storage: Storage) -> None:
    error = RunError("strategy_failed", ("one", "two"), "File strategy.py, line 3", ("a", "b"), is_repeatable=True)
    storage.runs.finish(started(storage.runs), Outcome(RunStatus.FAILED, error=error))
    run = storage.runs.get(key())
    assert (run.status, run.error, run.metrics, run.has_result) == (RunStatus.FAILED, error, None, False)
    assert storage.runs.result(key()) is None


@pytest.mark.parametrize("status", [RunStatus.CANCELLED, RunStatus.TIMED_OUT])
def test_a_run_may_end_in_other_ways(storage: Storage, status: RunStatus) -> None:
    finished(storage.runs, outcome=failure(status=status))
    run = storage.runs.get(key())
    assert run.status == status


def test_a_run_ends_once(storage: Storage) -> None:
    lease = started(storage.runs)
    assert storage.runs.finish(lease, success())
    assert not storage.runs.finish(lease, failure())
    assert not storage.runs.tell(lease, log_lines=["late"])
    assert not storage.runs.give_back(lease)
    run = storage.runs.get(key())
    assert run.status == RunStatus.SUCCEEDED


def test_the_progress_of_the_last_attempt_stays_visible(storage: Storage) -> None:
    lease = started(storage.runs)
    storage.runs.tell(lease, progress=Progress(0.25, "2015-06-30", 10_500.5))
    storage.runs.tell(lease, progress=Progress(0.5, "2015-12-31", 11_000.25))
    storage.runs.finish(lease, success())
    run = storage.runs.get(key())
    assert run.progress == Progress(0.5, "2015-12-31", 11_000.25)


def test_a_queued_run_is_cancelled_at_once(storage: Storage) -> None:
    storage.runs.submit(new_run())
    run = storage.runs.request_cancel(key())
    assert run.finished_at is not None
    assert (run.status, run.error.code, run.position) == (RunStatus.CANCELLED, "run_cancelled", None)
    assert run == storage.runs.get(key())
    assert storage.runs.claim(60) is None


def test_a_running_run_is_marked_to_be_cancelled(storage: Storage) -> None:
    lease = started(storage.runs)
    run = storage.runs.request_cancel(key())
    assert (run.status, run.is_cancel_requested) == (RunStatus.RUNNING, True)
    storage.runs.finish(lease, failure(status=RunStatus.CANCELLED))
    ended = storage.runs.get(key())
    assert (ended.status, ended.is_cancel_requested) == (RunStatus.CANCELLED, False)


def test_cancelling_a_finished_run_changes_nothing(storage: Storage) -> None:
    finished(storage.runs)
    before = storage.runs.get(key())
    assert storage.runs.request_cancel(key()) == before == storage.runs.get(key())


def test_a_cancelled_run_submitted_again_is_not_cancelled_any_more(storage: Storage) -> None:
    lease = started(storage.runs)
    storage.runs.request_cancel(key())
    storage.runs.finish(lease, failure(status=RunStatus.CANCELLED))
    again = started(storage.runs)
    assert storage.runs.heartbeat([again], 60).cancelled == frozenset()


def test_a_recomputed_run_keeps_its_result_and_lists_the_differences(storage: Storage) -> None:
    finished(storage.runs)
    lease = storage.runs.submit(new_run(), rerun=True, lease_seconds=60).lease
    other = result(b"other", metrics={"sharpe_ratio": 9.0})
    other = success(result=other, differences=("metrics.sharpe_ratio",))
    storage.runs.finish(lease, other)
    run = storage.runs.get(key())
    assert (run.status, run.metrics) == (RunStatus.SUCCEEDED, {"sharpe_ratio": 1.5})
    assert run.recomputed.status == RunStatus.SUCCEEDED
    assert run.recomputed.differences == ("metrics.sharpe_ratio",)
    assert run.recomputed.at == run.finished_at
    assert storage.runs.result(key()) == result()


def test_a_recomputed_run_that_fails_stays_succeeded(storage: Storage) -> None:
    finished(storage.runs)
    lease = storage.runs.submit(new_run(), rerun=True, lease_seconds=60).lease
    failed = failure()
    storage.runs.finish(lease, failed)
    run = storage.runs.get(key())
    assert (run.status, run.error) == (RunStatus.SUCCEEDED, None)
    assert (run.recomputed.status, run.recomputed.error) == (RunStatus.FAILED, failed.error)


def test_a_queued_rerun_that_is_cancelled_stays_succeeded(storage: Storage) -> None:
    finished(storage.runs)
    storage.runs.submit(new_run(), rerun=True)
    run = storage.runs.request_cancel(key())
    assert (run.status, run.recomputed.status) == (RunStatus.SUCCEEDED, RunStatus.CANCELLED)
    assert storage.runs.result(key()) == result()


def test_a_new_recomputation_clears_the_outcome_of_the_last_one(storage: Storage) -> None:
    finished(storage.runs)
    for _ in range(2):
        lease = storage.runs.submit(new_run(), rerun=True, lease_seconds=60).lease
        during = storage.runs.get(key())
        assert during.recomputed is None
        storage.runs.finish(lease, failure())


def test_a_failed_run_that_succeeds_the_second_time_has_a_result_and_no_error(storage: Storage) -> None:
    finished(storage.runs, outcome=failure())
    finished(storage.runs)
    run = storage.runs.get(key())
    assert (run.status, run.error, run.recomputed, run.has_result) == (RunStatus.SUCCEEDED, None, None, True)


def test_a_deleted_run_is_gone_with_everything(storage: Storage) -> None:
    finished(storage.runs)
    assert storage.runs.delete(key())
    assert storage.runs.get(key()) is None
    assert storage.runs.details(key()) is None
    assert storage.runs.result(key()) is None
    assert storage.runs.events(key(), after=0, limit=99) == []
    assert not storage.runs.delete(key())


def test_a_deleted_run_may_come_back_as_a_new_one(storage: Storage) -> None:
    finished(storage.runs)
    storage.runs.delete(key())
    run = storage.runs.submit(new_run()).run
    assert (run.first_event, run.has_result, run.metrics) == (1, False, None)


def test_a_run_in_progress_is_not_deleted(storage: Storage) -> None:
    storage.runs.submit(new_run(1))
    started(storage.runs, 2)
    assert not storage.runs.delete(key(1))
    assert not storage.runs.delete(key(2))
    assert storage.runs.counts().n_queued == storage.runs.counts().n_running == 1


def test_a_missing_run_has_nothing(storage: Storage) -> None:
    for run in (key(), key(1, "another owner"), RunKey("local", "\x00\ud800'%")):
        assert storage.runs.get(run) is None
        assert storage.runs.details(run) is None
        assert storage.runs.result(run) is None
        assert storage.runs.request_cancel(run) is None
        assert storage.runs.events(run, after=0, limit=1) == []
        assert not storage.runs.delete(run)


def test_an_owner_cannot_reach_another_owners_run(storage: Storage) -> None:
    finished(storage.runs, 1, "ann")
    other = key(1, "bob")
    assert storage.runs.get(other) is storage.runs.details(other) is storage.runs.result(other) is None
    assert storage.runs.events(other, after=0, limit=9) == []
    assert storage.runs.request_cancel(other) is None
    assert not storage.runs.delete(other)
    assert storage.runs.get(key(1, "ann")) is not None
