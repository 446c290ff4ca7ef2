"""What every RunStore promises of the events of a run."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC

from src.services.storage.base import Storage
from src.services.storage.records.attempts import EventKind, Outcome, RunEvent
from src.services.storage.records.runs import Progress, RunStatus
from tests.services.storage.samples import failure, finished, key, new_run, started, success


def events(storage: Storage, after: int = 0, limit: int = 1000) -> list[RunEvent]:
    return storage.runs.events(key(), after=after, limit=limit)


def told(storage: Storage) -> list[tuple[EventKind, object]]:
    return [(event.kind, event.data) for event in events(storage)]


def test_a_run_has_an_event_for_each_step_of_its_life(storage: Storage) -> None:
    storage.runs.submit(new_run())
    lease = storage.runs.claim(60)
    storage.runs.tell(lease, progress=Progress(0.5, "2015-12-31", 10_500.25), log_lines=["one", "two"])
    storage.runs.finish(lease, success(log_lines=("three",)))
    assert told(storage) == [
        (EventKind.QUEUED, {"position": 0}),
        (EventKind.STARTED, {"attempt": 1}),
        (EventKind.LOG, {"lines": ["one", "two"]}),
        (EventKind.PROGRESS, {"share": 0.5, "day": "2015-12-31", "equity": 10_500.25}),
        (EventKind.LOG, {"lines": ["three"]}),
        (
            EventKind.FINISHED,
            {"status": "succeeded", "error": None, "metrics": {"sharpe_ratio": 1.5}, "recomputed": None},
        ),
    ]
    assert [event.id for event in events(storage)] == [1, 2, 3, 4, 5, 6]
    moments = [event.at for event in events(storage)]
    assert moments == sorted(moments)
    assert all(at.tzinfo is UTC for at in moments)


def test_the_last_event_says_why_a_run_failed_and_leaves_its_logs_to_the_log_events(storage: Storage) -> None:
    finished(storage.runs, outcome=failure(log_lines=("printed",)))
    *_, (kind, data) = told(storage)
    error = {"code": "strategy_failed", "errors": ["ZeroDivisionError"], "traceback": "line 17", "logs": []}
    assert (kind, data) == (
        EventKind.FINISHED,
        {"status": "failed", "error": error, "metrics": None, "recomputed": None},
    )


def test_the_last_event_has_the_outcome_of_a_recomputation(storage: Storage) -> None:
    finished(storage.runs)
    lease = storage.runs.submit(new_run(), rerun=True, lease_seconds=60).lease
    storage.runs.finish(lease, success(differences=("metrics.alpha",)))
    last = events(storage)[-1]
    assert (last.data["status"], last.data["error"]) == ("succeeded", None)
    assert last.data["metrics"] == {"sharpe_ratio": 1.5}
    assert last.data["recomputed"] == {
        "at": last.at.isoformat().replace("+00:00", "Z"),
        "status": "succeeded",
        "differences": ["metrics.alpha"],
        "error": None,
    }


def test_a_cancelled_queued_run_has_a_finished_event(storage: Storage) -> None:
    storage.runs.submit(new_run())
    storage.runs.request_cancel(key())
    assert [kind for kind, _ in told(storage)] == ["queued", "finished"]
    assert events(storage)[-1].data["status"] == "cancelled"


def test_a_cancel_request_is_not_an_event(storage: Storage) -> None:
    started(storage.runs)
    storage.runs.request_cancel(key())
    assert [kind for kind, _ in told(storage)] == ["started"]


def test_reporting_nothing_stores_nothing_and_returns_whether_the_lease_is_valid(storage: Storage) -> None:
    lease = started(storage.runs)
    assert storage.runs.tell(lease)
    assert len(events(storage)) == 1
    storage.runs.finish(lease, Outcome(RunStatus.CANCELLED))
    assert not storage.runs.tell(lease)


def test_events_can_be_read_from_any_id(storage: Storage) -> None:
    lease = started(storage.runs)
    for number in range(1, 6):
        storage.runs.tell(lease, progress=Progress(number / 10, "2015-01-01", 1.0))
    assert [event.id for event in events(storage, after=2)] == [3, 4, 5, 6]
    assert [event.id for event in events(storage, after=2, limit=2)] == [3, 4]
    assert events(storage, after=6) == []
    assert events(storage, after=10**30) == []
    assert len(events(storage, after=-1)) == 6
    assert len(events(storage, after=-(10**30))) == 6


def test_events_of_many_runs_do_not_mix(storage: Storage) -> None:
    leases = [started(storage.runs, number) for number in (1, 2)]
    for lease in leases:
        storage.runs.tell(lease, log_lines=[lease.key.run_hash])
    assert told(storage)[-1] == (EventKind.LOG, {"lines": [key().run_hash]})


def test_ids_have_no_gaps_under_concurrent_writes(storage: Storage) -> None:
    lease = started(storage.runs)

    def tell(number: int) -> None:
        assert storage.runs.tell(lease, progress=Progress(number / 40, "2015-01-01", 1.0), log_lines=[str(number)])

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(tell, range(40)))
    stored = events(storage)
    assert [event.id for event in stored] == list(range(1, 82))
    lines = [event.data["lines"][0] for event in stored if event.kind == EventKind.LOG]
    assert sorted(lines) == sorted(map(str, range(40)))


def test_a_reader_never_sees_a_gap_while_others_write(storage: Storage) -> None:
    lease = started(storage.runs)

    def write() -> None:
        for number in range(40):
            storage.runs.tell(lease, progress=Progress(number / 40, "2015-01-01", 1.0), log_lines=["x"])

    with ThreadPoolExecutor(3) as threads:
        writers = [threads.submit(write) for _ in range(2)]
        seen: list[int] = []
        while not all(writer.done() for writer in writers) or events(storage, after=len(seen)):
            seen += [event.id for event in events(storage, after=len(seen), limit=7)]
    assert seen == list(range(1, 162))


def test_events_can_be_filtered_by_kind(storage: Storage) -> None:
    lease = started(storage.runs)
    for day in range(3):
        storage.runs.tell(lease, progress=Progress(day / 3, "2015-12-31", 1.0), log_lines=[str(day)])
    kinds = (EventKind.STARTED, EventKind.LOG)
    asked = storage.runs.events(key(), after=0, limit=3, kinds=kinds)
    assert [event.id for event in asked] == [1, 2, 4]
    run = storage.runs.get(key())
    assert run.last_event == 7
