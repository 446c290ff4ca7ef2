"""`python -m src run` against a stand-in service on 127.0.0.1."""

import argparse
import io
import json
import os
import subprocess
import sys
from collections import deque
from pathlib import Path
from typing import Any

import pytest

from hqg_backtester import (
    Client,
    ClientError,
    Run,
    RunCancelled,
    RunFailed,
    RunTimedOut,
    ServiceBusy,
    ServiceUnavailable,
    WaitTimedOut,
)
from hqg_backtester.client.progress import Bar
from src.cli import connection
from src.cli import run as command
from src.cli.main import main
from src.cli.terms import TERMS
from src.models.request import BacktestRequest
from tests.fakes.scripted_service import PLAN, RUN_HASH, Drop, Refuse, ScriptedService, an_answer
from tests.servers import free_port

PROJECT = Path(__file__).resolve().parents[2]
WINDOW = ["--start", "2015-01-01", "--end", "2015-12-31"]


@pytest.fixture
def strategy(tmp_path):
    path = tmp_path / "strategy.py"
    path.write_text("class S: pass\n")
    return str(path)


@pytest.fixture
def run(strategy, capsys):
    """run(*arguments, service=…): exit status, standard output and standard error."""

    def start(*arguments: str, service: ScriptedService | None = None) -> tuple[int, str, str]:
        with (service or ScriptedService()).serving() as running:
            status = main(["run", strategy, *WINDOW, "--url", running.url, *arguments])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return start


def ended(status: str, code: str, *sentences: str) -> ScriptedService:
    """A service whose run ends with this status."""
    error = {"code": code, "errors": list(sentences), "traceback": "Traceback of mine", "logs": []}
    return ScriptedService(plan=(*PLAN[:2], ("finished", {"status": status, "error": error})))


def refusing(status: int, detail: Any) -> ScriptedService:
    """A service that refuses the submit."""
    return ScriptedService(faults=deque([Refuse(status, json.dumps({"detail": detail}).encode())]))


def test_a_backtest_is_shown_as_a_table_and_the_strategys_output_on_standard_error(run):
    status, out, err = run()
    assert (status, err) == (0, "bought\n")
    assert "final equity" in out
    assert "10,100.00" in out


def test_the_last_lines_are_the_run_s_hash_and_its_page_in_the_studio(run):
    service = ScriptedService()
    _, out, _ = run(service=service)
    assert out.endswith(f"\n\nrun     {RUN_HASH}\nstudio  {service.url}/?run={RUN_HASH}\n")


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_the_report_is_saved_at_the_given_path(run, tmp_path, options):
    file = tmp_path / "mine.html"
    status, out, err = run("--report", str(file), *options)
    assert (status, file.read_bytes()) == (0, b"<!doctype html>")
    assert f"report  {file}\n" in (err if options else out)
    assert not options or json.loads(out) == an_answer()


@pytest.mark.parametrize(("place", "reason"), [("", "it is a folder"), ("none/r.html", "its folder does not exist")])
def test_an_unwritable_report_path_is_refused_before_the_run(run, tmp_path, place, reason):
    service = ScriptedService()
    status, out, err = run("--report", str(tmp_path / place), service=service)
    assert (status, out) == (1, "")
    assert reason in err
    assert service.seen == []


class WithoutReport(ScriptedService):
    """Serves everything except the report."""

    def tell(self, event_id):
        if event_id == len(self.plan):
            # The next requests are for the run, its result and its report.
            self.faults = deque([None, None, Refuse(404, b'{"detail": "no such file"}')])
        return super().tell(event_id)


def test_if_the_report_fails_the_result_is_still_printed_and_json_stays_one_document(run, tmp_path):
    status, out, err = run("--report", str(tmp_path / "r.html"), "--json", service=WithoutReport())
    assert status == 1
    assert json.loads(out) == an_answer()
    assert "no such file" in err


def test_a_report_of_a_run_that_is_not_waited_for_is_refused(strategy, capsys):
    with pytest.raises(SystemExit) as exited:
        main(["run", strategy, *WINDOW, "--no-wait", "--report", "r.html"])
    assert exited.value.code == 2


def test_json_is_the_whole_answer_and_nothing_else(run):
    status, out, err = run("--json")
    assert (status, err) == (0, "")
    assert json.loads(out) == an_answer()


def test_quiet_leaves_only_the_table(run):
    status, out, err = run("--quiet")
    assert (status, err) == (0, "")
    assert "bought" not in out


def test_no_wait_prints_the_hash_and_lets_the_run_continue(run):
    service = ScriptedService()
    assert run("--no-wait", service=service) == (0, f"{RUN_HASH}\n", "")
    assert [seen.method for seen in service.seen] == ["POST"]


def test_no_wait_with_json_prints_the_summary(run):
    assert json.loads(run("--no-wait", "--json")[1])["status"] == "queued"


def test_every_option_reaches_the_service(run):
    service = ScriptedService()
    options = ["--name", "n", "--capital", "5000", "--commission", '{"model": "rate", "rate": 0.001}']
    options += ["--slippage", "0.0005", "--benchmark", "none", "--risk-free-rate", "0.02", "--rerun"]
    options += ["--min-trade-value", "2", "--seed", "7", "-p", "days=21", "-p", "name=x", "--universe", "SPY, BND"]
    assert run(*options, service=service)[0] == 0
    assert service.seen[0].query == {"rerun": "true"}
    assert service.seen[0].json() == {
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
        "universe": ["SPY", "BND"],
        "parameters": {"days": 21, "name": "x"},
    }


def test_every_field_of_a_request_has_an_option():
    # Every result comes with the figures of each convention.
    given_apart = {"strategy_code", "start_date", "end_date", "parameters", "conventions"}
    assert {term.field for term in TERMS} == BacktestRequest.model_fields.keys() - given_apart


def test_options_not_given_are_not_sent(run):
    service = ScriptedService()
    run(service=service)
    assert service.seen[0].json().keys() == {"strategy_code", "start_date", "end_date"}


REJECTED = {"analysis_errors": ["Import of 'os' (line 3)"], "violations": []}


@pytest.mark.parametrize(
    ("service", "status", "said"),
    [
        (lambda: refusing(400, REJECTED), 3, "Import of 'os' (line 3)"),
        (lambda: refusing(400, {"data_errors": ["No prices for 'XYZQ'"]}), 3, "No prices for 'XYZQ'"),
        (lambda: refusing(422, [{"loc": ["body", "slippage"], "msg": "too much"}]), 4, "422: slippage: too much"),
        (lambda: refusing(401, "Log in."), 4, "HQG_TOKEN"),
        (lambda: refusing(503, "no engine"), 5, "503: no engine"),
        (lambda: refusing(500, "ours"), 5, "500: ours"),
        (lambda: ended("failed", "strategy_failed", "ZeroDivisionError"), 3, "ZeroDivisionError\nTraceback of mine"),
        (lambda: ended("failed", "no_prices", "No prices for 'XYZQ'"), 3, "No prices for 'XYZQ'"),
        (lambda: ended("failed", "data_changed", "Prices have changed"), 5, "Prices have changed"),
        (lambda: ended("timed_out", "run_timed_out", "Too slow"), 5, "Too slow"),
        (lambda: ended("cancelled", "run_cancelled", "It was cancelled"), 5, "It was cancelled"),
    ],
)
@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_refusal_is_explained_and_has_its_exit_status(run, service, status, said, options):
    got, out, err = run(*options, "--patience", "0", service=service())
    assert got == status
    assert said in err
    assert bool(out) == bool(options)
    assert not out or "detail" in json.loads(out)


def test_every_error_of_the_client_has_an_exit_status():
    told = {"status": 503}
    errors: list[tuple[ClientError, int]] = [
        (ServiceUnavailable("no service"), 1),
        (ServiceUnavailable("a gateway", status=502), 5),
        (ServiceBusy("busy", **told), 5),
        (WaitTimedOut("slow"), 5),
        (RunCancelled(["x"]), 5),
        (RunTimedOut(["x"]), 5),
        (RunFailed(["x"]), 5),
    ]
    assert [connection.exit_status(error) for error, _ in errors] == [status for _, status in errors]


def test_a_failed_run_is_identified_too(run):
    service = ended("failed", "strategy_failed", "ZeroDivisionError")
    _, out, err = run(service=service)
    assert out == ""
    assert err.endswith(f"run     {RUN_HASH}\nstudio  {service.url}/?run={RUN_HASH}\n")


def test_a_busy_service_is_waited_for(run):
    service = ScriptedService(faults=deque([Refuse(503, headers=(("Retry-After", "0"),))]))
    assert run(service=service)[0] == 0


def test_a_timed_out_wait_says_which_run_continues(run):
    service = ScriptedService(silent_after=2)
    status, _, err = run("--timeout", "0.2", service=service)
    assert status == 5
    assert f"`python -m src runs follow {RUN_HASH[:12]}`" in err
    assert f"{service.url}/?run={RUN_HASH}" in err
    assert service.asked("POST", "/cancel") == []


def test_the_token_from_the_environment_is_sent(run, monkeypatch):
    monkeypatch.setenv("HQG_TOKEN", "secret")
    service = ScriptedService()
    run(service=service)
    assert service.seen[0].headers["authorization"] == "Bearer secret"


def test_without_a_service_the_message_says_how_to_start_one(strategy, capsys):
    assert main(["run", strategy, *WINDOW, "--url", f"http://127.0.0.1:{free_port()}"]) == 1
    assert "make run" in capsys.readouterr().err


@pytest.mark.parametrize("url", ["ftp://x", "127.0.0.1:8005", "http://"])
def test_an_invalid_url_is_refused(strategy, capsys, url):
    assert main(["run", strategy, *WINDOW, "--url", url]) == 1
    assert "is not the URL of a service" in capsys.readouterr().err


def test_a_missing_file_is_reported(capsys):
    assert main(["run", "nowhere.py", *WINDOW]) == 1
    assert capsys.readouterr().err == "nowhere.py cannot be read: No such file or directory.\n"


@pytest.mark.parametrize(
    "arguments",
    [
        *(["--slippage", text] for text in ("much", '"0.1"', "true", "null", "[1]", "NaN")),
        *(["--universe", text] for text in ("", ",", "SPY,,BND")),
        *([option, text] for option in ("--timeout", "--patience") for text in ("-1", "nan", "inf", "soon")),
        ["--capital", "nan"],
        ["-p", "days"],
        ["-p", "=1"],
        ["--seed", "x"],
    ],
)
def test_invalid_arguments_exit_with_two(strategy, arguments, capsys):
    with pytest.raises(SystemExit) as exited:
        main(["run", strategy, *WINDOW, *arguments])
    assert exited.value.code == 2


def test_a_strategy_may_come_on_standard_input(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO("class P: pass"))
    with ScriptedService().serving() as service:
        assert main(["run", "-", *WINDOW, "--url", service.url]) == 0
    assert service.seen[0].json()["strategy_code"] == "class P: pass"


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def parsed(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    command.COMMAND.add_arguments(parser)
    return parser.parse_args([*arguments, *WINDOW])


def test_a_terminal_shows_the_progress_and_each_printed_line_once(strategy):
    errors = Terminal()
    with ScriptedService().serving() as service:
        assert command.run(parsed(strategy, "--name", "trend"), Client(service.url), io.StringIO(), errors) == 0
    shown = errors.getvalue()
    assert "trend:  50%" in shown
    assert "2015-06-30" in shown
    assert shown.count("bought") == 1


def test_ctrl_c_cancels_the_run_and_ends_as_shells_expect(run, monkeypatch):
    def interrupt(_self, event):
        if event.kind == "progress":
            raise KeyboardInterrupt

    monkeypatch.setattr(Bar, "see", interrupt)
    service = ScriptedService(silent_after=3)
    status, out, err = run(service=service)
    assert (status, out) == (130, "")
    assert err == f"Stopped. The run is cancelled.\nrun     {RUN_HASH}\nstudio  {service.url}/?run={RUN_HASH}\n"
    assert service.status == "cancelled"


def test_ctrl_c_on_a_run_that_has_just_ended_says_how_it_ended(run, monkeypatch):
    def interrupt(_self, event):
        if event.kind == "finished":
            raise KeyboardInterrupt

    monkeypatch.setattr(Bar, "see", interrupt)
    status, out, err = run()
    assert (status, out) == (130, "")
    assert err.startswith("Stopped. The run had already ended: succeeded.\n")


def test_ctrl_c_while_the_service_is_down_says_that_the_run_may_continue(run, monkeypatch):
    monkeypatch.setattr("src.cli.outcome.INTERRUPTED_PATIENCE_SECONDS", 0.2)
    service = ScriptedService()

    def interrupt(_self, _event):
        service.faults = deque([Drop()] * 1000)
        raise KeyboardInterrupt

    monkeypatch.setattr(Bar, "see", interrupt)
    status, out, err = run(service=service)
    assert (status, out) == (130, "")
    assert "did not confirm" in err
    assert f"`python -m src runs follow {RUN_HASH[:12]}`" in err
    assert RUN_HASH in err


def test_a_second_ctrl_c_does_not_wait_for_the_service(run, monkeypatch):
    def interrupt(*_arguments, **_more):
        raise KeyboardInterrupt

    monkeypatch.setattr(Bar, "see", interrupt)
    monkeypatch.setattr(Run, "cancel", interrupt)
    status, _, err = run()
    assert status == 130
    assert "did not confirm" in err


def test_ctrl_c_before_the_run_is_accepted_says_where_to_look(run, monkeypatch):
    def interrupt(*_arguments, **_more):
        raise KeyboardInterrupt

    monkeypatch.setattr(Client, "submit", interrupt)
    status, out, err = run()
    assert (status, out) == (130, "")
    assert "before the service accepted the run" in err


HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b31m\r\x08\u202etxt\ud800\u2028\x00"


def hostile(**changes: Any) -> dict[str, Any]:
    """An answer with escape sequences in every text."""
    answer = an_answer(warnings=[HOSTILE], logs=[HOSTILE], **changes)
    answer["parameters"] = {**answer["parameters"], "name": HOSTILE, "start_date": HOSTILE}
    answer["metrics"] = {**answer["metrics"], "undefined": {"beta": HOSTILE}}
    answer["provenance"] = {**answer["provenance"], "data_source": HOSTILE, "sandbox": HOSTILE}
    return answer


def is_harmless(text: str) -> bool:
    """Whether a terminal shows the text and does nothing else."""
    return all(letter.isprintable() or letter in "\n\t" for letter in text)


@pytest.mark.parametrize("options", [(), ("--json",)])
@pytest.mark.parametrize(
    "service",
    [
        lambda: ScriptedService(answer=hostile()),
        lambda: ended("failed", "strategy_failed", HOSTILE),
        lambda: ended("failed", HOSTILE, HOSTILE),
        lambda: refusing(400, {"analysis_errors": [HOSTILE], "violations": []}),
        lambda: refusing(422, [{"loc": ["body", HOSTILE], "msg": HOSTILE}]),
        lambda: refusing(503, HOSTILE),
    ],
)
def test_text_from_the_service_cannot_control_the_terminal(run, service, options):
    _, out, err = run("--patience", "0", *options, service=service())
    assert is_harmless(out)
    assert is_harmless(err)
    assert options or r"\x1b[2J" in out + err


def test_text_the_strategy_prints_cannot_control_the_terminal(strategy):
    errors = Terminal()
    plan = (*PLAN[:2], ("progress", {"share": 0.5, "day": HOSTILE}), ("log", {"lines": [HOSTILE]}), PLAN[-1])
    with ScriptedService(plan=plan).serving() as service:
        command.run(parsed(strategy, "--name", HOSTILE), Client(service.url), io.StringIO(), errors)
    shown = errors.getvalue()
    assert r"\x1b]0;owned\x07\x1b[2J\x9b31m\r\x08" in shown
    # The bar's own sequences are its carriage return and the way up a line.
    assert is_harmless(shown.replace("\r", "").replace("\x1b[A", ""))


def test_a_terminal_with_another_encoding_shows_escapes(strategy):
    with ScriptedService(answer=an_answer(warnings=["Δ"])).serving() as service:
        command = [sys.executable, "-m", "src", "run", strategy, *WINDOW, "--url", service.url]
        environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
        said = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, timeout=60, check=False)
    assert said.returncode == 0
    assert rb"warning: \u0394" in said.stdout


@pytest.mark.parametrize(
    ("host", "url"),
    [("127.0.0.1", "http://127.0.0.1:9000"), ("0.0.0.0", "http://127.0.0.1:9000"), ("::1", "http://[::1]:9000")],  # noqa: S104 - an address to read
)
def test_the_address_comes_from_the_settings(monkeypatch, tmp_path, host, url):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("API_HOST", host)
    monkeypatch.setenv("API_PORT", "9000")
    assert connection.default_url() == url
