"""A catalogue of programs that try to escape from a box, run without the analysis on every backend."""

from collections.abc import Iterator

import pytest

from src.errors import StrategyFailed
from src.execution.sandbox.base import Sandbox
from tests.attacks.catalogue import Attack, programs
from tests.execution.box_runs import PRELUDE, InAdvance, price_table, run_in_box

ATTACKS = programs()

# Allowed on purpose; docs/security.md gives the reasons.
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


@pytest.fixture(scope="module")
def output_of(sandbox: Sandbox) -> Iterator[InAdvance]:
    """output_of(number): the output of that attack, and the error if its run failed."""

    def attempt(attack: Attack) -> list[str]:
        source = PRELUDE + STRATEGY + f"ATTACK = {attack.code!r}\n"
        try:
            return list(run_in_box(sandbox, source, prices=price_table(1), wall_seconds=10.0).logs)
        except StrategyFailed as error:
            return [*error.logs, *error.errors]

    output_of = InAdvance(attempt, ATTACKS)
    yield output_of
    output_of.close()


@pytest.mark.parametrize("number", range(len(ATTACKS)), ids=[attack.id for attack in ATTACKS])
def test_an_attack_is_blocked(sandbox: Sandbox, output_of: InAdvance, number: int) -> None:
    attack, said = ATTACKS[number], output_of(number)
    assert said, "the program said nothing: it did not run"
    is_allowed = any(line.startswith("VERDICT allowed") for line in said)
    assert is_allowed == (attack.id in EXCEPTIONS[sandbox.name]), (attack.technique, said)
