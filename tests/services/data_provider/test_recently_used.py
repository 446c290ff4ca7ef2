"""The cache of bars is bounded, and a newer stamp never finds older bars."""

import numpy as np

from src.services.data_provider.cleaning import SymbolBars
from src.services.data_provider.recently_used import RecentlyUsed


def bars_of(n_days: int) -> SymbolBars:
    dates = np.datetime64("2020-01-02", "D") + np.arange(n_days)
    return SymbolBars(dates, np.ones((n_days, 5)))


SIZE = bars_of(10).size_bytes


def test_an_entry_is_found_only_with_its_stamp():
    memory, bars = RecentlyUsed(10 * SIZE), bars_of(10)
    memory.put("A", 1, bars)
    assert memory.get("A", 1) is bars
    assert memory.get("A", 2) is None
    assert memory.get("B", 1) is None


def test_a_newer_stamp_replaces_the_older():
    memory, newer = RecentlyUsed(SIZE), bars_of(10)
    memory.put("A", 1, bars_of(10))
    memory.put("A", 2, newer)
    assert memory.get("A", 1) is None
    assert memory.get("A", 2) is newer


def test_the_least_recently_used_entry_is_dropped_first():
    memory = RecentlyUsed(2 * SIZE)
    memory.put("A", 1, bars_of(10))
    memory.put("B", 1, bars_of(10))
    memory.get("A", 1)
    memory.put("C", 1, bars_of(10))
    assert [memory.get(key, 1) is not None for key in "ABC"] == [True, False, True]


def test_an_entry_larger_than_the_limit_is_not_kept_and_drops_no_other():
    memory = RecentlyUsed(SIZE - 1)
    memory.put("B", 1, bars_of(1))
    memory.put("A", 1, bars_of(10))
    assert memory.get("A", 1) is None
    assert memory.get("B", 1) is not None


def test_without_a_stamp_nothing_is_kept_and_nothing_found():
    memory = RecentlyUsed(10 * SIZE)
    memory.put("A", None, bars_of(10))
    memory.put("B", 1, bars_of(10))
    assert [memory.get(key, None) for key in "AB"] == [None, None]
