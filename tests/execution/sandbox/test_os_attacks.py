"""A catalogue of programs that try to get out of a box, run past the analyser as user code on every backend.

Each program prints VERDICT allowed or VERDICT blocked. The catalogue lies outside the project; where it is
absent these tests are skipped.
"""

import json
from collections.abc import Iterator

import pytest

from src.errors import StrategyFailed
from src.execution.sandbox.base import Sandbox
from tests.conftest import PROJECT
from tests.execution.box_runs import PRELUDE, InAdvance, price_table, run_in_box

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


@pytest.fixture(scope="module")
def said_by(sandbox: Sandbox) -> Iterator[InAdvance]:
    """said_by(number): what that attack printed, and how its run ended where it failed."""

    def attempt(attack: dict[str, str]) -> list[str]:
        source = PRELUDE + STRATEGY + f"ATTACK = {attack['code']!r}\n"
        try:
            return list(run_in_box(sandbox, source, prices=price_table(1), wall_seconds=10.0).logs)
        except StrategyFailed as error:
            return [*error.logs, *error.errors]

    said_by = InAdvance(attempt, ATTACKS)
    yield said_by
    said_by.close()


@pytest.mark.parametrize("number", range(len(ATTACKS)), ids=[attack["id"] for attack in ATTACKS])
def test_an_attack_is_blocked(sandbox: Sandbox, said_by: InAdvance, number: int) -> None:
    attack, said = ATTACKS[number], said_by(number)
    assert said, "the program said nothing: it did not run"
    is_allowed = any(line.startswith("VERDICT allowed") for line in said)
    assert is_allowed == (attack["id"] in EXCEPTIONS[sandbox.name]), (attack["technique"], said)
