"""What the documents say exists, exists."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from src.execution.reading.reading import read

ROOT = Path(__file__).resolve().parents[2]
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])


def name_of(document: Path) -> str:
    """For the test's own name."""
    return str(document.relative_to(ROOT))


def targets() -> set[str]:
    """The names that the Makefile knows."""
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_link_to_a_file_leads_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", document.read_text())
    files = [link for link in links if not link.startswith("http")]
    assert [link for link in files if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_path_of_the_project_that_is_named_exists(document: Path) -> None:
    named = re.findall(r"`((?:src|hqg_backtester|tests|docs|scripts|examples|bench)/[\w/.-]+)`", document.read_text())
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_every_step_of_the_architecture_s_picture_is_where_it_says() -> None:
    steps = re.findall(r'"(\d+) \w+: ([\w/.]+)', ARCHITECTURE)
    assert [int(number) for number, _ in steps] == list(range(1, 11))
    named = {path for _, path in steps} | set(
        re.findall(r"(?<![\w/])(?:api|services|execution)/[\w/.]+\w", ARCHITECTURE)
    )
    assert [path for path in sorted(named) if not (ROOT / "src" / path).exists()] == []


def test_the_ground_plan_names_every_room_and_no_other() -> None:
    named, above = set(), ""
    for indent, room in re.findall(r"^([│ ]*)[├└]── (\w+)/ ", ARCHITECTURE, re.MULTILINE):
        above = above if indent else room
        named.add(f"{above}/{room}" if indent else room)
    packages = {path.parent for path in (ROOT / "src").glob("*/__init__.py")}
    rooms = {path.parent for path in (ROOT / "src").glob("*/*/__init__.py")} | {ROOT / "src/api/web"}
    assert named == {str(folder.relative_to(ROOT / "src")) for folder in packages | rooms}


def test_the_directions_of_the_ground_plan_are_those_that_lint_holds() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    held = {
        f"* in `{contract['containers'][0].replace('.', '/')}`: {' → '.join(contract['layers'])}"
        for contract in contracts
        if contract["type"] == "layers"
    }
    assert held == set(re.findall(r"^\* in `src.*", ARCHITECTURE, re.MULTILINE))


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_make_command_that_is_named_exists(document: Path) -> None:
    named = set(re.findall(r"(?:^|`|[A-Z_]+=\S+ )make ([a-z]+)", document.read_text(), re.MULTILINE))
    assert named <= targets()


def test_plain_make_lists_every_command_that_a_person_may_use() -> None:
    listed = subprocess.run(["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True)
    phony = set(re.findall(r"^\.PHONY: (\w+)", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert phony == set(re.findall(r"^  make (\w+) +\S", listed.stdout, re.MULTILINE))


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_strategy_in_a_document_is_accepted(document: Path) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", document.read_text(), re.MULTILINE | re.DOTALL)
    strategies = [block for block in blocks if re.search(r"^class \w+\(Strategy\)", block, re.MULTILINE)]
    assert [violation.message for block in strategies for violation in read(block).violations] == []
