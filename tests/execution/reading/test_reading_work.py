"""For the slowest known sources, the work of reading grows linearly with their size."""

import gc
import sys
import time
from collections.abc import Callable

import pytest

from src.execution.reading import policy
from src.execution.reading.reading import read
from tests.execution.reading.slow_sources import FAMILIES, Family

HONEST = """
from hqg_algorithms import Hold, Strategy


class Honest(Strategy):
    universe = ["SPY"]

    def on_data(self, data, portfolio):
        return Hold()
"""
SMALL_BYTES = 6_000
LARGE_BYTES = policy.MAX_SOURCE_BYTES * 85 // 100


def calls_made(function: Callable[[str], object], source: str) -> int:
    """The number of Python and C function calls, which is the same on every machine."""
    count = 0

    def note(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        function(source)
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_a_source_four_times_as_long_takes_at_most_six_times_the_work(family: Family) -> None:
    read(HONEST)
    small, large = (calls_made(read, family(size) + HONEST) for size in (SMALL_BYTES, 4 * SMALL_BYTES))
    assert large < 6 * small


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_no_source_takes_seconds_to_read(family: Family) -> None:
    """The bound is ten times the slowest source on an ordinary machine; unbounded work takes minutes."""
    for size in (LARGE_BYTES, LARGE_BYTES // 2, LARGE_BYTES // 3):
        source = family(size) + HONEST
        gc.disable()
        start = time.thread_time()
        try:
            reading = read(source)
        finally:
            gc.enable()
        assert time.thread_time() - start < 5
        assert [violation.rule for violation in reading.violations] != ["source-too-large"]
