"""A catalogue of programs that try to get out of a box, run past the analyser as user code on every backend.

Each program prints VERDICT allowed or VERDICT blocked. The catalogue lies outside the project; where it is
absent these tests are skipped.
"""

import json

import pytest

from src.errors import StrategyFailed
from src.execution.sandbox.base import Sandbox
from tests.conftest import PROJECT
from tests.execution.box_runs import PRELUDE, price_table, run_in_box

CATALOGUE = PROJECT.parent / "shared" / "attacks" / "os_attacks.jsonl"
ATTACKS = [json.loads(line) for line in CATALOGUE.read_text().splitlines()] if CATALOGUE.is_file() else []

# Allowed on purpose, each with its reason in docs/security.md.
EXCEPTIONS: dict[str, set[str]] = {
    "docker": {"fs-11", "fs-12"},
    "docker+runsc": {"fs-10", "fs-19"},
    "bubblewrap": set(),
}

STRATEGY = """
class Mine(Base):
    def on_data(self, data, portfolio):
        exec(ATTACK, {})
        return Hold()

"""


def test_the_catalogue_is_there() -> None:
    if not ATTACKS:
        pytest.skip(f"no catalogue of attacks: {CATALOGUE.name} is absent")
    assert len(ATTACKS) >= 60


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack["id"])
def test_an_attack_is_blocked(sandbox: Sandbox, attack: dict[str, str]) -> None:
    source = PRELUDE + STRATEGY + f"ATTACK = {attack['code']!r}\n"
    try:
        said = list(run_in_box(sandbox, source, prices=price_table(1), wall_seconds=10.0).logs)
    except StrategyFailed as error:
        said = [*error.logs, *error.errors]
    assert said, "the program said nothing: it did not run"
    is_allowed = any(line.startswith("VERDICT allowed") for line in said)
    assert is_allowed == (attack["id"] in EXCEPTIONS[sandbox.name]), (attack["technique"], said)
