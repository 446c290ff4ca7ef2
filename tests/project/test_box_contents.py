"""What ships in the box: the Dockerfile, the bubblewrap backend and the runner's imports must agree."""

import ast
import json
import shlex
import sys
from pathlib import Path

import pytest

from src.execution.sandbox.base import BOX_COMMAND, BOX_ENVIRONMENT, BOX_SOURCES, BOX_USER_ID

ROOT = Path(__file__).resolve().parents[2]
ALLOWED_OUTSIDERS = sys.stdlib_module_names | {"hqg_algorithms", "numpy"}
"""NumPy is imported only to seed it, when the strategy uses it."""
OURS = ("src/", "hqg_backtester/")
FOR_STRATEGIES = {ROOT / "hqg_backtester" / name for name in ("__init__.py", "signals.py", "version.py")}
"""What only a strategy imports: without the client, which talks to a service."""


def instructions(dockerfile: str) -> list[list[str]]:
    """The instructions of a Dockerfile, each split into words, continued lines joined."""
    text = (ROOT / dockerfile).read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    return [[line.split()[0], *shlex.split(line.partition(" ")[2])] for line in lines]


def modules_below(*paths: Path) -> set[Path]:
    """Every Python file that these files and folders hold."""
    return {file for path in paths for file in (path.rglob("*.py") if path.is_dir() else [path])}


def copied_into_the_box() -> set[Path]:
    """Every module of this project that Dockerfile.sandbox copies."""
    copies = [words[1:-1] for words in instructions("Dockerfile.sandbox") if words[0] == "COPY"]
    return modules_below(*(ROOT / path for words in copies for path in words if path.startswith(OURS)))


def imports_of(file: Path) -> set[str]:
    """Dotted names of everything a file imports, at any place in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(), str(file))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file} has a relative import, which this walk does not follow"
            assert node.module is not None
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def files_of(name: str) -> set[Path]:
    """The files that importing this dotted name of ours runs: the packages on the way, then the module."""
    parts = name.split(".")
    packages = {ROOT.joinpath(*parts[:length], "__init__.py") for length in range(1, len(parts) + 1)}
    return {file for file in (*packages, ROOT.joinpath(*parts).with_suffix(".py")) if file.is_file()}


def reachable_from(start: str) -> set[Path]:
    """Every module of ours that importing `start` can lead to."""
    found: set[Path] = set()
    waiting = files_of(start)
    while waiting:
        file = waiting.pop()
        found.add(file)
        for name in imports_of(file):
            if f"{name.split('.')[0]}/" in OURS:
                waiting |= files_of(name) - found
    return found


def test_the_image_holds_exactly_what_the_runner_can_import() -> None:
    copied, reachable = copied_into_the_box(), reachable_from("src.execution.runner.start")
    assert FOR_STRATEGIES.isdisjoint(reachable), "a strategy that does not import it would pay for it"
    needed = reachable | FOR_STRATEGIES
    assert {str(file.relative_to(ROOT)) for file in needed - copied} == set(), "imported, but not in the image"
    assert {str(file.relative_to(ROOT)) for file in copied - needed} == set(), "in the image for nothing"


def test_both_backends_offer_the_same_sources() -> None:
    assert modules_below(*(ROOT / name for name in BOX_SOURCES)) == copied_into_the_box()


@pytest.mark.parametrize("file", sorted(copied_into_the_box()), ids=lambda file: str(file.relative_to(ROOT)))
def test_what_ships_needs_nothing_but_the_standard_library_and_the_strategy_interface(file: Path) -> None:
    outsiders = {name.split(".")[0] for name in imports_of(file)} - {name.rstrip("/") for name in OURS}
    assert outsiders <= ALLOWED_OUTSIDERS


def test_the_image_starts_the_runner_as_the_backends_do() -> None:
    lines = (ROOT / "Dockerfile.sandbox").read_text().splitlines()
    command = json.loads(next(line for line in lines if line.startswith("CMD ")).removeprefix("CMD "))
    assert command == ["python", *BOX_COMMAND]
    environment = next(words[1:] for words in instructions("Dockerfile.sandbox") if words[0] == "ENV")
    set_by_the_image = dict(pair.split("=", 1) for pair in environment)
    assert set_by_the_image.pop("PATH") == "/usr/local/bin"
    assert set_by_the_image.items() <= BOX_ENVIRONMENT.items()
    assert ["USER", f"{BOX_USER_ID}:{BOX_USER_ID}"] in instructions("Dockerfile.sandbox")


@pytest.mark.parametrize("dockerfile", ["Dockerfile", "Dockerfile.sandbox"])
def test_what_an_image_copies_exists_and_reaches_the_engine(dockerfile: str) -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in ignored
    offered = [line.removeprefix("!") for line in ignored if line.startswith("!")]
    for words in instructions(dockerfile):
        # What one stage takes from another is not in the folder that is sent to the engine.
        for path in words[1:-1] if words[0] == "COPY" and not words[1].startswith("--from=") else ():
            assert (ROOT / path).exists(), path
            assert any(path == name or path.startswith(f"{name}/") for name in offered), path
