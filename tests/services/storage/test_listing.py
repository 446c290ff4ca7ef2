"""What every RunStore promises of lists."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from src.services.storage.base import Storage
from src.services.storage.errors import CursorInvalid
from src.services.storage.records.runs import RunFilter, RunKey, RunStatus
from src.services.storage.sql.opening import open_engine
from src.services.storage.sql.tables import runs
from tests.services.storage.samples import (
    failure,
    finished,
    key,
    link_builder,
    new_run,
    result,
    sealed,
    started,
    success,
)

EVERYTHING = RunFilter()


def listed(storage: Storage, wanted: RunFilter = EVERYTHING, owner: str = "local") -> list[RunKey]:
    return [run.key for run in storage.runs.page(owner, wanted, limit=100).runs]


def test_an_empty_list_is_a_page(storage: Storage) -> None:
    page = storage.runs.page("local", EVERYTHING, limit=10)
    assert (page.runs, page.next_cursor) == ((), None)


def test_runs_come_newest_first(storage: Storage) -> None:
    for number in (2, 1, 3):
        storage.runs.submit(new_run(number))
    assert listed(storage) == [key(3), key(1), key(2)]


def test_a_list_omits_the_large_parts_of_a_run(storage: Storage) -> None:
    finished(storage.runs, outcome=failure())
    (shown,) = storage.runs.page("local", EVERYTHING, limit=10).runs
    whole = storage.runs.get(key())
    assert (whole.error.traceback, whole.error.logs) == ("line 17", ("printed",))
    assert (shown.error.traceback, shown.error.logs) == ("", ())
    assert (shown.error.code, shown.error.errors) == (whole.error.code, whole.error.errors)
    assert (shown.key, shown.status, shown.finished_at) == (whole.key, whole.status, whole.finished_at)


def test_a_list_shows_no_traceback_of_a_recomputation_either(storage: Storage) -> None:
    finished(storage.runs)
    lease = storage.runs.submit(new_run(), rerun=True, lease_seconds=60).lease
    storage.runs.finish(lease, failure())
    (shown,) = storage.runs.page("local", EVERYTHING, limit=10).runs
    assert (shown.recomputed.error.traceback, shown.recomputed.error.logs) == ("", ())


def test_a_list_has_no_positions(storage: Storage) -> None:
    storage.runs.submit(new_run())
    (shown,) = storage.runs.page("local", EVERYTHING, limit=10).runs
    assert (shown.status, shown.position) == (RunStatus.QUEUED, None)


def test_pages_follow_each_other_without_gap_or_repeat(storage: Storage) -> None:
    for number in range(7):
        storage.runs.submit(new_run(number))
    seen, cursor, sizes = [], None, []
    while True:
        page = storage.runs.page("local", EVERYTHING, limit=3, cursor=cursor)
        seen += [run.key for run in page.runs]
        sizes.append(len(page.runs))
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == [key(number) for number in reversed(range(7))]
    assert sizes == [3, 3, 1]


def test_a_page_that_ends_the_list_exactly_has_no_next(storage: Storage) -> None:
    for number in range(4):
        storage.runs.submit(new_run(number))
    first = storage.runs.page("local", EVERYTHING, limit=2)
    second = storage.runs.page("local", EVERYTHING, limit=2, cursor=first.next_cursor)
    assert first.next_cursor is not None
    assert second.next_cursor is None


def test_new_runs_do_not_shift_later_pages(storage: Storage) -> None:
    for number in range(4):
        storage.runs.submit(new_run(number))
    first = storage.runs.page("local", EVERYTHING, limit=2)
    storage.runs.submit(new_run(9))
    storage.runs.request_cancel(key(2))
    storage.runs.delete(key(2))
    second = storage.runs.page("local", EVERYTHING, limit=2, cursor=first.next_cursor)
    assert [run.key for run in second.runs] == [key(1), key(0)]


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "!!", "é", "\x00", "AAAA", "MS4y" * 1000, "OTk5OTk5OTk5OTk5OTk5OTk5OS4x", "LTEuLTE", "1e3", "\ud800"],
)
def test_a_foreign_cursor_is_refused(storage: Storage, cursor: str) -> None:
    with pytest.raises(CursorInvalid):
        storage.runs.page("local", EVERYTHING, limit=10, cursor=cursor)


def test_an_owner_sees_only_their_own_runs(storage: Storage) -> None:
    storage.runs.submit(new_run(1, "ann"))
    storage.runs.submit(new_run(1, "bob"))
    storage.runs.submit(new_run(2, "bob"))
    assert listed(storage, owner="ann") == [key(1, "ann")]
    assert listed(storage, owner="bob") == [key(2, "bob"), key(1, "bob")]
    assert listed(storage, owner="an") == listed(storage, owner="ANN") == listed(storage, owner="%") == []


def test_a_list_can_be_filtered_by_status(storage: Storage) -> None:
    storage.runs.submit(new_run(1))
    started(storage.runs, 2)
    finished(storage.runs, 3)
    finished(storage.runs, 4, outcome=failure())
    finished(storage.runs, 5, outcome=failure(status=RunStatus.TIMED_OUT))
    finished(storage.runs, 6, outcome=failure(status=RunStatus.CANCELLED))
    shown = {status: listed(storage, RunFilter(status=status)) for status in RunStatus}
    assert shown == {
        RunStatus.QUEUED: [key(1)],
        RunStatus.RUNNING: [key(2)],
        RunStatus.SUCCEEDED: [key(3)],
        RunStatus.FAILED: [key(4)],
        RunStatus.TIMED_OUT: [key(5)],
        RunStatus.CANCELLED: [key(6)],
    }


PARTS_OF_NAMES: list[tuple[str, list[int]]] = [
    ("momentum", [3, 1]),
    ("MOMENTUM", [3, 1]),
    ("tum 1", [1]),
    ("straße", [2]),
    ("STRASSE", [2]),
    ("Größe", [2]),
    ("%", [3]),
    ("_", []),
    ("\\", [4]),
    ("'", []),
    ("", [5, 4, 3, 2, 1]),
    ("\x00", [4]),
    ("absent", []),
]


def test_a_list_can_be_filtered_by_part_of_the_name(storage: Storage) -> None:
    for number, name in enumerate(("Momentum 1", "GRÖSSE der Straße", "50% momentum", "a\\b\x00c", None), start=1):
        storage.runs.submit(new_run(number, name=name))
    for wanted, found in PARTS_OF_NAMES:
        assert listed(storage, RunFilter(name=wanted)) == [key(number) for number in found], wanted


@pytest.mark.parametrize(
    ("wanted", "found"),
    [("SPY", [2, 1]), ("spy", [2, 1]), ("BRK-B", [2]), ("BRK", []), ("Y", []), ("S_Y", []), ("%", []), ("", [])],
)
def test_a_list_can_be_filtered_by_symbol(storage: Storage, wanted: str, found: list[int]) -> None:
    for number, symbols in enumerate((("SPY",), ("BND", "SPY", "BRK-B"), ("TLT",), ()), start=1):
        storage.runs.submit(new_run(number, symbols=symbols))
    assert listed(storage, RunFilter(symbol=wanted)) == [key(number) for number in found]


def test_a_list_can_be_filtered_by_time(storage: Storage) -> None:
    moments: list[datetime] = []
    for number in (1, 2, 3):
        moments.append(storage.runs.submit(new_run(number)).run.submitted_at)
        time.sleep(0.002)
    assert listed(storage, RunFilter(since=moments[1])) == [key(3), key(2)]
    assert listed(storage, RunFilter(since=moments[1] + timedelta(microseconds=1))) == [key(3)]
    assert listed(storage, RunFilter(since=moments[2] + timedelta(days=1))) == []


def test_filters_combine_and_apply_across_pages(storage: Storage) -> None:
    for number in range(6):
        finished(storage.runs, number, outcome=success() if number % 2 else failure())
    wanted = RunFilter(status=RunStatus.SUCCEEDED, name="RUN", symbol="BND")
    first = storage.runs.page("local", wanted, limit=2)
    second = storage.runs.page("local", wanted, limit=2, cursor=first.next_cursor)
    assert [run.key for run in (*first.runs, *second.runs)] == [key(5), key(3), key(1)]


def test_datasets_in_use_are_those_of_queued_and_running_runs(storage: Storage) -> None:
    for number, dataset in enumerate(("ab", "cd", "cd", None)):
        storage.runs.submit(new_run(number, dataset=dataset))
    assert storage.runs.datasets_in_use() == {"ab", "cd"}
    for _ in range(2):
        lease = storage.runs.claim(60)
        assert lease is not None
    assert storage.runs.datasets_in_use() == {"ab", "cd"}
    assert storage.runs.finish(lease, success())
    assert storage.runs.datasets_in_use() == {"ab", "cd"}, "another run needs it"
    storage.runs.request_cancel(key(2))
    assert storage.runs.datasets_in_use() == {"ab"}
    details = storage.runs.details(key(1))
    assert details.dataset == "cd", "a finished run still names it"


def test_a_run_accepted_again_names_its_new_dataset(storage: Storage) -> None:
    storage.runs.submit(new_run(dataset="ab"))
    storage.runs.request_cancel(key())
    storage.runs.submit(new_run(dataset="cd"))
    assert storage.runs.datasets_in_use() == {"cd"}


def test_surplus_runs_are_those_beyond_the_newest_of_each_owner(storage: Storage) -> None:
    for number in range(4):
        finished(storage.runs, number, "ann", failure() if number == 1 else None)
    finished(storage.runs, 1, "bob")
    storage.runs.submit(new_run(8, "ann"))
    started(storage.runs, 9, "ann")
    assert storage.runs.surplus(4) == []
    assert set(storage.runs.surplus(2)) == {key(0, "ann"), key(1, "ann")}
    assert len(storage.runs.surplus(0)) == 5


def test_runs_dated_in_the_future_do_not_displace_later_runs(
    storage_url: str, open_again: Callable[[], Storage]
) -> None:
    storage = open_again()
    for number in range(2):
        finished(storage.runs, number)
    engine = open_engine(storage_url)
    with engine.begin() as connection:
        connection.execute(update(runs).values(submitted_at=datetime.now(UTC) + timedelta(days=365)))
    engine.dispose()
    finished(storage.runs, 2)
    assert storage.runs.surplus(1) == [key(0), key(1)]


def test_runs_beyond_the_size_limit_are_surplus_except_the_newest(storage: Storage) -> None:
    for owner in ("ann", "bob"):
        for number, length in enumerate((40, 50, 60, None, 70)):
            answer = replace(result(), json_length=length) if length else None
            finished(storage.runs, number, owner, success(result=answer) if answer else failure())
    assert storage.runs.surplus(9) == []
    assert storage.runs.surplus(9, 220) == []
    # Of ann's, newest first: 70, then one without a result, then 60; the next would make it 180.
    assert set(storage.runs.surplus(9, 179)) == {key(n, owner) for n in (0, 1) for owner in ("ann", "bob")}
    assert storage.runs.surplus(9, 130)[:2] in ([key(0, "ann"), key(0, "bob")], [key(0, "bob"), key(0, "ann")])
    assert set(storage.runs.surplus(9, 0)) == {key(n, owner) for n in range(4) for owner in ("ann", "bob")}
    assert set(storage.runs.surplus(2, 179)) == {key(n, owner) for n in range(3) for owner in ("ann", "bob")}


def test_a_run_in_progress_is_not_surplus_even_if_it_had_finished_before(storage: Storage) -> None:
    finished(storage.runs)
    storage.runs.submit(new_run(), rerun=True)
    assert storage.runs.surplus(0) == []


def test_unsealed_runs_have_a_result_and_no_link(storage: Storage) -> None:
    finished(storage.runs, 1)
    finished(storage.runs, 2, outcome=failure())
    storage.runs.submit(new_run(3))
    sealed(storage, 4)
    finished(storage.runs, 5, "bob")
    assert storage.runs.unsealed() == [key(1), key(5, "bob")]


def test_a_run_whose_files_were_removed_is_unsealed_again(storage: Storage) -> None:
    sealed(storage, 1)
    storage.chain.mark_removed(key(1))
    assert storage.runs.unsealed() == [key(1)]
    storage.chain.append(key(1), link_builder(key(1)))
    assert storage.runs.unsealed() == []


def test_the_link_of_another_owner_does_not_seal_my_run(storage: Storage) -> None:
    sealed(storage, 1, "ann")
    finished(storage.runs, 1, "bob")
    assert storage.runs.unsealed() == [key(1, "bob")]
