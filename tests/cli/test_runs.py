"""`python -m src runs` against a stand-in service on 127.0.0.1."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hqg_backtester.client.progress import Bar
from src.cli.main import main
from tests.fakes.scripted_service import METRICS, RUN_HASH, SECTIONS, STATISTICS, ScriptedService


def stored(number: int, **changes):
    return {
        "run_hash": f"{number:x}" * 64,
        "name": f"run {number}",
        "status": "succeeded",
        "has_result": True,
        "symbols": ["SPY", "BND"],
        "start_date": "2015-01-01",
        "end_date": "2015-12-31",
        "submitted_at": "2026-11-20T12:00:00.123Z",
        "metrics": METRICS,
        "error": None,
        **changes,
    }


class Stored(ScriptedService):
    """Its only run is in its list too."""

    def summary(self):
        return stored(0, run_hash=RUN_HASH, name="mine") | super().summary()


@pytest.fixture
def service():
    with Stored().serving() as running:
        running.stored = [running.summary(), stored(1), stored(2, status="failed", metrics=None, name=None)]
        yield running


@pytest.fixture
def runs(service, capsys):
    """runs(*arguments): exit status, standard output and standard error."""

    def start(*arguments: str):
        status = main(["runs", *arguments, "--url", service.url])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return start


LISTED = """\
RUN           SUBMITTED (UTC)      STATUS     WINDOW                       RETURN   SHARPE  SYMBOLS               NAME
5f1c5f1c5f1c  2026-11-20 12:00:00  queued     2015-01-01 to 2015-12-31          -        -  SPY,BND               n
111111111111  2026-11-20 12:00:00  succeeded  2015-01-01 to 2015-12-31      1.00%     1.25  SPY,BND               run 1
222222222222  2026-11-20 12:00:00  failed     2015-01-01 to 2015-12-31          -        -  SPY,BND
"""


def test_a_list_has_a_header_and_one_line_per_run(runs):
    assert runs("list") == (0, LISTED, "")


def test_a_list_ends_at_its_limit(runs, service):
    assert len(runs("list", "--limit", "2")[1].splitlines()) == 3
    assert service.seen[0].query == {"limit": "2"}


@pytest.mark.parametrize("limit", ["0", "-1", "x", "1.5", "²"])
def test_an_invalid_limit_is_refused(runs, limit, capsys):
    with pytest.raises(SystemExit) as exited:
        runs("list", "--limit", limit)
    assert exited.value.code == 2


def test_a_list_without_runs_says_so(runs, service):
    service.stored = []
    assert runs("list")[1] == "There are no runs yet.\n"
    assert runs("list", "--symbol", "SPY")[1] == "No runs match.\n"
    assert json.loads(runs("list", "--json")[1]) == []


@pytest.mark.parametrize(
    ("symbols", "shown"),
    [
        ([], ""),
        (["SPY"], "SPY"),
        (["AAAA", "BBBB", "CCCC", "DDDD"], "AAAA,BBBB,CCCC,DDDD"),
        (["AAAA", "BBBB", "CCCC", "DDDD", "EEEE"], "AAAA,BBBB,CCCC +2"),
        ([f"SYM{number}" for number in range(200)], "SYM0,SYM1,SYM2 +197"),
        (["A" * 24], "+1"),
    ],
)
def test_symbols_that_do_not_fit_are_counted(runs, service, symbols, shown):
    service.stored = [stored(1, symbols=symbols, name="named")]
    line = runs("list")[1].splitlines()[1]
    assert line[LISTED.index("SYMBOLS") : LISTED.index("NAME")].strip() == shown
    assert line[LISTED.index("NAME") :] == "named"


def test_filters_reach_the_service(runs, service):
    runs("list", "--status", "failed", "--name", "a", "--symbol", "SPY", "--since", "2026-01-01T00:00:00Z")
    assert service.seen[0].query == {
        "status": "failed",
        "name": "a",
        "symbol": "SPY",
        "since": "2026-01-01T00:00:00Z",
        "limit": "20",
    }


def test_json_is_the_services_answer(runs, service):
    assert json.loads(runs("list", "--json")[1]) == service.stored


def test_a_hash_prefix_identifies_a_run(runs, service):
    status, out, _ = runs("show", RUN_HASH[:6])
    assert status == 0
    assert out == (
        f"run     {RUN_HASH}\nstudio  {service.url}/?run={RUN_HASH}\nstatus  queued\nname    n\n"
        "window  2015-01-01 to 2015-12-31\nsymbols SPY, BND\nsent    2026-11-20 12:00:00 UTC\n"
    )
    assert service.asked("GET", RUN_HASH)


def test_a_hash_may_be_upper_case(runs):
    assert runs("show", RUN_HASH[:6].upper())[0] == runs("show", RUN_HASH.upper())[0] == 0


def test_a_prefix_without_a_run_is_refused(runs):
    status, out, err = runs("show", "abc")
    assert (status, out) == (4, "")
    assert 'No run has a hash that begins with "abc"' in err


def test_an_ambiguous_prefix_lists_its_runs(runs, service):
    service.stored = [stored(1, run_hash=f"{number:064x}", name=f"run {number}") for number in range(13)]
    status, out, err = runs("cancel", "000")
    lines = err.splitlines()
    assert (status, out) == (4, "")
    assert lines[0] == '13 runs have a hash that begins with "000":'
    assert lines[1] == LISTED.splitlines()[0]
    assert [line.split()[-1] for line in lines[2:12]] == [str(number) for number in range(10)]
    assert lines[12:] == ["and 3 more"]
    assert service.asked("DELETE") == []


def test_a_result_is_shown_as_a_table_or_as_json(runs, service):
    service.status = "succeeded"
    assert "final equity" in runs("show", RUN_HASH)[1]
    assert json.loads(runs("show", RUN_HASH, "--json")[1]) == service.answer


def test_parts_that_were_asked_for_are_printed_as_tables(runs, service):
    service.status = "succeeded"
    service.answer = service.answer | SECTIONS
    plain = runs("show", RUN_HASH)[1]
    out = runs("show", RUN_HASH, "--include", "trades,benchmark_metrics,rolling,periods,metrics_lean")[1]
    assert out.startswith(plain.rstrip("\n"))
    more = [" ".join(line.split()) for line in out[len(plain) :].splitlines()]
    for line in (
        "per round trip: closed_trades 1, win_rate 1.0000, avg_loss -",
        "SPY short 2015-01-02 2015-01-05 25.0000 200.00 190.00 248.50 4.97% 1 stop_loss",
        "total_return 0.0100 -0.0010",
        "last 63 days: sharpe_ratio 1.5000, beta -",
        "2015-01 0.5000 0.7500 -",
        "2015 10.0 10.0 10.0 10.0 10.0 10.0 10.0 10.0 10.0 10.0 10.0 10.0 50.0",
        "total_number_of_trades 1",
    ):
        assert line in more
    service.answer["trades"] = [SECTIONS["trades"][0]] * 60
    assert "… 10 earlier ones: --json has them" in runs("show", RUN_HASH, "--include", "trades")[1]


def test_a_part_that_a_run_lacks_is_named_and_an_unknown_one_is_refused(runs, service, capsys):
    service.status = "succeeded"
    assert runs("show", RUN_HASH, "--include", "trades")[1].endswith("\ntrades: none\n")
    with pytest.raises(SystemExit):
        runs("show", RUN_HASH, "--include", "tardes")
    assert "'tardes' is none of trades, " in capsys.readouterr().err


def test_statistics_are_shown_as_tables_or_as_json(runs, service):
    service.status = "succeeded"
    out = runs("show", RUN_HASH, "--statistics")[1].splitlines()
    assert (
        out[0] == "   year    Jan    Feb    Mar    Apr    May    Jun    Jul    Aug    Sep    Oct    Nov    Dec  total"
    )
    assert out[1] == "   2015   20.0  -25.0" + " " * 70 + "  -10.0"
    assert out[4].split() == ["-25.00%", "2015-01-02", "2015-02-02", "2015-03-02", "1,234"]
    assert out[5] == "  -12.50%  the start   2015-01-02  not yet          1"
    assert json.loads(runs("show", RUN_HASH, "--statistics", "--json")[1]) == STATISTICS


def test_a_failure_is_shown_with_its_reason(runs, service):
    error = {"code": "strategy_failed", "errors": ["ZeroDivisionError"], "traceback": "line 3", "logs": []}
    service.plan, service.status = (("finished", {"status": "failed", "error": error}),), "failed"
    status, out, _ = runs("show", RUN_HASH)
    assert status == 0
    assert out.endswith("ZeroDivisionError\nline 3\n")


def test_follow_waits_for_a_run_and_shows_its_result(runs, service, tmp_path):
    file = tmp_path / "r.html"
    status, out, err = runs("follow", RUN_HASH[:4], "--report", str(file))
    assert (status, err) == (0, "bought\n")
    assert out.endswith(f"run     {RUN_HASH}\nstudio  {service.url}/?run={RUN_HASH}\nreport  {file}\n")
    assert file.read_bytes() == b"<!doctype html>"


def test_follow_gives_the_result_as_json(runs, service):
    status, out, err = runs("follow", RUN_HASH, "--json")
    assert (status, json.loads(out), err) == (0, service.answer, "")


def test_following_a_failed_run_exits_with_its_status(runs, service):
    error = {"code": "strategy_failed", "errors": ["ZeroDivisionError"], "traceback": "", "logs": []}
    service.plan = (("finished", {"status": "failed", "error": error}),)
    status, out, err = runs("follow", RUN_HASH)
    assert (status, out) == (3, "")
    assert err.startswith("ZeroDivisionError\n")


def test_ctrl_c_in_follow_does_not_cancel_the_run(runs, service, monkeypatch):
    def interrupt(_self, _event):
        raise KeyboardInterrupt

    monkeypatch.setattr(Bar, "see", interrupt)
    status, out, err = runs("follow", RUN_HASH)
    assert (status, out) == (130, "")
    assert "The run continues." in err
    assert service.asked("POST", "/cancel") == []


HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b31m\r\n\x08\u202etxt\ud800\u2028"


@pytest.mark.parametrize("arguments", [("list",), ("list", "--json"), ("show", "1"), ("cancel", "1"), ("show", "x")])
def test_stored_text_cannot_control_the_terminal_or_imitate_another_run(runs, service, arguments):
    texts = dict.fromkeys(("name", "status", "start_date", "end_date", "submitted_at"), HOSTILE)
    hashes = ["1" + HOSTILE, "1" * 64, "1" * 63 + "2"]
    service.stored = [stored(1, **texts, run_hash=run_hash, symbols=[HOSTILE]) for run_hash in hashes]
    _, out, err = runs(*arguments)
    assert all(letter.isprintable() or letter == "\n" for letter in out + err)
    assert arguments != ("list",) or len(out.splitlines()) == 4


def test_cancel_ends_a_run_and_delete_removes_it(runs, service):
    assert "cancelled" in runs("cancel", RUN_HASH)[1]
    assert runs("delete", RUN_HASH) == (0, f"{RUN_HASH} is deleted.\n", "")
    assert (len(service.asked("POST", "/cancel")), len(service.asked("DELETE"))) == (1, 1)


def test_an_unknown_run_is_reported(runs):
    status, out, err = runs("cancel", "f" * 64)
    assert (status, out) == (4, "")
    assert "There is no such run" in err


def test_closing_the_output_early_prints_no_error(service):
    command = [sys.executable, "-m", "src", "runs", "list", "--url", service.url]
    project = Path(__file__).resolve().parents[2]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    listing = subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
    listing.stdout.close()
    assert (listing.stderr.read(), listing.wait(30)) == (b"", 141)
    listing.stderr.close()
