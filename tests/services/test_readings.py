from src.execution.reading import read
from src.services.readings import Readings

GOOD = """
from hqg_algorithms import BarSize, Cadence, ExecutionTiming, Hold, Strategy


class Still(Strategy):
    universe = ["{}"]
    cadence = Cadence(bar_size=BarSize.DAILY, execution=ExecutionTiming.CLOSE_TO_CLOSE)

    def on_data(self, data, portfolio):
        return Hold()
"""


class Counting:
    """The real reading, and what it was asked."""

    def __init__(self):
        self.asked = []

    def __call__(self, source):
        self.asked.append(source)
        return read(source)


def test_a_source_is_read_once_and_says_the_same_ever_after():
    reader = Counting()
    readings = Readings(reader)
    source, other = GOOD.format("SPY"), GOOD.format("BND")
    assert [readings(text) for text in (source, other, source)] == [read(source), read(other), read(source)]
    assert reader.asked == [source, other]


def test_a_source_with_faults_is_read_again():
    reader = Counting()
    readings = Readings(reader)
    assert readings("import os").violations == readings("import os").violations
    assert len(reader.asked) == 2


def test_the_source_that_was_not_asked_for_the_longest_is_forgotten():
    reader = Counting()
    readings = Readings(reader, max_readings=2)
    spy, bnd, gld = (GOOD.format(symbol) for symbol in ("SPY", "BND", "GLD"))
    for source in (spy, bnd, spy, gld, spy, bnd):
        readings(source)
    assert reader.asked == [spy, bnd, gld, bnd]


def test_half_a_surrogate_pair_in_a_source_is_no_fault_of_ours():
    assert Readings(read)("x = '\ud800'") == read("x = '\ud800'")
