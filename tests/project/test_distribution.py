"""What `pip install hqg-backtester` gives: the client, alone, in an environment with nothing else in it."""

import json
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from email.parser import HeaderParser
from pathlib import Path

import pytest

from hqg_backtester.version import __version__
from tests.fakes.scripted_service import METRICS, RUN_HASH, ScriptedService

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
INSTALL_SECONDS = 300


def build(kind: str, source: Path, target: Path) -> Path:
    """The one file that building a folder gives; kind is wheel or sdist."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(target)]
    subprocess.run(command, cwd=source, check=True, capture_output=True, timeout=120)
    (built,) = target.iterdir()
    return built


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution of this checkout."""
    return build("sdist", ROOT, tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="module")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the source distribution: so both are complete."""
    with tarfile.open(sdist) as archive:
        unpacked = tmp_path_factory.mktemp("unpacked")
        archive.extractall(unpacked, filter="data")
    return build("wheel", next(unpacked.iterdir()), tmp_path_factory.mktemp("wheel"))


def installed(folder: Path, *arguments: str) -> Path:
    """The Python of a new environment that holds only what pip was asked for."""
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(python), "install", "--quiet"]
    subprocess.run([*pip, *arguments], check=True, capture_output=True, text=True, timeout=INSTALL_SECONDS)
    return python


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with nothing but the wheel; no index was asked."""
    return installed(tmp_path_factory.mktemp("empty") / "venv", "--no-index", str(wheel))


@pytest.fixture(scope="module")
def python_with_extras(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with both extras, from the index that pip is set up to use; skipped where none answers."""
    folder = tmp_path_factory.mktemp("extras") / "venv"
    try:
        return installed(folder, "--retries", "1", "--timeout", "15", f"{wheel}[pandas,tqdm]")
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        pytest.skip("no package index gives pandas and tqdm here")


def said(python: Path, program: str, folder: Path, *arguments: str) -> str:
    """What a program prints, run far from this checkout; warnings are errors, and so is any complaint."""
    command = [str(python), "-I", "-W", "error", "-c", program, *arguments]
    finished = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert (finished.returncode, finished.stderr) == (0, "")
    return finished.stdout


def test_the_wheel_holds_the_client_its_types_and_its_licence_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        licence = archive.read(f"hqg_backtester-{__version__}.dist-info/licenses/LICENSE").decode()
    assert {name.split("/")[0] for name in names} == {"hqg_backtester", f"hqg_backtester-{__version__}.dist-info"}
    assert "hqg_backtester/py.typed" in names
    ours = {str(path.relative_to(ROOT)) for path in (ROOT / "hqg_backtester").rglob("*.py")}
    assert {name for name in names if name.endswith(".py")} == ours
    assert licence == (ROOT / "LICENSE").read_text()


def test_the_metadata_names_the_version_and_asks_for_no_package(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        text = archive.read(f"hqg_backtester-{__version__}.dist-info/METADATA").decode()
    metadata = HeaderParser().parsestr(text)
    assert (metadata["Name"], metadata["Version"]) == ("hqg-backtester", __version__)
    assert all("extra ==" in required for required in metadata.get_all("Requires-Dist", []))
    assert metadata.get_all("Provides-Extra") == ["pandas", "tqdm"]
    assert metadata.get_payload() == (ROOT / "docs" / "client.md").read_text()


def test_the_page_on_the_index_has_no_link_that_leads_nowhere_there() -> None:
    text = (ROOT / PROJECT["project"]["readme"]).read_text()
    assert [part.split(")")[0] for part in text.split("](")[1:] if not part.startswith(("http", "#"))] == []


def test_the_backend_that_builds_it_is_the_one_that_is_tested() -> None:
    (required,) = PROJECT["build-system"]["requires"]
    assert f"\n{required}\n" in (ROOT / "requirements-dev.txt").read_text()


USE = """
import importlib.util, json, sys
import hqg_backtester
from hqg_backtester import Client, PackageMissing
result = Client(sys.argv[1]).run("class S: pass", "2015-01-01", "2015-12-31", universe=["SPY"])
def told(table):
    try:
        return len(getattr(result, table))
    except PackageMissing as error:
        return str(error)
there = [name for name in ("src", "utils", "tests", "client", "pip") if importlib.util.find_spec(name)]
tables = {name: told(name) for name in ("equity", "orders", "weights", "benchmark", "returns", "drawdown")}
print(json.dumps([hqg_backtester.__version__, dict(result.metrics), tables, there, "<svg" in result._repr_html_()]))
"""


def test_in_an_empty_environment_it_runs_a_backtest_and_says_what_tables_need(python: Path, tmp_path: Path) -> None:
    with ScriptedService().serving() as service:
        version, metrics, tables, there, is_drawn = json.loads(said(python, USE, tmp_path, service.url))
    assert (version, metrics, there, is_drawn) == (__version__, METRICS, [], True)
    assert {'pip install "hqg-backtester[pandas]"' in told for told in tables.values()} == {True}
    assert service.seen[0].json()["universe"] == ["SPY"]


def test_with_its_extras_it_gives_tables(python_with_extras: Path, tmp_path: Path) -> None:
    with ScriptedService().serving() as service:
        tables = json.loads(said(python_with_extras, USE, tmp_path, service.url))[2]
    assert tables == {"equity": 2, "orders": 1, "weights": 1, "benchmark": 2, "returns": 2, "drawdown": 2}


def test_a_run_is_found_again_from_the_installed_client(python: Path, tmp_path: Path) -> None:
    program = "import sys; from hqg_backtester import Client; print(Client(sys.argv[1]).get(sys.argv[2]).status)"
    with ScriptedService().serving() as service:
        assert said(python, program, tmp_path, service.url, RUN_HASH) == "queued\n"
