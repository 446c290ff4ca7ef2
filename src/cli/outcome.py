"""The outcome of a run, printed for a person or as JSON, and what happens to it after Ctrl-C."""

import json
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TextIO

from hqg_backtester import ClientError, Result, Run, RunError
from hqg_backtester.client.progress import Bar
from hqg_backtester.client.text import on_one_line, printable
from src.cli.answer_table import answer_table
from src.cli.numbers import seconds
from src.cli.section_tables import SECTION_TABLES, section_tables, sections
from src.errors import BacktesterError

INTERRUPTED = 130
"""What shells expect after Ctrl-C: 128 plus the number of SIGINT."""

INTERRUPTED_PATIENCE_SECONDS = 5.0
"""How long to try to cancel a run if the service does not answer: the user is waiting for the prompt."""

REPORT_HELP = "save the service's report, one HTML page, to this file"
SHORT_HASH_CHARACTERS = 12
_UNDER_WAY = ("queued", "running")


class ReportUnwritable(BacktesterError):
    """The report cannot be written where it was asked for."""

    code = "report_unwritable"

    def __init__(self, report: Path, reason: str) -> None:
        super().__init__(f"The report cannot be written to {report}: {reason}.")


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of every command that waits for a run."""
    add_include(parser)
    parser.add_argument("--quiet", action="store_true", help="show neither progress nor what the strategy prints")
    parser.add_argument(
        "--timeout", type=seconds, metavar="SECONDS", help="maximum wait; the run itself continues (no limit)"
    )


def add_include(parser: ArgumentParser) -> None:
    """Add the argument that chooses further tables."""
    parser.add_argument(
        "--include",
        type=sections,
        default=(),
        metavar="PARTS",
        help=f"also print these parts: {','.join(SECTION_TABLES)}; JSON has all of them anyway",
    )


def check_report(report: Path | None) -> None:
    """Check before the run that its report can be written afterwards.

    Raises:
        ReportUnwritable: the folder does not exist, or the path is a folder.
    """
    if report is None:
        return
    if report.is_dir():
        raise ReportUnwritable(report, "it is a folder")
    if not report.absolute().parent.is_dir():
        raise ReportUnwritable(report, "its folder does not exist")


def wait_for(run: Run, bar: Bar, timeout_seconds: float | None) -> Result:
    """Wait for the run and return its result.

    Raises:
        ClientError: there is none; a note says where to find the run.
    """
    try:
        return run.wait(watcher=bar, timeout_seconds=timeout_seconds)
    except ClientError as error:
        error.add_note(addresses(run) if isinstance(error, RunError) else how_to_go_on(run))
        raise


def show(run: Run, result: Result, chosen: Namespace, out: TextIO, errors: TextIO) -> None:
    """Print the table and the run's addresses, or the whole answer as JSON, and save the report.

    Args:
        chosen: the parsed arguments json, include and report.
        out: with JSON, receives nothing else.

    Raises:
        ReportUnwritable: the report cannot be written, or the service does not return it.
    """
    if chosen.json:
        print(json.dumps(result.raw, indent=2), file=out)
    else:
        tables = [answer_table(result.raw), *section_tables(result.raw, chosen.include), addresses(run)]
        print("\n\n".join(tables), file=out)
    if chosen.report is not None:
        try:
            result.report(chosen.report)
        except OSError as error:
            raise ReportUnwritable(chosen.report, str(error.strerror or error)) from error
        except ClientError as error:
            # The result is already printed: an error as JSON would be a second document after it.
            raise ReportUnwritable(chosen.report, str(error)) from error
        print(f"report  {chosen.report}", file=errors if chosen.json else out)


def show_logs(result: Result, errors: TextIO) -> None:
    """Print what the strategy printed."""
    for line in result.logs:
        print(printable(line), file=errors)


def cancelled(run: Run, errors: TextIO) -> int:
    """Cancel a run after Ctrl-C, print the outcome and return the exit status."""
    try:
        run.cancel(patience_seconds=INTERRUPTED_PATIENCE_SECONDS)
    except (ClientError, KeyboardInterrupt):
        said = f"Stopped. The service did not confirm the cancellation. {how_to_go_on(run)}"
    else:
        said = f"Stopped. {_ending(run)}"
    print(said, file=errors)
    return INTERRUPTED


def _ending(run: Run) -> str:
    if run.status == "cancelled":
        return f"The run is cancelled.\n{addresses(run)}"
    if run.status in _UNDER_WAY:
        return f"The service was asked to cancel the run and has not done so yet. {how_to_go_on(run)}"
    return f"The run had already ended: {spelled(run.status)}.\n{addresses(run)}"


def spelled(status: str) -> str:
    """A run's status in words."""
    return on_one_line(status).replace("_", " ")


def addresses(run: Run) -> str:
    """The run's hash, and where the studio shows it."""
    return f"run     {on_one_line(run.run_hash)}\nstudio  {on_one_line(run.studio_url)}"


def how_to_go_on(run: Run) -> str:
    """The commands for a run that may still be in progress, and its addresses."""
    short = on_one_line(run.run_hash[:SHORT_HASH_CHARACTERS])
    return (
        f"Follow it with `python -m src runs follow {short}`, or end it with `python -m src runs cancel {short}`.\n"
        f"{addresses(run)}"
    )
