"""`python -m src runs`: manage the runs of a service."""

import json
import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from itertools import islice
from pathlib import Path
from typing import TextIO

from hqg_backtester import Client, Run, RunNotFound
from hqg_backtester.client.answers import run_error
from hqg_backtester.client.progress import Bar
from hqg_backtester.client.text import on_one_line
from src.cli import connection, outcome
from src.cli.answer_table import answer_table, statistics_tables
from src.cli.command import Command
from src.cli.numbers import count
from src.cli.run_table import HEADER, run_block, run_line
from src.cli.section_tables import section_tables

HASH_CHARACTERS = 64
MAX_CANDIDATES = 10
STATUSES = ("queued", "running", "succeeded", "failed", "cancelled", "timed_out")

EPILOG = f"""\
{connection.EXIT_STATUSES}
  130  Ctrl-C"""


def list_runs(chosen: Namespace, client: Client, out: TextIO, _errors: TextIO) -> int:
    """Print a header and one line per run, newest first; returns 0."""
    wanted = {name: getattr(chosen, name) for name in ("status", "name", "symbol", "since")}
    runs = islice(client.runs(**wanted, page_size=min(chosen.limit, 100)), chosen.limit)
    if chosen.json:
        print(json.dumps([dict(run.summary) for run in runs], indent=2), file=out)
        return 0
    n_runs = 0
    for n_runs, run in enumerate(runs, start=1):
        if n_runs == 1:
            print(HEADER, file=out)
        print(run_line(run), file=out)
    if not n_runs:
        print("No runs match." if any(wanted.values()) else "There are no runs yet.", file=out)
    return 0


def show_run(chosen: Namespace, client: Client, out: TextIO, _errors: TextIO) -> int:
    """Print a run's state or its result; returns 0."""
    run = found(client, chosen.run_hash)
    if chosen.statistics:
        statistics = run.result().statistics
        print(json.dumps(dict(statistics), indent=2) if chosen.json else statistics_tables(statistics), file=out)
        return 0
    if chosen.json:
        print(json.dumps(run.result().raw if run.summary["has_result"] else dict(run.summary), indent=2), file=out)
        return 0
    print(run_block(run), file=out)
    if run.summary["has_result"]:
        raw = run.result().raw
        print("\n" + "\n\n".join([answer_table(raw), *section_tables(raw, chosen.include)]), file=out)
    elif run.is_finished:
        print(f"\n{run_error(run.summary)}", file=out)
    return 0


def follow_run(chosen: Namespace, client: Client, out: TextIO, errors: TextIO) -> int:
    """Wait for a run and print its result, as `python -m src run` does; Ctrl-C does not cancel the run.

    Raises:
        ReportUnwritable, ClientError
    """
    outcome.check_report(chosen.report)
    run = found(client, chosen.run_hash)
    try:
        is_shown = False if chosen.quiet else None
        with Bar(run.name or run.run_hash, is_shown=is_shown, shows_logs=True, stream=errors) as bar:
            result = outcome.wait_for(run, bar, chosen.timeout)
        if not (chosen.json or chosen.quiet or bar.n_lines_shown):
            outcome.show_logs(result, errors)
        outcome.show(run, result, chosen, out, errors)
    except KeyboardInterrupt:
        print(f"Stopped. The run continues. {outcome.how_to_go_on(run)}", file=errors)
        return outcome.INTERRUPTED
    return 0


def cancel_run(chosen: Namespace, client: Client, out: TextIO, _errors: TextIO) -> int:
    """Cancel a run and print its state; returns 0."""
    run = found(client, chosen.run_hash).cancel()
    print(json.dumps(dict(run.summary), indent=2) if chosen.json else run_block(run), file=out)
    return 0


def delete_run(chosen: Namespace, client: Client, out: TextIO, _errors: TextIO) -> int:
    """Delete a run permanently; returns 0."""
    run = found(client, chosen.run_hash)
    run.delete()
    print(
        json.dumps({"deleted": run.run_hash}) if chosen.json else f"{on_one_line(run.run_hash)} is deleted.", file=out
    )
    return 0


def found(client: Client, start: str) -> Run:
    """The only run whose hash begins with `start`.

    Raises:
        RunNotFound: there is none, or there are several; the text lists them.
    """
    start = start.lower()
    if len(start) >= HASH_CHARACTERS:
        return client.get(start)
    matches = [run for run in client.runs(page_size=100) if run.run_hash.startswith(start)]
    if not matches:
        raise RunNotFound(f'No run has a hash that begins with "{start}". `python -m src runs list` shows your runs.')
    if len(matches) > 1:
        several = f'{len(matches)} runs have a hash that begins with "{start}":'
        raise RunNotFound("\n".join([several, *_candidates(matches)]))
    return matches[0].refresh()


def _candidates(runs: list[Run]) -> list[str]:
    hidden = len(runs) - MAX_CANDIDATES
    more = [f"and {hidden} more"] if hidden > 0 else []
    return [HEADER, *(run_line(run) for run in runs[:MAX_CANDIDATES]), *more]


ACTIONS = {"list": list_runs, "show": show_run, "follow": follow_run, "cancel": cancel_run, "delete": delete_run}


def _add_arguments(parser: ArgumentParser) -> None:
    parser.formatter_class = RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    actions = parser.add_subparsers(metavar="ACTION", dest="action", required=True)
    listed = actions.add_parser("list", help="one line per run, newest first")
    listed.add_argument("--status", choices=STATUSES, help="only runs with this status")
    listed.add_argument("--name", help="part of the run's name")
    listed.add_argument("--symbol", metavar="TICKER", help="only runs that trade it")
    listed.add_argument("--since", metavar="TIME", help="only runs submitted since: 2026-01-31T00:00:00Z")
    listed.add_argument("--limit", type=count, default=20, metavar="COUNT", help="maximum number of runs (20)")
    connection.add_arguments(listed)
    for action, what in (
        ("show", "show a run's state or its result"),
        ("follow", "wait for a run and show its result"),
        ("cancel", "cancel a run that is queued or running"),
        ("delete", "delete a run with its result, events and files"),
    ):
        one = actions.add_parser(action, help=what)
        one.add_argument("run_hash", metavar="HASH", help="its hash, or a prefix that no other run shares")
        if action == "show":
            outcome.add_include(one)
            one.add_argument("--statistics", action="store_true", help="returns by month and the deepest drawdowns")
        if action == "follow":
            one.add_argument("--report", type=Path, metavar="FILE", help=outcome.REPORT_HELP)
            outcome.add_arguments(one)
        connection.add_arguments(one)


def _run(chosen: Namespace) -> int:
    def action() -> int:
        return ACTIONS[chosen.action](chosen, connection.client_of(chosen), sys.stdout, sys.stderr)

    return connection.answered(chosen, action, sys.stdout, sys.stderr)


COMMAND = Command("runs", "List, show, follow, cancel or delete the runs of a service.", _add_arguments, _run)
