"""`python -m src run`: run a strategy file on a running service and print its result."""

import json
import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from pathlib import Path
from typing import TextIO

from hqg_backtester import Client, Run
from hqg_backtester.client.progress import Bar
from hqg_backtester.client.text import on_one_line
from src.cli import connection, outcome
from src.cli.command import Command
from src.cli.terms import add_terms, terms_of
from src.errors import BacktesterError

EPILOG = f"""\
{connection.EXIT_STATUSES}
  130  Ctrl-C: the run was cancelled, or the output says why not

examples:
  python -m src run examples/strategies/sma_trend.py --start 2015-01-01 --end 2020-12-31
  python -m src run mine.py --start 2015-01-01 --end 2020-12-31 --universe SPY,BND --report report.html"""


class FileUnreadable(BacktesterError):
    """The strategy file cannot be read."""

    code = "file_unreadable"


def run(chosen: Namespace, client: Client, out: TextIO, errors: TextIO) -> int:
    """Run the strategy and print the outcome.

    Ctrl-C cancels the run on the service.

    Args:
        chosen: the parsed arguments.
        out: receives the table, or the whole answer as JSON; without waiting, the run's hash or summary.
        errors: receives what the strategy printed.

    Returns:
        The exit status, see EPILOG.

    Raises:
        FileUnreadable, ReportUnwritable, ClientError
    """
    source, terms = _source(chosen.strategy), terms_of(chosen)
    outcome.check_report(chosen.report)
    is_shown = False if chosen.no_wait or chosen.quiet else None
    run: Run | None = None
    try:
        with Bar(terms.get("name") or chosen.strategy, is_shown=is_shown, shows_logs=True, stream=errors) as bar:
            run = client.submit(source, chosen.start, chosen.end, rerun=chosen.rerun, watcher=bar, **terms)
            if chosen.no_wait:
                return _show_run(run, chosen.json, out)
            result = outcome.wait_for(run, bar, chosen.timeout)
        if not (chosen.json or chosen.quiet or bar.n_lines_shown):
            outcome.show_logs(result, errors)
        outcome.show(run, result, chosen, out, errors)
    except KeyboardInterrupt:
        return _never_accepted(errors) if run is None else outcome.cancelled(run, errors)
    return 0


def _show_run(run: Run, as_json: bool, out: TextIO) -> int:
    print(json.dumps(dict(run.summary), indent=2) if as_json else on_one_line(run.run_hash), file=out)
    return 0


def _never_accepted(errors: TextIO) -> int:
    said = "Stopped before the service accepted the run. If it was accepted, `python -m src runs list` shows it."
    print(said, file=errors)
    return outcome.INTERRUPTED


def _source(path: str) -> str:
    try:
        return sys.stdin.read() if path == "-" else Path(path).read_text("utf-8-sig")
    except OSError as error:
        raise FileUnreadable(f"{path} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise FileUnreadable(f"{path} is not UTF-8 text.") from error


def _add_arguments(parser: ArgumentParser) -> None:
    parser.formatter_class = RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    parser.add_argument("strategy", metavar="FILE", help="the strategy's source; - reads standard input")
    parser.add_argument("--start", required=True, metavar="DATE", help="first day of the window, 2015-01-01")
    parser.add_argument("--end", required=True, metavar="DATE", help="last day of the window, included")
    add_terms(parser)
    parser.add_argument("--rerun", action="store_true", help="compute it again even if this run exists")
    either = parser.add_mutually_exclusive_group()
    either.add_argument("--no-wait", action="store_true", help="print the run's hash and do not wait for the run")
    either.add_argument("--report", type=Path, metavar="FILE", help=outcome.REPORT_HELP)
    outcome.add_arguments(parser)
    connection.add_arguments(parser)


def _run(chosen: Namespace) -> int:
    out, errors = sys.stdout, sys.stderr
    return connection.answered(chosen, lambda: run(chosen, connection.client_of(chosen), out, errors), out, errors)


COMMAND = Command("run", "Backtest a strategy file on a running service.", _add_arguments, _run)
