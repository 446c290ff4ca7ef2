"""Snippets that the analysis cannot judge for certain: each that passes it must be contained."""

from collections.abc import Iterator

import pytest

from src.errors import StrategyFailed
from src.execution.reading.reading import read
from src.execution.sandbox.base import Sandbox
from tests.attacks.catalogue import Attack, snippets
from tests.execution.box_runs import InAdvance, price_table, run_in_box

CONTAINED = [snippet for snippet in snippets() if snippet.expect == "contained"]
STRATEGY = """
from hqg_algorithms import Strategy as _S, TargetWeights as _T

class Honest(_S):
    universe = ["AAA", "BBB"]
    def on_data(self, data, portfolio):
        return _T({"AAA": 0.5})
"""


@pytest.fixture(scope="module")
def ends_well(sandbox: Sandbox) -> Iterator[InAdvance]:
    """ends_well(number): whether that snippet was rejected or contained."""

    def try_it(snippet: Attack) -> bool:
        source = snippet.code + STRATEGY
        if read(source).violations:
            return True
        try:
            reply = run_in_box(sandbox, source, class_name="Honest", prices=price_table(5), wall_seconds=3.0)
        except StrategyFailed as error:
            return bool(error.errors)
        return reply.decisions == 5

    ends_well = InAdvance(try_it, CONTAINED)
    yield ends_well
    ends_well.close()


@pytest.mark.parametrize("number", range(len(CONTAINED)), ids=[snippet.id for snippet in CONTAINED])
def test_a_doubtful_snippet_is_rejected_or_contained(ends_well: InAdvance, number: int) -> None:
    assert ends_well(number)
