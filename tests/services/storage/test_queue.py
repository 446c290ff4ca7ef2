"""What every RunStore promises of its queue: the order, the leases, and what happens when they expire."""

import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from src.services.storage.base import Storage
from src.services.storage.records.attempts import EventKind, Lease
from src.services.storage.records.runs import Counts, Progress, RunStatus
from tests.services.storage.samples import failure, finished, key, new_run, started, success

SHORT_SECONDS = 0.05


def expired(storage: Storage, number: int = 1) -> Lease:
    """An expired lease."""
    lease = started(storage.runs, number, lease_seconds=SHORT_SECONDS)
    time.sleep(SHORT_SECONDS * 2)
    return lease


def test_an_empty_queue_returns_nothing(storage: Storage) -> None:
    assert storage.runs.claim(60) is None
    finished(storage.runs)
    assert storage.runs.claim(60) is None


def test_the_oldest_run_comes_first(storage: Storage) -> None:
    for number in (3, 1, 2):
        storage.runs.submit(new_run(number))
    claimed = [storage.runs.claim(60) for _ in range(4)]
    assert [lease and lease.key for lease in claimed] == [key(3), key(1), key(2), None]


def test_a_claimed_run_has_started(storage: Storage) -> None:
    storage.runs.submit(new_run())
    lease = storage.runs.claim(60)
    assert (lease.key, lease.attempt) == (key(), 1)
    run = storage.runs.get(key())
    assert run.started_at is not None
    assert (run.status, run.attempt, run.position) == (RunStatus.RUNNING, 1, None)
    assert run.started_at >= run.submitted_at


def test_an_owner_with_fewer_running_runs_goes_first(storage: Storage) -> None:
    for number in range(4):
        storage.runs.submit(new_run(number, "greedy"))
    storage.runs.submit(new_run(9, "modest"))
    leases = [storage.runs.claim(60) for _ in range(3)]
    assert [lease and lease.key.owner for lease in leases] == ["greedy", "modest", "greedy"]


def test_with_one_slot_owners_take_turns_regardless_of_their_number_of_runs(storage: Storage) -> None:
    for number in range(6):
        storage.runs.submit(new_run(number, "greedy"))
    for number in range(2):
        storage.runs.submit(new_run(number, "modest"))
    served = []
    for _ in range(6):
        lease = storage.runs.claim(60)
        served.append(lease.key.owner)
        assert storage.runs.finish(lease, success())
    assert served == ["greedy", "modest", "greedy", "modest", "greedy", "greedy"]


def test_finished_runs_do_not_count_against_their_owner(storage: Storage) -> None:
    for number in range(5):
        finished(storage.runs, number, "ann")
    started(storage.runs, 9, "bob")
    storage.runs.submit(new_run(10, "bob"))
    storage.runs.submit(new_run(11, "ann"))
    lease = storage.runs.claim(60)
    assert lease.key.owner == "ann"


def test_a_position_counts_the_runs_queued_ahead(storage: Storage) -> None:
    positions = [storage.runs.submit(new_run(number)).run.position for number in (1, 2, 3)]
    assert positions == [0, 1, 2]
    storage.runs.claim(60)
    after = [storage.runs.get(key(number)) for number in (1, 2, 3)]
    assert [run and run.position for run in after] == [None, 0, 1]


def test_a_position_is_the_number_of_runs_that_really_start_before(storage: Storage) -> None:
    owners = ["ann", "bob", "cy", "dee"]
    chance = random.Random(11)  # noqa: S311 - the same line each time
    for number, owner in enumerate(["ann", "cy", "cy", "bob"]):
        started(storage.runs, 100 + number, owner)
    finished(storage.runs, 200, "dee")
    waiting = [key(number, chance.choice(owners)) for number in range(24)]
    for run in waiting:
        submitted = storage.runs.submit(new_run(int(run.run_hash, 16), run.owner)).run
        (event,) = storage.runs.events(run, after=0, limit=9)
        assert event.data["position"] == submitted.position
    positions = {record.position: record.key for record in map(storage.runs.get, waiting) if record is not None}
    leases = [storage.runs.claim(60) for _ in waiting]
    assert [lease and lease.key for lease in leases] == [positions.get(number) for number in range(len(waiting))]


def test_a_requeued_run_gets_its_new_position(storage: Storage) -> None:
    lease = started(storage.runs, 1, "ann")
    started(storage.runs, 2, "bob")
    for number, owner in ((3, "bob"), (4, "cy"), (5, "cy"), (6, "cy")):
        storage.runs.submit(new_run(number, owner))
    assert storage.runs.give_back(lease)
    # A start that was taken back does not count: Ann goes first, and Bob, who has one running, after Cy's first.
    run, told = storage.runs.get(lease.key), storage.runs.events(lease.key, after=0, limit=9)
    assert (run.position, told[-1].data) == (0, {"position": 0})
    third_of_cy = storage.runs.get(key(6, "cy"))
    assert third_of_cy.position == 4


def test_concurrent_claims_get_every_run_once(storage: Storage) -> None:
    for number in range(60):
        storage.runs.submit(new_run(number, f"owner {number % 3}"))

    def claim_all(_: int) -> list[Lease]:
        return list(iter(lambda: storage.runs.claim(60), None))

    with ThreadPoolExecutor(6) as threads:
        claimed = [lease for leases in threads.map(claim_all, range(6)) for lease in leases]
    assert Counter(lease.key for lease in claimed) == Counter(key(n, f"owner {n % 3}") for n in range(60))
    assert len({lease.token for lease in claimed}) == 60
    assert storage.runs.counts() == Counts(n_queued=0, n_running=60)


def test_counts_are_of_all_owners(storage: Storage) -> None:
    assert storage.runs.counts() == Counts(0, 0)
    storage.runs.submit(new_run(1, "ann"))
    storage.runs.submit(new_run(1, "bob"))
    started(storage.runs, 2)
    finished(storage.runs, 3)
    assert storage.runs.counts() == Counts(n_queued=2, n_running=1)


def test_a_heartbeat_keeps_leases_alive(storage: Storage) -> None:
    lease = started(storage.runs, lease_seconds=SHORT_SECONDS)
    answer = storage.runs.heartbeat([lease], 60)
    assert (answer.cancelled, answer.lost) == (frozenset(), frozenset())
    time.sleep(SHORT_SECONDS * 2)
    assert storage.runs.recover(3) == []


def test_a_heartbeat_without_leases_does_nothing(storage: Storage) -> None:
    answer = storage.runs.heartbeat([], 60)
    assert (answer.cancelled, answer.lost) == (frozenset(), frozenset())


def test_a_heartbeat_reports_runs_to_cancel_and_lost_leases(storage: Storage) -> None:
    kept, cancelled, done = (started(storage.runs, number) for number in (1, 2, 3))
    storage.runs.request_cancel(cancelled.key)
    storage.runs.finish(done, success())
    unknown = Lease(key(99), "no such token", 1)
    answer = storage.runs.heartbeat([kept, cancelled, done, unknown], 60)
    assert answer.cancelled == {cancelled.token}
    assert answer.lost == {done.token, unknown.token}


def test_a_valid_lease_is_not_taken_over(storage: Storage) -> None:
    lease = started(storage.runs, lease_seconds=60)
    assert storage.runs.recover(1) == []
    assert storage.runs.finish(lease, success())


def test_an_impossibly_long_lease_has_expired_because_the_clock_was_set_back(storage: Storage) -> None:
    lease = started(storage.runs, lease_seconds=3 * 3600)
    assert storage.runs.recover(max_attempts=3) == [lease.key]


def test_an_expired_run_is_requeued_at_its_old_position(storage: Storage) -> None:
    expired(storage, 1)
    storage.runs.submit(new_run(2))
    assert storage.runs.recover(3) == [key(1)]
    run = storage.runs.get(key(1))
    assert (run.status, run.attempt, run.position, run.started_at) == (RunStatus.QUEUED, 1, 0, None)
    assert [event.kind for event in storage.runs.events(key(1), after=0, limit=9)] == ["started", "queued"]
    lease = storage.runs.claim(60)
    assert (lease.key, lease.attempt) == (key(1), 2)


def test_a_process_that_lost_the_lease_can_change_nothing(storage: Storage) -> None:
    paused = expired(storage)
    storage.runs.recover(3)
    before = storage.runs.get(key()), storage.runs.events(key(), after=0, limit=99)
    assert storage.runs.heartbeat([paused], 60).lost == {paused.token}
    assert not storage.runs.tell(paused, progress=Progress(0.5, "2015-06-01", 1.0), log_lines=["late"])
    assert not storage.runs.finish(paused, success())
    assert not storage.runs.give_back(paused)
    assert (storage.runs.get(key()), storage.runs.events(key(), after=0, limit=99)) == before
    assert storage.runs.result(key()) is None


def test_the_next_attempt_is_safe_from_the_holder_before(storage: Storage) -> None:
    paused = expired(storage)
    storage.runs.recover(3)
    present = storage.runs.claim(60)
    assert not storage.runs.finish(paused, failure())
    assert not storage.runs.finish(replace(paused, attempt=2), failure())
    assert storage.runs.finish(present, success())
    run = storage.runs.get(key())
    assert run.status == RunStatus.SUCCEEDED


def test_a_late_holder_may_continue_if_the_run_was_not_taken_over(storage: Storage) -> None:
    late = expired(storage)
    assert storage.runs.heartbeat([late], 60).lost == frozenset()
    assert storage.runs.recover(3) == []
    assert storage.runs.finish(late, success())


def test_a_run_that_always_takes_the_service_down_finally_fails(storage: Storage) -> None:
    expired(storage)
    assert storage.runs.recover(2) == [key()]
    assert storage.runs.claim(SHORT_SECONDS) is not None
    time.sleep(SHORT_SECONDS * 2)
    assert storage.runs.recover(2) == [key()]
    run = storage.runs.get(key())
    assert (run.status, run.attempt, run.error.code) == (RunStatus.FAILED, 2, "attempts_exhausted")
    assert not run.error.is_repeatable
    assert storage.runs.events(key(), after=0, limit=99)[-1].kind == EventKind.FINISHED
    assert storage.runs.recover(2) == []


def test_a_recomputed_run_that_takes_the_service_down_keeps_its_result(storage: Storage) -> None:
    finished(storage.runs)
    storage.runs.submit(new_run(), rerun=True, lease_seconds=SHORT_SECONDS)
    time.sleep(SHORT_SECONDS * 2)
    storage.runs.recover(1)
    run = storage.runs.get(key())
    assert (run.status, run.error, run.has_result) == (RunStatus.SUCCEEDED, None, True)
    assert run.recomputed.error.code == "attempts_exhausted"


def test_an_expired_run_that_was_to_be_cancelled_is_cancelled(storage: Storage) -> None:
    expired(storage)
    storage.runs.request_cancel(key())
    assert storage.runs.recover(3) == [key()]
    run = storage.runs.get(key())
    assert run.status == RunStatus.CANCELLED


def test_expired_runs_are_recovered_oldest_first_and_once(storage: Storage) -> None:
    for number in (2, 1, 3):
        started(storage.runs, number, lease_seconds=SHORT_SECONDS)
    time.sleep(SHORT_SECONDS * 2)
    with ThreadPoolExecutor(4) as threads:
        recovered = [each for each in threads.map(lambda _: storage.runs.recover(3), range(4)) if each]
    together = [run for each in recovered for run in each]
    assert sorted(together) == [key(1), key(2), key(3)]
    assert all(each == [run for run in (key(2), key(1), key(3)) if run in each] for each in recovered)


def test_a_run_given_back_waits_again_and_the_attempt_does_not_count(storage: Storage) -> None:
    storage.runs.submit(new_run())
    lease = storage.runs.claim(60)
    storage.runs.tell(lease, progress=Progress(0.5, "2015-06-01", 1.0))
    assert storage.runs.give_back(lease)
    run = storage.runs.get(key())
    assert (run.status, run.attempt, run.progress, run.position) == (RunStatus.QUEUED, 0, None, 0)
    again = storage.runs.claim(60)
    assert (again.attempt, again.token != lease.token) == (1, True)
    kinds = [event.kind for event in storage.runs.events(key(), after=0, limit=99)]
    assert kinds == ["queued", "started", "progress", "queued", "started"]


def test_a_run_given_back_that_was_to_be_cancelled_is_cancelled(storage: Storage) -> None:
    lease = started(storage.runs)
    storage.runs.request_cancel(key())
    assert storage.runs.give_back(lease)
    run = storage.runs.get(key())
    assert run.status == RunStatus.CANCELLED
