"""`python -m src runs`: the runs that a service keeps."""

import json
import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from itertools import islice
from typing import TextIO

from hqg_backtester import Client, Run, RunNotFound
from hqg_backtester.client.answers import run_error
from src.cli import connection
from src.cli.answer_table import answer_table
from src.cli.command import Command

HASH_CHARACTERS = 64
SHOWN_CHARACTERS = 12
STATUSES = ("queued", "running", "succeeded", "failed", "cancelled", "timed_out")


def list_runs(chosen: Namespace, client: Client, out: TextIO) -> int:
    """Print one line a run, newest first; always 0."""
    wanted = {name: getattr(chosen, name) for name in ("status", "name", "symbol", "since")}
    runs = islice(client.runs(**wanted, page_size=min(chosen.limit, 100)), chosen.limit)
    if chosen.json:
        print(json.dumps([dict(run.summary) for run in runs], indent=2), file=out)
        return 0
    for run in runs:
        print(_line(run), file=out)
    return 0


def show_run(chosen: Namespace, client: Client, out: TextIO) -> int:
    """Print how a run stands, or its result; always 0."""
    run = found(client, chosen.run_hash)
    if chosen.json:
        print(json.dumps(run.result().raw if run.summary["has_result"] else dict(run.summary), indent=2), file=out)
        return 0
    print(_line(run), file=out)
    if run.summary["has_result"]:
        print(answer_table(run.result().raw), file=out)
    elif run.is_finished:
        print(run_error(run.summary), file=out)
    return 0


def cancel_run(chosen: Namespace, client: Client, out: TextIO) -> int:
    """End a run and print how it stands then; always 0."""
    run = found(client, chosen.run_hash).cancel()
    print(json.dumps(dict(run.summary), indent=2) if chosen.json else _line(run), file=out)
    return 0


def delete_run(chosen: Namespace, client: Client, out: TextIO) -> int:
    """Remove a run for good; always 0."""
    run = found(client, chosen.run_hash)
    run.delete()
    print(json.dumps({"deleted": run.run_hash}) if chosen.json else f"{run.run_hash} is deleted.", file=out)
    return 0


def found(client: Client, start: str) -> Run:
    """The one run whose hash begins so.

    Raises:
        RunNotFound: there is none, or more than one.
    """
    if len(start) >= HASH_CHARACTERS:
        return client.get(start)
    matches = [run for run in client.runs(page_size=100) if run.run_hash.startswith(start.lower())]
    if len(matches) != 1:
        raise RunNotFound(f"{len(matches) or 'No'} runs have a hash that begins with {start}.")
    return matches[0].refresh()


def _line(run: Run) -> str:
    summary, metrics = run.summary, run.metrics or {}
    total = metrics.get("total_return")
    shown = "" if total is None else f"{total:>10.2%}"
    window = f"{summary['start_date']} to {summary['end_date']}"
    at = str(summary["submitted_at"])[:19].replace("T", " ")
    return f"{run.run_hash[:SHOWN_CHARACTERS]}  {at}  {run.status:<10} {window} {shown:>10}  {run.name or ''}".rstrip()


ACTIONS = {"list": list_runs, "show": show_run, "cancel": cancel_run, "delete": delete_run}


def _add_arguments(parser: ArgumentParser) -> None:
    parser.formatter_class = RawDescriptionHelpFormatter
    parser.epilog = connection.EXIT_STATUSES
    actions = parser.add_subparsers(metavar="ACTION", dest="action", required=True)
    listed = actions.add_parser("list", help="one line a run, newest first")
    listed.add_argument("--status", choices=STATUSES, help="only runs that stand so")
    listed.add_argument("--name", help="part of the run's name")
    listed.add_argument("--symbol", metavar="TICKER", help="only runs that trade it")
    listed.add_argument("--since", metavar="TIME", help="submitted then or later: 2026-01-31T00:00:00Z")
    listed.add_argument("--limit", type=int, default=20, metavar="COUNT", help="the newest so many (20)")
    connection.add_arguments(listed)
    for action, what in (
        ("show", "how a run stands, or its result"),
        ("cancel", "end a run that waits or runs"),
        ("delete", "remove a run with its result, events and files"),
    ):
        one = actions.add_parser(action, help=what)
        one.add_argument("run_hash", metavar="HASH", help="its hash, or as much of its start as names one run")
        connection.add_arguments(one)


def _run(chosen: Namespace) -> int:
    def action() -> int:
        return ACTIONS[chosen.action](chosen, connection.client_of(chosen), sys.stdout)

    return connection.answered(chosen, action, sys.stdout, sys.stderr)


COMMAND = Command("runs", "List, show, cancel or delete the runs that a service keeps.", _add_arguments, _run)
