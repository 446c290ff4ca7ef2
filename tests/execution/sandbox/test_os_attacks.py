"""A catalogue of programs that try to escape from a box, run without the analysis on every backend."""

from collections.abc import Iterator, Sequence

import pytest

from src.errors import StrategyFailed
from src.execution.sandbox.base import Sandbox
from tests.attacks.catalogue import Attack, programs
from tests.execution.box_runs import PRELUDE, InAdvance, price_table, run_in_box

ATTACKS = programs()

# A refused call leaves no trace, so the attacks of a family that only makes calls share a box, one a day.
SHARING = ("net", "sys")
BOXES = [[attack for attack in ATTACKS if attack.family == family] for family in SHARING]
BOXES += [[attack] for attack in ATTACKS if attack.family not in SHARING]
PLACES = [(number, attack) for number, box in enumerate(BOXES) for attack in box]

# Allowed on purpose; docs/security.md gives the reasons.
EXCEPTIONS: dict[str, set[str]] = {
    "docker": {"fs-11", "fs-12"},
    "docker+runsc": {"fs-10", "fs-19"},
    "bubblewrap": set(),
}

STRATEGY = """
class Mine(Base):
    def on_data(self, data, portfolio):
        name, code = ATTACKS.pop(0)
        print("ATTACK", name, flush=True)
        exec(code, {})
        return Hold()

"""


@pytest.fixture(scope="module")
def output_of(sandbox: Sandbox) -> Iterator[InAdvance]:
    """output_of(number): the output of each attack in that box by its id, with the error if the run failed."""

    def attempt(box: Sequence[Attack]) -> dict[str, list[str]]:
        source = PRELUDE + STRATEGY + f"ATTACKS = {[(attack.id, attack.code) for attack in box]!r}\n"
        try:
            lines = run_in_box(sandbox, source, prices=price_table(len(box)), wall_seconds=10.0 * len(box)).logs
        except StrategyFailed as error:
            lines = (*error.logs, *error.errors)
        outputs: dict[str, list[str]] = {}
        said = []
        for line in lines:
            if line.startswith("ATTACK "):
                said = outputs.setdefault(line.removeprefix("ATTACK "), [])
            else:
                said.append(line)
        return outputs

    output_of = InAdvance(attempt, BOXES)
    yield output_of
    output_of.close()


@pytest.mark.parametrize(("number", "attack"), PLACES, ids=[attack.id for _, attack in PLACES])
def test_an_attack_is_blocked(sandbox: Sandbox, output_of: InAdvance, number: int, attack: Attack) -> None:
    said = output_of(number).get(attack.id)
    assert said, "the program said nothing: it did not run"
    is_allowed = any(line.startswith("VERDICT allowed") for line in said)
    assert is_allowed == (attack.id in EXCEPTIONS[sandbox.name]), (attack.technique, said)
