"""`python -m src runs` against a stand-in service on 127.0.0.1."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from src.cli.main import main
from tests.fakes.scripted_service import METRICS, RUN_HASH, ScriptedService


def stored(number: int, **changes):
    return {
        "run_hash": f"{number:x}" * 64,
        "name": f"run {number}",
        "status": "succeeded",
        "has_result": True,
        "start_date": "2015-01-01",
        "end_date": "2015-12-31",
        "submitted_at": "2026-11-20T12:00:00.123Z",
        "metrics": METRICS,
        "error": None,
        **changes,
    }


class Stored(ScriptedService):
    """Its one run is in its list too."""

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


def test_a_list_has_one_line_a_run(runs):
    status, out, _ = runs("list")
    lines = out.splitlines()
    assert status == 0
    assert len(lines) == 3
    assert lines[1] == "111111111111  2026-11-20 12:00:00  succeeded  2015-01-01 to 2015-12-31      1.00%  run 1"
    assert lines[2].endswith("failed     2015-01-01 to 2015-12-31")


def test_a_list_ends_where_it_shall(runs, service):
    assert len(runs("list", "--limit", "2")[1].splitlines()) == 2
    assert service.seen[0].query == {"limit": "2"}


def test_filters_reach_the_service(runs, service):
    runs("list", "--status", "failed", "--name", "a", "--symbol", "SPY", "--since", "2026-01-01T00:00:00Z")
    assert service.seen[0].query == {
        "status": "failed",
        "name": "a",
        "symbol": "SPY",
        "since": "2026-01-01T00:00:00Z",
        "limit": "20",
    }


def test_json_is_what_the_service_said(runs, service):
    assert json.loads(runs("list", "--json")[1]) == service.stored


def test_the_start_of_a_hash_names_a_run(runs, service):
    status, out, _ = runs("show", RUN_HASH[:6])
    assert status == 0
    assert out.startswith(f"{RUN_HASH[:12]}  ")
    assert service.asked("GET", RUN_HASH)


@pytest.mark.parametrize("start", ["abc", ""])
def test_a_start_that_names_no_run_or_several_is_refused(runs, start):
    status, _, err = runs("show", start)
    assert status == 4
    assert "begins with" in err


def test_a_result_is_shown_as_a_table_or_as_json(runs, service):
    service.status = "succeeded"
    assert "final equity" in runs("show", RUN_HASH)[1]
    assert json.loads(runs("show", RUN_HASH, "--json")[1]) == service.answer


def test_a_failure_is_shown_with_its_reason(runs, service):
    error = {"code": "strategy_failed", "errors": ["ZeroDivisionError"], "traceback": "line 3", "logs": []}
    service.plan, service.status = (("finished", {"status": "failed", "error": error}),), "failed"
    status, out, _ = runs("show", RUN_HASH)
    assert status == 0
    assert out.endswith("ZeroDivisionError\nline 3\n")


def test_cancel_ends_a_run_and_delete_removes_it(runs, service):
    assert "cancelled" in runs("cancel", RUN_HASH)[1]
    assert runs("delete", RUN_HASH) == (0, f"{RUN_HASH} is deleted.\n", "")
    assert [seen.method for seen in service.asked("DELETE")] == ["DELETE", "DELETE"]


def test_an_unknown_run_is_told(runs):
    status, out, err = runs("cancel", "f" * 64)
    assert (status, out) == (4, "")
    assert "There is no such run" in err


def test_who_closes_the_output_gets_no_complaint(service):
    command = [sys.executable, "-m", "src", "runs", "list", "--url", service.url]
    project = Path(__file__).resolve().parents[2]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    listing = subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
    listing.stdout.close()
    assert (listing.stderr.read(), listing.wait(30)) == (b"", 141)
    listing.stderr.close()
