"""`python -m src run` against the real application on 127.0.0.1."""

import argparse
import io
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jose import jwt

from src.cli import run as command
from src.cli.main import main
from src.errors import NoPrices, SandboxUnavailable, StrategyFailed, StrategyRejected
from tests.fakes.application import make_app, served
from tests.fakes.backtests import FakeBacktests
from tests.fakes.issuer import claims

WINDOW = ["--start", "2015-01-01", "--end", "2015-12-31"]


@pytest.fixture
def strategy(tmp_path: Path) -> str:
    path = tmp_path / "strategy.py"
    path.write_text("class S: pass\n")
    return str(path)


@pytest.fixture
def run(strategy, capsys):
    """run(*arguments, backtests=…, **settings): exit status, standard output and standard error."""

    def post(*arguments: str, backtests: FakeBacktests | None = None, **settings: Any) -> tuple[int, str, str]:
        with served(make_app(backtests or FakeBacktests(), **settings)) as port:
            status = main(["run", strategy, *WINDOW, "--url", f"http://127.0.0.1:{port}", *arguments])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return post


def test_a_backtest_is_shown_as_a_table(run):
    status, out, err = run()
    assert (status, err) == (0, "")
    assert "final equity" in out
    assert "10,100.00" in out


def test_json_is_the_whole_answer(run):
    status, out, _ = run("--json")
    assert status == 0
    assert json.loads(out)["run_hash"] == "5f1c"


def test_every_option_reaches_the_service(run):
    backtests = FakeBacktests()
    options = ["--name", "n", "--capital", "5000", "--commission", '{"model": "rate", "rate": 0.001}']
    options += ["--slippage", "0.0005", "--benchmark", "none", "--risk-free-rate", "0.02"]
    options += ["--min-trade-value", "2", "--seed", "7", "-p", "days=21", "-p", "name=x"]
    assert run(*options, backtests=backtests)[0] == 0
    said = backtests.requests[0].model_dump(mode="json")
    assert said == {
        "strategy_code": "class S: pass\n",
        "start_date": "2015-01-01",
        "end_date": "2015-12-31",
        "name": "n",
        "initial_capital": 5000.0,
        "commission": {"model": "rate", "rate": 0.001},
        "slippage": 0.0005,
        "benchmark": None,
        "risk_free_rate": 0.02,
        "min_trade_value": 2.0,
        "seed": 7,
        "parameters": {"days": 21, "name": "x"},
    }


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (StrategyRejected([{"rule": "r", "message": "Import of 'os'", "line": 3}]), 3, "Import of 'os' (line 3)"),
        (StrategyFailed(["ZeroDivisionError"], "Traceback of mine"), 3, "Traceback of mine"),
        (NoPrices(["No prices for 'XYZQ'"]), 3, "No prices for 'XYZQ'"),
        (SandboxUnavailable("no engine"), 5, "503: no engine"),
        (RuntimeError("ours"), 5, "500"),
    ],
)
@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_refusal_is_explained_and_has_its_exit_status(run, error, status, said, options):
    got, out, err = run(*options, backtests=FakeBacktests(error=error))
    assert got == status
    assert said in err
    assert bool(out) == bool(options)


def test_a_malformed_request_names_the_field(run):
    status, _, err = run("--slippage", "2")
    assert status == 4
    assert "slippage.number: Input should be less than" in err


def test_too_many_requests_and_a_missing_token_are_told_apart(run, monkeypatch):
    monkeypatch.delenv("HQG_TOKEN", raising=False)
    assert run(supabase_jwt_secret="x" * 32)[0] == 4
    assert [command.exit_status(code) for code in (200, 400, 401, 413, 422, 429, 500, 503, 504)] == [
        *(0, 3, 4, 4, 4, 5, 5, 5, 5)
    ]


def test_a_token_of_the_environment_is_sent(run, monkeypatch):
    monkeypatch.setenv("HQG_TOKEN", jwt.encode(claims(), "x" * 32, "HS256"))
    assert run(supabase_jwt_secret="x" * 32)[0] == 0


def test_where_no_service_answers_it_says_how_to_start_one(strategy, capsys):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert main(["run", strategy, *WINDOW, "--url", f"http://127.0.0.1:{port}"]) == 1
    assert "make run" in capsys.readouterr().err


@pytest.mark.parametrize("url", ["ftp://x", "127.0.0.1:8005", "http://"])
def test_an_address_that_is_none_is_told(strategy, capsys, url):
    assert main(["run", strategy, *WINDOW, "--url", url]) == 1
    assert "is not the address of a service" in capsys.readouterr().err


def test_a_file_that_is_not_there_is_told(capsys):
    assert main(["run", "nowhere.py", *WINDOW]) == 1
    assert capsys.readouterr().err == "nowhere.py cannot be read: No such file or directory.\n"


@pytest.mark.parametrize("arguments", [["--slippage", "much"], ["-p", "days"], ["--seed", "x"]])
def test_arguments_that_cannot_be_understood_end_with_two(strategy, arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["run", strategy, *WINDOW, *arguments])
    assert ended.value.code == 2


def test_a_strategy_may_come_on_standard_input(run, monkeypatch, capsys):
    backtests = FakeBacktests()
    monkeypatch.setattr("sys.stdin", io.StringIO("class P: pass"))
    with served(make_app(backtests)) as port:
        assert main(["run", "-", *WINDOW, "--url", f"http://127.0.0.1:{port}"]) == 0
    assert backtests.requests[0].strategy_code == "class P: pass"


class Terminal(io.StringIO):
    """A stream that somebody watches."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def slow_port() -> Iterator[int]:
    backtests = FakeBacktests(hangs=True)
    with served(make_app(backtests, max_request_time=0.7)) as port:
        yield port


def test_who_watches_sees_seconds_and_nothing_is_left_of_them(strategy, slow_port):
    parser = argparse.ArgumentParser()
    command.COMMAND.add_arguments(parser)
    errors = Terminal()
    service = command.Service(f"http://127.0.0.1:{slow_port}")
    status = command.run(parser.parse_args([strategy, *WINDOW]), service, io.StringIO(), errors)
    assert status == 5
    assert f"Running {strategy}: 0 s" in errors.getvalue()
    assert "\r\x1b[KThe service answered 504" in errors.getvalue()


@pytest.mark.parametrize(
    ("host", "url"),
    [("127.0.0.1", "http://127.0.0.1:9000"), ("0.0.0.0", "http://127.0.0.1:9000"), ("::1", "http://[::1]:9000")],  # noqa: S104 - an address to read
)
def test_the_address_comes_from_the_settings(monkeypatch, tmp_path, host, url):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("API_HOST", host)
    monkeypatch.setenv("API_PORT", "9000")
    assert command.default_url() == url
