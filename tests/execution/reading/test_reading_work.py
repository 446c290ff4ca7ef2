"""For the slowest known sources, the work of reading grows linearly with their size."""

import cProfile
import time

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
SMALL_BYTES = 2_000
LARGE_BYTES = policy.MAX_SOURCE_BYTES * 85 // 100


def calls_made(source: str) -> int:
    """The number of Python and C function calls that reading makes, which is the same on every machine."""
    profile = cProfile.Profile()
    profile.runcall(read, source)
    return sum(entry.callcount for entry in profile.getstats())


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_a_source_four_times_as_long_takes_at_most_five_times_the_work(family: Family) -> None:
    read(HONEST)
    small, large = (calls_made(family(size) + HONEST) for size in (SMALL_BYTES, 4 * SMALL_BYTES))
    assert large < 5 * small


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
@pytest.mark.slow
def test_no_source_takes_seconds_to_read(family: Family) -> None:
    """The bound is ten times the slowest source on an ordinary machine; unbounded work takes minutes."""
    # The whole size is often refused as too complex, and a third is read to its end.
    for size in (LARGE_BYTES, LARGE_BYTES // 3):
        start = time.thread_time()
        reading = read(family(size) + HONEST)
        assert time.thread_time() - start < 5
        assert [violation.rule for violation in reading.violations] != ["source-too-large"]
