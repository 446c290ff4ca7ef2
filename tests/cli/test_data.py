"""`python -m src data` on a stand-in for Yahoo and on an existing cache."""

import io
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from src.cli import data
from src.cli.main import main
from src.services.data_provider.cache.provider import CachedProvider
from src.services.data_provider.yahoo.provider import YFDataProvider
from tests.fakes.yahoo import Answer, Clock, LoopbackSession, StandInYahoo, made_up, standing_in

ROOT = Path(__file__).resolve().parents[2]
START, END = date(2000, 1, 1), date(2021, 3, 2)


class Terminal(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        """Yes."""
        return True


@pytest.fixture
def yahoo() -> Iterator[StandInYahoo]:
    """Knows SPY and ^IRX."""
    with standing_in(Clock(datetime(2021, 3, 3, 12, tzinfo=UTC))) as yahoo:
        for symbol in ("SPY", "^IRX"):
            yahoo.listings[symbol] = made_up(symbol, date(2015, 6, 1), date(2022, 1, 1))
        yield yahoo


@pytest.fixture
def provider(yahoo: StandInYahoo, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> CachedProvider:
    # yfinance keeps to the first folder that a process gives it.
    state = tmp_path_factory.mktemp("yfinance")
    source = YFDataProvider(yahoo.clock, state, session=LoopbackSession(yahoo.base), pause=lambda *_: None)
    return CachedProvider(source, tmp_path / "yahoo", yahoo.clock)


def fetch(provider: CachedProvider, *symbols: str, start: date = START) -> tuple[int, list[str]]:
    out = io.StringIO()
    return data.fetch(provider, symbols, start, END, out, io.StringIO()), out.getvalue().splitlines()


def check(provider: CachedProvider) -> tuple[int, list[str]]:
    out = io.StringIO()
    return data.check(provider, out), out.getvalue().splitlines()


def test_fetching_warms_the_cache_and_says_what_it_holds(provider, yahoo):
    status, lines = fetch(provider, "SPY", "^IRX")
    assert status == 0
    assert lines == [
        "SPY          2015-06-01 to 2021-03-02, 1449 days, fetched 2021-03-03 12:00Z",
        "^IRX         2015-06-01 to 2021-03-02, 1449 days, fetched 2021-03-03 12:00Z",
    ]
    fetch(provider, "SPY", "^IRX")
    assert len(yahoo.asked) == 2


def test_one_failing_symbol_does_not_stop_the_others_but_sets_the_exit_status(provider, yahoo):
    yahoo.instead["SPY"] = [Answer(500)] * 12
    status, lines = fetch(provider, "SPY", "XYZQ", "../x", "^IRX")
    assert status == 1
    assert lines[0].startswith("SPY          FAILED: Yahoo returned no prices for 'SPY'")
    assert lines[1].startswith("XYZQ         FAILED: No prices for 'XYZQ'")
    assert "FAILED" in lines[2]
    assert lines[3].startswith("^IRX         2015-06-01 to")


def test_a_symbol_without_a_price_in_the_window_counts_as_failed(provider):
    out = io.StringIO()
    assert data.fetch(provider, ("SPY",), date(2000, 1, 1), date(2001, 1, 1), out, io.StringIO()) == 1
    assert "2015-06-01" in out.getvalue()


def test_a_terminal_shows_the_progress(provider):
    terminal, silent = Terminal(), io.StringIO()
    data.fetch(provider, ("SPY", "^IRX"), START, END, io.StringIO(), terminal)
    assert "] 0/2 SPY" in terminal.getvalue()
    assert "] 1/2 ^IRX" in terminal.getvalue()
    assert terminal.getvalue().split("\r")[-2].isspace(), "the line is empty in the end"
    data.fetch(provider, ("SPY",), START, END, io.StringIO(), silent)
    assert silent.getvalue() == ""


def test_checking_verifies_every_file_and_changes_none(provider, yahoo, tmp_path):
    assert check(provider) == (0, ["The cache is empty."])
    yahoo.listings["SPY"].row(date(2020, 3, 16))[1] = 1.0
    fetch(provider, "SPY", "^IRX")
    status, lines = check(provider)
    assert status == 0
    assert lines[0].endswith("fetched 2021-03-03 12:00Z: intact, 1 suspect rows")
    assert lines[1].endswith("fetched 2021-03-03 12:00Z: intact")
    assert lines[2] == "2 files, 0 of them bad."
    (tmp_path / "yahoo" / "^IRX.parquet").write_bytes(b"damaged")
    status, lines = check(provider)
    assert status == 1
    assert lines[1].startswith("^IRX         BAD: it cannot be read")
    assert lines[2] == "2 files, 1 of them bad."
    assert (tmp_path / "yahoo" / "^IRX.parquet").read_bytes() == b"damaged"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder of price files, one of them good, one odd and one broken."""
    folder = tmp_path / "files"
    folder.mkdir()
    header = "Date;Open;High;Low;Close\n"
    (folder / "GOOD.csv").write_text(header + "02.01.2020;1,5;1,5;1,5;1,5\n")
    (folder / "ODD.csv").write_text(
        header + "".join(f"{day:02}.01.2020;0;1;1;1\n" for day in range(1, 9)) + "31.01.2020;1;1;1;1\n"
    )
    (folder / "BROKEN.csv").write_text(header + "02.01.2020;1,5;1,5;1,5;one\n")
    return folder


@pytest.mark.slow
def test_the_program_checks_a_folder_of_price_files(files, tmp_path):
    checked = run(tmp_path, "check", DATA_PROVIDER="files", DATA_DIR=str(files))
    assert (checked.returncode, checked.stderr) == (1, "")
    lines = checked.stdout.splitlines()
    assert lines[0].startswith("BROKEN       BAD: The price file of 'BROKEN' cannot be used: BROKEN.csv, row 2, column")
    assert lines[1] == "GOOD         2020-01-02 to 2020-01-02, 1 days"
    assert lines[2] == "ODD          2020-01-31 to 2020-01-31, 1 days, 8 suspect rows"
    assert lines[3].strip() == "2020-01-01: open 0: not a price; the day is left out"
    assert lines[8].strip() == "and 3 more"
    assert lines[9] == "3 price files, 1 of them bad."
    (files / "BROKEN.csv").unlink()
    assert run(tmp_path, "check", DATA_PROVIDER="files", DATA_DIR=str(files)).returncode == 0


@pytest.mark.slow
def test_the_program_lists_the_symbols_that_have_prices(files, provider, tmp_path):
    listed = run(tmp_path, "list", DATA_PROVIDER="files", DATA_DIR=str(files))
    assert (listed.returncode, listed.stderr) == (0, "")
    assert [line.split()[0] for line in listed.stdout.splitlines()] == ["BROKEN", "GOOD", "ODD", "3"]
    fetch(provider, "SPY", "^IRX")
    listed = run(tmp_path, "list")
    assert listed.stdout.splitlines() == [
        "SPY          2015-06-01 to 2021-03-02, 1449 days",
        "^IRX         2015-06-01 to 2021-03-02, 1449 days",
        "2 symbols, source yahoo.",
    ]


def run(folder: Path, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    environment = {"DATA_CACHE_DIR": str(folder), "PATH": "/usr/bin:/bin", "YAHOO_ATTEMPTS": "1", **variables}
    command = [sys.executable, "-m", "src", "data", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_the_program_answers_from_the_cache_without_network(provider, yahoo, tmp_path):
    yahoo.clock.now = datetime.now(UTC) - timedelta(days=1)
    yahoo.listings["SPY"] = made_up("SPY", date(2015, 6, 1), date(2090, 1, 1))
    fetch(provider, "SPY")
    fetched = run(tmp_path, "fetch", "spy", "SPY", "--start", "2020-01-02", "--end", "2020-12-31")
    assert (fetched.returncode, fetched.stderr) == (0, "")
    assert fetched.stdout.startswith("SPY          2015-06-01 to ")
    assert fetched.stdout.count("\n") == 1
    checked = run(tmp_path, "check")
    assert checked.returncode == 0
    assert checked.stdout.endswith("1 files, 0 of them bad.\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["data", "fetch"], "SYMBOL"),
        (["data", "fetch", "SPY", "--start", "yesterday"], "'yesterday' is not a day such as 2000-01-31"),
        (["data"], "ACTION"),
        ([], "COMMAND"),
        (["date"], "invalid choice"),
    ],
)
def test_invalid_arguments_are_explained(arguments, said, capsys):
    with pytest.raises(SystemExit) as raised:
        main(arguments)
    assert raised.value.code == 2
    assert said in capsys.readouterr().err


def test_unusable_settings_are_reported_in_a_sentence(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("YAHOO_ATTEMPTS", "0")
    assert main(["data", "check"]) == 1
    assert "YAHOO_ATTEMPTS" in capsys.readouterr().err
