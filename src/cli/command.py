"""What a subcommand is: a name, its arguments, and what it does."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Command:
    """One word after `python -m src`.

    A module with a command must be quick to import: what takes long is imported in `run`.

    Attributes:
        name: the word.
        summary: one line for `python -m src --help`.
        add_arguments: gives its parser what may follow the word.
        run: does it; the exit status for the shell. May raise BacktesterError, which becomes a
            sentence on standard error and the status 1.
    """

    name: str
    summary: str
    add_arguments: Callable[[ArgumentParser], None]
    run: Callable[[Namespace], int]
