"""Snippets that a reader of source cannot be sure about: whatever gets past the analysis must be survived."""

import json

import pytest

from src.errors import StrategyFailed
from src.execution.reading import read
from src.execution.sandbox.base import Sandbox
from tests.conftest import PROJECT
from tests.execution.box_runs import price_table, run_in_box

CATALOGUE = PROJECT.parent / "shared" / "attacks" / "pyjail.jsonl"
SNIPPETS = [json.loads(line) for line in CATALOGUE.read_text().splitlines()] if CATALOGUE.is_file() else []
CONTAINED = [snippet for snippet in SNIPPETS if snippet["expect"] == "contained"]
STRATEGY = """
from hqg_algorithms import Strategy as _S, TargetWeights as _T

class Honest(_S):
    universe = ["AAA", "BBB"]
    def on_data(self, data, portfolio):
        return _T({"AAA": 0.5})
"""


def test_the_catalogue_is_there() -> None:
    if not CONTAINED:
        pytest.skip(f"no catalogue of attacks: {CATALOGUE.name} is absent")
    assert len(CONTAINED) >= 40


@pytest.mark.parametrize("snippet", CONTAINED, ids=lambda snippet: snippet["id"])
def test_it_is_rejected_or_survived(sandbox: Sandbox, snippet: dict[str, str]) -> None:
    source = snippet["code"] + STRATEGY
    if read(source).violations:
        return
    try:
        reply = run_in_box(sandbox, source, class_name="Honest", prices=price_table(5), wall_seconds=3.0)
    except StrategyFailed as error:
        assert error.errors
    else:
        assert reply.decisions == 5
