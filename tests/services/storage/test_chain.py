"""What every ChainStore promises."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from src.services.storage.base import BuildLink, Storage
from src.services.storage.errors import RunGone
from src.services.storage.records.chain import Link
from src.services.storage.records.runs import RunKey
from tests.services.storage.samples import failure, finished, key, link_builder, new_run, sealed


def assert_unbroken(links: list[Link]) -> None:
    assert [link.number for link in links] == list(range(1, len(links) + 1))
    assert [link.previous_hash for link in links] == ["", *(link.manifest_hash for link in links)][:-1]


def test_links_follow_each_other(storage: Storage) -> None:
    made = [sealed(storage, number) for number in (5, 3, 4)]
    links = list(storage.chain.links("local"))
    assert links == made
    assert_unbroken(links)
    assert links[0].sealed_at == datetime(2026, 1, 2, tzinfo=UTC)
    assert storage.chain.link(key(3)) == made[1]


def test_every_owner_has_a_separate_chain(storage: Storage) -> None:
    for number in (1, 2):
        sealed(storage, number, "ann")
    sealed(storage, 1, "bob")
    for owner, length in (("ann", 2), ("bob", 1), ("cyn", 0)):
        links = list(storage.chain.links(owner))
        assert len(links) == length
        assert_unbroken(links)
    assert sorted(storage.chain.owners()) == ["ann", "bob"]
    assert storage.chain.link(key(2, "bob")) is None


def test_a_run_that_has_a_link_gets_no_second_one(storage: Storage) -> None:
    first, calls = sealed(storage), []
    assert storage.chain.append(key(), link_builder(key(), calls)) == first
    assert calls == []


def test_a_link_is_built_with_its_number_and_the_previous_hash(storage: Storage) -> None:
    first, calls = sealed(storage, 1), []
    finished(storage.runs, 2)
    storage.chain.append(key(2), link_builder(key(2), calls))
    assert calls == [(2, first.manifest_hash)]


def test_nothing_is_added_when_building_fails(storage: Storage) -> None:
    def build(number: int, previous_hash: str) -> Link:
        raise OSError("no space left")

    finished(storage.runs)
    with pytest.raises(OSError, match="no space left"):
        storage.chain.append(key(), build)
    assert storage.chain.links("local") == []
    assert storage.chain.append(key(), link_builder(key())).number == 1


@pytest.mark.parametrize("change", [{"number": 7}, {"previous_hash": "x"}, {"owner": "bob"}, {"run_hash": "other"}])
def test_a_link_that_does_not_fit_is_not_added(storage: Storage, change: dict[str, object]) -> None:
    finished(storage.runs)
    build = link_builder(key())
    with pytest.raises(ValueError, match="link"):
        storage.chain.append(key(), lambda number, previous: replace(build(number, previous), **change))
    assert storage.chain.links("local") == []


def test_a_run_that_is_gone_or_has_no_result_gets_no_link(storage: Storage) -> None:
    calls: list[tuple[int, str]] = []
    finished(storage.runs, 1)
    storage.runs.delete(key(1))
    finished(storage.runs, 2, outcome=failure())
    storage.runs.submit(new_run(3))
    for number in (1, 2, 3, 99):
        with pytest.raises(RunGone):
            storage.chain.append(key(number), link_builder(key(number), calls))
    assert calls == []


def test_concurrent_appends_make_one_unbroken_chain(storage: Storage) -> None:
    for number in range(24):
        finished(storage.runs, number)
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda n: storage.chain.append(key(n), link_builder(key(n))), range(24)))
    links = list(storage.chain.links("local"))
    assert_unbroken(links)
    assert sorted(made, key=lambda link: link.number) == links


def test_concurrent_seals_of_one_run_make_one_link(storage: Storage) -> None:
    finished(storage.runs)
    with ThreadPoolExecutor(8) as threads:
        made = set(threads.map(lambda _: storage.chain.append(key(), link_builder(key())), range(16)))
    assert len(made) == len(storage.chain.links("local")) == 1


def test_removed_files_are_noted_and_the_chain_stays(storage: Storage) -> None:
    links = [sealed(storage, number) for number in (1, 2, 3)]
    (gone,) = storage.chain.mark_removed(key(2))
    assert gone.removed_at.tzinfo is UTC
    assert replace(gone, removed_at=None) == links[1]
    assert storage.chain.link(key(2)) is None
    after = list(storage.chain.links("local"))
    assert after == [links[0], gone, links[2]]
    assert_unbroken(after)
    assert storage.chain.mark_removed(key(2)) == []
    assert storage.chain.mark_removed(key(99)) == []


def test_only_the_owners_own_files_are_removed(storage: Storage) -> None:
    sealed(storage, 1, "ann")
    assert storage.chain.mark_removed(key(1, "bob")) == []
    assert storage.chain.link(key(1, "ann")) is not None


def test_a_run_recomputed_after_its_removal_gets_a_new_link(storage: Storage) -> None:
    sealed(storage, 1)
    storage.chain.mark_removed(key(1))
    storage.runs.delete(key(1))
    again = sealed(storage, 1)
    assert again.number == 2
    assert storage.chain.link(key(1)) == again
    assert len(storage.chain.links("local")) == 2


def test_the_links_of_a_deleted_run_stay(storage: Storage) -> None:
    link = sealed(storage)
    storage.runs.delete(key())
    assert list(storage.chain.links("local")) == [link]


def test_a_run_deleted_while_it_is_sealed_is_gone_before_or_can_be_marked_after(storage: Storage) -> None:
    def slow_build(run: RunKey) -> BuildLink:
        def build(number: int, previous_hash: str) -> Link:
            time.sleep(0.02)
            return link_builder(run)(number, previous_hash)

        return build

    def seal(number: int) -> bool:
        try:
            storage.chain.append(key(number), slow_build(key(number)))
        except RunGone:
            return False
        return True

    def remove(number: int) -> bool:
        assert storage.runs.delete(key(number))
        return bool(storage.chain.mark_removed(key(number)))

    for number in range(6):
        finished(storage.runs, number)
        with ThreadPoolExecutor(2) as threads:
            was_sealed, was_marked = threads.submit(seal, number), threads.submit(remove, number)
        assert was_sealed.result() == was_marked.result()
    assert_unbroken(list(storage.chain.links("local")))
