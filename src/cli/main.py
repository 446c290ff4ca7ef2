"""`python -m src COMMAND`: finds the command and runs it."""

import argparse
import io
import os
import sys
from collections.abc import Sequence

from src.cli import data, run, runs, verify
from src.cli.command import Command
from src.cli.outcome import INTERRUPTED
from src.errors import BacktesterError

COMMANDS: tuple[Command, ...] = (run.COMMAND, runs.COMMAND, data.COMMAND, verify.COMMAND)
"""All commands, in the order of the help text."""

OUTPUT_CLOSED = 141
"""What shells expect when the reader of the output has gone: 128 plus the number of SIGPIPE."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: the arguments after `python -m src`; None uses those of the process.

    Returns:
        The exit status for the shell: 0 on success, 1 on an error.

    Raises:
        SystemExit: the arguments are invalid (status 2), or only help was requested.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal with another encoding shows \u2026 instead of failing the command.
            stream.reconfigure(errors="backslashreplace")
    chosen = _parser().parse_args(arguments)
    try:
        status = int(chosen.run(chosen))
        sys.stdout.flush()
        return status
    except BacktesterError as error:
        print(error, file=sys.stderr)  # noqa: T201 - a command-line program prints
        return 1
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)  # noqa: T201 - as above
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of the output (head, less) has closed it; without this Python would report that again on exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OUTPUT_CLOSED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m src", description="HQG Backtester, from a terminal.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in COMMANDS:
        its_parser = commands.add_parser(command.name, help=command.summary, description=command.summary)
        command.add_arguments(its_parser)
        its_parser.set_defaults(run=command.run)
    return parser
