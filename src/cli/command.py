"""A subcommand: its name, its arguments and its action."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Command:
    """One subcommand of `python -m src`.

    A module with a command must import quickly: slow imports belong in `run`.

    Attributes:
        name: the subcommand.
        summary: one line for `python -m src --help`.
        add_arguments: adds its arguments to its parser.
        run: runs it and returns the exit status. May raise BacktesterError, which becomes a
            sentence on standard error and the status 1.
    """

    name: str
    summary: str
    add_arguments: Callable[[ArgumentParser], None]
    run: Callable[[Namespace], int]
