"""`python -m src run`: run a strategy file on a running service and read the result in the terminal."""

import json
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace, RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any, TextIO

from hqg_backtester import Client, Run
from hqg_backtester.client.client import Terms
from hqg_backtester.client.progress import Bar
from src.cli import connection
from src.cli.answer_table import answer_table
from src.cli.command import Command
from src.errors import BacktesterError

EPILOG = f"""\
{connection.EXIT_STATUSES}
  130  Ctrl-C: the run was cancelled

example:
  python -m src run examples/strategies/sma_trend.py --start 2015-01-01 --end 2020-12-31"""

_FIELDS = ("name", "initial_capital", "commission", "slippage", "risk_free_rate", "min_trade_value", "seed")


class FileUnreadable(BacktesterError):
    """The strategy file cannot be read."""

    code = "file_unreadable"


def run(chosen: Namespace, client: Client, out: TextIO, errors: TextIO) -> int:
    """Run the strategy and print what came of it.

    Ctrl-C cancels the run on the service.

    Args:
        chosen: the parsed arguments.
        out: gets the table, or the whole answer as JSON; without waiting, the run's hash or summary.
        errors: gets what the strategy printed.

    Returns:
        The exit status, see EPILOG.

    Raises:
        FileUnreadable, ClientError
    """
    source, terms = _source(chosen.strategy), terms_of(chosen)
    is_shown = False if chosen.no_wait or chosen.quiet else None
    with Bar(chosen.name or chosen.strategy, is_shown=is_shown, shows_logs=True, stream=errors) as bar:
        run = client.submit(source, chosen.start, chosen.end, rerun=chosen.rerun, watcher=bar, **terms)
        if chosen.no_wait:
            return _show_run(run, chosen.json, out)
        result = run.wait(watcher=bar, timeout_seconds=chosen.timeout, cancel_on_interrupt=True)
    if not chosen.json and not chosen.quiet and not bar.n_lines_shown:
        print(*result.logs, sep="\n", end="\n" if result.logs else "", file=errors)
    print(json.dumps(result.raw, indent=2) if chosen.json else answer_table(result.raw), file=out)
    return 0


def _show_run(run: Run, as_json: bool, out: TextIO) -> int:
    print(json.dumps(dict(run.summary), indent=2) if as_json else run.run_hash, file=out)
    return 0


def terms_of(chosen: Namespace) -> Terms:
    """The terms of the backtest; what was not named is left to the service."""
    terms: Any = {field: value for field in _FIELDS if (value := getattr(chosen, field)) is not None}
    if chosen.benchmark is not None:
        terms["benchmark"] = None if chosen.benchmark.lower() == "none" else chosen.benchmark
    if chosen.parameter:
        terms["parameters"] = dict(chosen.parameter)
    return terms  # type: ignore[no-any-return]


def _source(path: str) -> str:
    try:
        return sys.stdin.read() if path == "-" else Path(path).read_text("utf-8-sig")
    except OSError as error:
        raise FileUnreadable(f"{path} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise FileUnreadable(f"{path} is not UTF-8 text.") from error


def _json_or_number(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is neither a number nor a JSON object") from error


def _parameter(text: str) -> tuple[str, Any]:
    name, separator, value = text.partition("=")
    if not separator or not name:
        raise ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _add_arguments(parser: ArgumentParser) -> None:
    parser.formatter_class = RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    parser.add_argument("strategy", metavar="FILE", help="the strategy's source; - reads standard input")
    parser.add_argument("--start", required=True, metavar="DATE", help="first day of the window, 2015-01-01")
    parser.add_argument("--end", required=True, metavar="DATE", help="last day of the window, included")
    parser.add_argument("--name", help="a name for the run")
    parser.add_argument(
        "--capital", dest="initial_capital", type=float, metavar="MONEY", help="cash at the start (10000)"
    )
    parser.add_argument(
        "--commission", type=_json_or_number, metavar="FEE", help="fee per order, or a model as JSON (0)"
    )
    parser.add_argument(
        "--slippage", type=_json_or_number, metavar="FRACTION", help="fraction of price, or a model as JSON (0)"
    )
    parser.add_argument("--benchmark", metavar="TICKER", help="what to measure against, or none (SPY)")
    parser.add_argument("--risk-free-rate", type=float, metavar="RATE", help="yearly fraction (the price source's own)")
    parser.add_argument("--min-trade-value", type=float, metavar="MONEY", help="smaller changes are not traded (1)")
    parser.add_argument("--seed", type=int, help="seeds random and NumPy (0)")
    parser.add_argument(
        "-p",
        "--parameter",
        action="append",
        type=_parameter,
        metavar="NAME=VALUE",
        help="one entry of `import config`; the value is JSON, or else text; may be repeated",
    )
    parser.add_argument("--rerun", action="store_true", help="compute it even if this run exists already")
    parser.add_argument("--no-wait", action="store_true", help="print the run's hash and leave it to the service")
    parser.add_argument("--quiet", action="store_true", help="show neither progress nor what the strategy prints")
    parser.add_argument(
        "--timeout", type=float, metavar="SECONDS", help="longest wait for the run, which then goes on (no limit)"
    )
    connection.add_arguments(parser)


def _run(chosen: Namespace) -> int:
    out, errors = sys.stdout, sys.stderr
    return connection.answered(chosen, lambda: run(chosen, connection.client_of(chosen), out, errors), out, errors)


COMMAND = Command("run", "Backtest a strategy file on a running service.", _add_arguments, _run)
