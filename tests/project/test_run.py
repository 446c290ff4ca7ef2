"""`make run`: from nothing to a served backtest, and back to nothing on Ctrl-C."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts import box, run, web_assets
from scripts.web_assets import FILES
from src.api.pages.studio import is_built
from src.config.settings import load_settings
from tests import servers
from tests.api.real_service import stores_in
from tests.conftest import open_sandbox

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 90


@pytest.fixture
def free_port() -> int:
    """A free port."""
    return servers.free_port()


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """Where a started `make run` writes what it says."""
    return tmp_path / "output"


@pytest.fixture
def has_bubblewrap() -> None:
    """Skipped, or failed where it is required, when no bubblewrap box can be built here."""
    open_sandbox("bubblewrap").close()


def program(folder: Path, name: str, script: str) -> None:
    """A program of that name in a folder for PATH."""
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_text(f"#!{sys.executable}\n{script}")
    file.chmod(0o755)


UNREACHABLE = """
import sys
sys.exit("npm error code ENOTFOUND\\nnpm error network request to https://registry failed\\nnpm error a log is in /x")
"""


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder with a Node.js whose npm reaches no registry."""
    for name in ("node", "npm"):
        program(tmp_path / "bin", name, UNREACHABLE)
    return tmp_path / "bin"


@pytest.fixture
def make_run(
    has_bubblewrap: None, output: Path, free_port: int, tmp_path: Path, programs: Path
) -> Iterator["subprocess.Popen[bytes]"]:
    """`make run` as the Makefile starts it, in a bubblewrap box, on a free port, with runs of its own."""
    environment = {
        **{name: value for name, value in os.environ.items() if name != "LOG_LEVEL"},
        **stores_in(tmp_path),
        "PATH": f"{programs}:{os.environ['PATH']}",
        "API_PORT": str(free_port),
        "SANDBOX": "bubblewrap",
        "DATA_PROVIDER": "mock",
    }
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "scripts.run"],
            cwd=ROOT,
            env=environment,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    yield process
    process.kill()
    process.wait()


def wait_for(text: str, output: Path, process: "subprocess.Popen[bytes]") -> str:
    """Everything said until `text` was among it."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        said = output.read_text()
        if text in said:
            return said
        assert process.poll() is None, f"ended with {process.returncode}:\n{said}"
        time.sleep(0.1)
    raise AssertionError(f"did not say {text!r}:\n{output.read_text()}")


@pytest.mark.bubblewrap
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_it_shows_a_backtest_and_leaves_nothing_behind(
    ending: signal.Signals, make_run: "subprocess.Popen[bytes]", output: Path, free_port: int
) -> None:
    said = wait_for("Serving until Ctrl-C.", output, make_run)
    for words in (
        "total return",
        "Sharpe ratio",
        "in a bubblewrap box",
        "These prices are synthetic",
        "DATA_PROVIDER=yahoo make run",
        "DATA_PROVIDER=files DATA_DIR=/path/to/folder make run",
        f"http://127.0.0.1:{free_port}/docs",
        "curl -s",
    ):
        assert words in said
    assert "[info" not in said
    assert web_assets.is_current() or "failed: code ENOTFOUND" in said
    assert servers.listens(free_port)
    make_run.send_signal(ending)
    assert make_run.wait(PATIENCE_SECONDS) == 0
    assert not servers.listens(free_port)


def test_a_busy_port_is_reported_with_what_to_do(free_port: int) -> None:
    with socket.create_server(("127.0.0.1", free_port)):
        finished = subprocess.run(
            [sys.executable, "-m", "scripts.run"],
            cwd=ROOT,
            env={**os.environ, "API_PORT": str(free_port)},
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
    assert finished.returncode == 1
    assert f"port {free_port}" in finished.stderr
    assert f"API_PORT={free_port + 1} make run" in finished.stderr
    assert "Traceback" not in finished.stderr


def test_a_log_level_that_was_chosen_is_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LOG_LEVEL", raising=False)
    assert run.quietly(load_settings()) == {"LOG_LEVEL": "WARNING"}
    monkeypatch.setenv("LOG_LEVEL", "info")
    assert run.quietly(load_settings()) == {}


NPM = f"""
import json, sys
from pathlib import Path
assert sys.argv[1] == "ci" and "--fetch-retries=0" in sys.argv and Path("package-lock.json").is_file()
for name in {[*FILES, "esbuild/LICENSE"]!r}:
    file = Path("node_modules", name)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(name)
"""

ESBUILD = """
import json, sys
from pathlib import Path
named = dict(option.split("=", 1) for option in sys.argv if "=" in option)
Path(named["--outfile"]).write_text("codemirror")
Path(named["--metafile"]).write_text(json.dumps({"inputs": {"node_modules/esbuild/x.js": {}}}))
"""


@pytest.fixture
def working_npm(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """npm and node that give files of their own."""
    program(programs, "npm", NPM)
    program(programs, "node", ESBUILD)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")


@pytest.fixture
def broken_npm(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """npm that reaches no registry."""
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")


def test_what_the_studio_loads_is_fetched_once(
    working_npm: None, programs: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run.bring_assets(tmp_path / "web")
    assert capfd.readouterr().out == "Fetching the studio's editor and charts from npm.\n"
    assert is_built(tmp_path / "web" / "studio")
    program(programs, "npm", UNREACHABLE)
    run.bring_assets(tmp_path / "web")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("change", ["missing", "older"])
def test_a_file_that_is_missing_or_older_than_the_lock_file_is_fetched_again(
    working_npm: None, tmp_path: Path, change: str
) -> None:
    run.bring_assets(tmp_path)
    file = tmp_path / web_assets.CODEMIRROR
    if change == "missing":
        file.unlink()
    else:
        os.utime(file, (0, 0))
    assert not web_assets.is_current(tmp_path)
    run.bring_assets(tmp_path)
    assert web_assets.is_current(tmp_path)


def test_where_npm_cannot_be_reached_it_says_so_and_goes_on(
    broken_npm: None, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run.bring_assets(tmp_path / "web")
    said, complained = capfd.readouterr()
    assert "npm failed: code ENOTFOUND; network request to https://registry failed" in said
    assert "`make assets`" in said
    assert complained == ""
    assert not (tmp_path / "web").exists()


def test_where_there_is_no_node_and_none_can_be_installed_it_says_so_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(web_assets, "find_node", lambda: None)
    monkeypatch.setattr(box, "complaint_of", lambda *_command, **_options: "no index answers")
    run.bring_assets(tmp_path)
    assert "pip says: no index answers" in capfd.readouterr().out


def test_a_folder_that_cannot_be_written_is_no_dead_end(
    working_npm: None, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "docs").write_text("in the way")
    run.bring_assets(tmp_path)
    assert "They could not be fetched:" in capfd.readouterr().out


@pytest.fixture
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder without .env, and no variable that chooses a price source."""
    monkeypatch.setenv("DATA_PROVIDER", "")  # so that what a test sets is taken back
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_without_a_choice_it_takes_made_up_prices_and_says_so(
    clean_environment: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert load_settings().data_provider == "yahoo"
    assert run.with_prices(load_settings()).data_provider == "mock"
    assert os.environ["DATA_PROVIDER"] == "mock"  # what the service is started with
    assert "synthetic prices" in capsys.readouterr().out


@pytest.mark.parametrize("provider", ["yahoo", "mock"])
@pytest.mark.parametrize("where", ["environment", "file"])
def test_a_choice_is_kept_without_a_word(
    clean_environment: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    provider: str,
    where: str,
) -> None:
    if where == "file":
        (clean_environment / ".env").write_text(f"DATA_PROVIDER={provider}\n")
    else:
        monkeypatch.setenv("DATA_PROVIDER", provider)
    settings = load_settings()
    assert run.with_prices(settings) is settings
    assert settings.data_provider == provider
    assert capsys.readouterr().out == ""


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> dict[str, str | None]:
    """What works on a machine: None, or the complaint of each part."""
    complaints: dict[str, str | None] = {"engine": None, "image": None, "bubblewrap": None}
    monkeypatch.setattr(box, "docker_complaint", lambda: complaints["engine"])
    monkeypatch.setattr(box, "image_complaint", lambda _image: complaints["image"])
    monkeypatch.setattr(box, "ensure_bubblewrap", lambda: complaints["bubblewrap"])
    return complaints


def chosen(sandbox: str) -> str:
    """What `make run` serves with when the operator asked for `sandbox`."""
    return run.sandbox_for(load_settings().model_copy(update={"sandbox": sandbox}))


def test_an_engine_that_answers_is_used(machine: dict[str, str | None]) -> None:
    assert chosen("auto") == "docker"


def test_without_an_engine_it_is_bubblewrap(machine: dict[str, str | None]) -> None:
    machine["engine"] = "Cannot connect"
    assert chosen("auto") == "bubblewrap"


def test_an_engine_on_which_the_image_cannot_be_built_is_no_dead_end(
    machine: dict[str, str | None], capsys: pytest.CaptureFixture[str]
) -> None:
    machine["image"] = "no such base image"
    assert chosen("auto") == "bubblewrap"
    assert "no such base image" in capsys.readouterr().out


def test_bubblewrap_asked_for_is_bubblewrap_got(machine: dict[str, str | None]) -> None:
    assert chosen("bubblewrap") == "bubblewrap"


@pytest.mark.parametrize("part", ["engine", "image"])
def test_docker_asked_for_is_docker_or_nothing(machine: dict[str, str | None], part: str) -> None:
    machine[part] = "it is broken"
    with pytest.raises(run.CannotRun, match="it is broken"):
        chosen("docker")


def test_a_machine_without_any_box_is_told_what_to_install(machine: dict[str, str | None]) -> None:
    machine["engine"] = machine["bubblewrap"] = "not here"
    with pytest.raises(run.CannotRun, match="apt-get install bubblewrap"):
        chosen("auto")
