"""The requirement files: a reason for every package, one version everywhere, nothing of one machine."""

import ast
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OURS = ("src", "hqg_backtester")
OTHER_NAMES = {"jose": "python-jose", "markdown_it": "markdown-it-py", "pydantic_core": "pydantic"}
"""What is imported under another name than it is installed by, or comes with another package."""

IMPORTED_BY_OTHERS = {"redis", "psycopg"}
"""What a library imports only when a setting asks for it, and does not ask for itself."""

NAMES = ("requirements", "requirements-sandbox", "requirements-dev", "requirements-web")


def asked(name: str) -> dict[str, str]:
    """Package and reason of each requirement of an .in file."""
    lines = [line for line in (ROOT / f"{name}.in").read_text().splitlines() if re.match(r"[a-z]", line)]
    parts = [line.partition("#") for line in lines]
    return {normal(re.split(r"[=<>~ \[]", what)[0]): reason.strip() for what, _, reason in parts}


def pinned(name: str) -> dict[str, set[str]]:
    """Package and versions of a compiled file: one, or one for each range of Python versions."""
    versions: dict[str, set[str]] = {}
    for line in (ROOT / f"{name}.txt").read_text().splitlines():
        pin = re.match(r"([A-Za-z0-9._-]+)==([^ ;\\]+)", line)
        if pin is not None:
            versions.setdefault(normal(pin[1]), set()).add(pin[2])
    return versions


def normal(package: str) -> str:
    """A package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", package).lower()


def imported_by_the_service() -> set[str]:
    """Names of the packages, neither ours nor Python's own, that the service and its command line import anywhere."""
    names: set[str] = set()
    for file in (path for folder in OURS for path in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(), str(file))):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module is not None:
                names.add(node.module)
    packages = {name.split(".")[0] for name in names} - sys.stdlib_module_names - set(OURS)
    return {normal(OTHER_NAMES.get(package, package)) for package in packages}


def test_the_service_asks_for_exactly_what_it_imports() -> None:
    assert imported_by_the_service() | IMPORTED_BY_OTHERS == asked("requirements").keys()


@pytest.mark.parametrize("name", NAMES)
def test_every_requirement_has_its_reason(name: str) -> None:
    assert all(len(reason.split()) > 1 for reason in asked(name).values())


@pytest.mark.parametrize("name", NAMES)
def test_every_requirement_is_pinned(name: str) -> None:
    assert asked(name).keys() <= pinned(name).keys()


@pytest.mark.parametrize("name", NAMES)
def test_a_compiled_file_holds_pins_hashes_and_comments_only(name: str) -> None:
    for line in (ROOT / f"{name}.txt").read_text().splitlines():
        pin = r"[a-z0-9-]+==[a-zA-Z0-9.+]+( ; [a-z_ ><=!'.0-9A-Z]+)?( \\)?"
        assert re.fullmatch(rf"{pin}|    --hash=sha256:[0-9a-f]{{64}}( \\)?|\s*#[^/]*", line), line


@pytest.mark.parametrize("name", ["requirements", "requirements-sandbox"])
def test_what_runs_in_production_is_pinned_to_its_bytes(name: str) -> None:
    blocks = re.split(r"\n(?=[a-z])", (ROOT / f"{name}.txt").read_text())[1:]
    assert len(blocks) == sum(len(versions) for versions in pinned(name).values())
    assert all("--hash=sha256:" in block for block in blocks)


def test_host_box_and_workbench_agree_on_every_version() -> None:
    service, box, workbench = (pinned(name) for name in NAMES[:3])
    for one, other in ((service, box), (service, workbench), (box, workbench)):
        shared = one.keys() & other.keys()
        assert {name: one[name] for name in shared} == {name: other[name] for name in shared}
    assert service["hqg-algorithms"] == box["hqg-algorithms"] == {"1.0.1"}
    assert {"numpy", "pandas"} <= service.keys() & box.keys()


def test_the_workers_that_share_the_tests_keep_groups_together(request: pytest.FixtureRequest) -> None:
    is_divided = getattr(request.config.option, "loadgroup", False)
    assert not is_divided or request.node.nodeid.endswith("@test_requirements")
