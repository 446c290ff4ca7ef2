"""The project's own attacks and strategies leave out none of those that it was given."""

import ast
import json
from pathlib import Path

from tests.attacks.catalogue import programs, snippets
from tests.prerequisites import shared


def test_every_given_snippet_is_among_ours() -> None:
    given = [json.loads(line) for line in shared("attacks", "pyjail.jsonl").read_text().splitlines()]
    ours = {(snippet.code, snippet.expect) for snippet in snippets()}
    assert [attack["id"] for attack in given if (attack["code"], attack["expect"]) not in ours] == []


def test_every_given_program_is_among_ours() -> None:
    given = [json.loads(line) for line in shared("attacks", "os_attacks.jsonl").read_text().splitlines()]
    ours = {program.code for program in programs()}
    assert [attack["id"] for attack in given if attack["code"] not in ours] == []


def test_every_given_strategy_is_among_ours(strategies_folder: Path) -> None:
    for path in shared("strategies").glob("*.py"):
        ours = (strategies_folder / path.name).read_text(encoding="utf-8")
        assert ast.dump(ast.parse(ours)) == ast.dump(ast.parse(path.read_text(encoding="utf-8"))), path.name


def test_no_two_attacks_share_an_id() -> None:
    for catalogue in (snippets(), programs()):
        assert len({attack.id for attack in catalogue}) == len(catalogue) > 60
