"""How a command reaches the service, and its messages when that fails."""

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from typing import TextIO

from hqg_backtester import (
    Client,
    ClientError,
    NoPrices,
    RequestInvalid,
    RunError,
    RunNotFinished,
    RunNotFound,
    ServiceUnavailable,
    StrategyFailed,
    StrategyRejected,
    Unauthorized,
)
from src.cli.numbers import seconds
from src.config.settings import load_settings

NO_ANSWER, STRATEGY_AT_FAULT, REQUEST_REFUSED, NOT_NOW = 1, 3, 4, 5

EXIT_STATUSES = """\
exit status:
  0  done
  1  no service answered, or a file cannot be read or written
  2  the arguments cannot be understood
  3  the strategy is at fault, or its window has no prices
  4  the service refuses the request: malformed, too large, no token, no such run
  5  the service cannot do it now, or the run was cancelled or took too long"""


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of every command that talks to the service."""
    parser.add_argument("--url", help="where the service is (from API_HOST and API_PORT: http://127.0.0.1:8005)")
    parser.add_argument(
        "--patience", type=seconds, default=60.0, metavar="SECONDS", help="how long to wait for a busy service (60)"
    )
    parser.add_argument("--json", action="store_true", help="print the service's answer as JSON")


def client_of(chosen: Namespace) -> Client:
    """The client for these arguments; its token is in the environment variable HQG_TOKEN.

    Raises:
        ServiceUnavailable: the address is not a valid URL.
    """
    return Client(chosen.url or default_url(), patience_seconds=chosen.patience)


def default_url() -> str:
    """Where `python -m src.api` listens with the settings of this folder and environment."""
    settings = load_settings()
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - compared, not listened on
    host = everywhere.get(settings.api_host, settings.api_host)
    return f"http://{f'[{host}]' if ':' in host and not host.startswith('[') else host}:{settings.api_port}"


def answered(chosen: Namespace, action: Callable[[], int], out: TextIO, errors: TextIO) -> int:
    """Run an action, explain its errors and return its exit status.

    Args:
        out: gets the service's answer to a refusal, if JSON was asked for.
        errors: gets the explanation.
    """
    try:
        return action()
    except ClientError as error:
        if chosen.json:
            print(json.dumps(error.answer or {"detail": str(error)}, indent=2), file=out)
        print("\n".join([explained(error), *getattr(error, "__notes__", ())]), file=errors)
        return exit_status(error)


def exit_status(error: ClientError) -> int:
    """The exit status that tells a script which kind of error occurred."""
    if isinstance(error, StrategyRejected | StrategyFailed | NoPrices):
        return STRATEGY_AT_FAULT
    if isinstance(error, Unauthorized | RequestInvalid | RunNotFound | RunNotFinished):
        return REQUEST_REFUSED
    return NO_ANSWER if _is_no_answer(error) else NOT_NOW


def explained(error: ClientError) -> str:
    """What went wrong, for a person at a terminal."""
    if _is_no_answer(error):
        return f"{error} Start a service with `make run` or `docker compose up --build`, or name another with --url."
    if isinstance(error, Unauthorized):
        return f"{error} A token is taken from the environment variable HQG_TOKEN."
    if isinstance(error, RunError) or error.status is None:
        return str(error)
    return f"The service answered {error.status}: {error}"


def _is_no_answer(error: ClientError) -> bool:
    return isinstance(error, ServiceUnavailable) and error.status is None
