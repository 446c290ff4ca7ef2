"""`python -m src run`: post a strategy file to a running service and read the result in the terminal."""

import json
import os
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace, RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any, TextIO

from src.cli.answer_table import answer_table, refusal
from src.cli.command import Command
from src.cli.service import Service
from src.cli.waiting import Waiting
from src.config.settings import load_settings
from src.errors import BacktesterError

EPILOG = """\
exit status:
  0  the backtest is done
  1  no service answered, or the file cannot be read
  2  the arguments cannot be understood
  3  the strategy is at fault, or its window has no prices (400)
  4  the service refuses the request: malformed, too large, no token (other 4xx)
  5  the service cannot do it now: busy, too slow, or its own fault (429, 5xx)

example:
  python -m src run examples/strategies/sma_trend.py --start 2015-01-01 --end 2020-12-31"""

TOKEN_VARIABLE = "HQG_TOKEN"  # noqa: S105 - the name of a variable

STRATEGY_AT_FAULT, REQUEST_REFUSED, NOT_NOW = 3, 4, 5

_FIELDS = ("name", "initial_capital", "commission", "slippage", "risk_free_rate", "min_trade_value", "seed")


class FileUnreadable(BacktesterError):
    """The strategy file cannot be read."""

    code = "file_unreadable"


def run(chosen: Namespace, service: Service, out: TextIO, errors: TextIO) -> int:
    """Post the strategy and print what came back.

    Args:
        chosen: the parsed arguments.
        out: gets the table, or the JSON answer whatever its status.
        errors: gets progress and refusals.

    Returns:
        The exit status, see EPILOG.

    Raises:
        FileUnreadable, NoAnswer
    """
    request = request_of(chosen)
    with Waiting(errors, f"Running {chosen.strategy}"):
        status, answer = service.post("/api/v1/backtest", request)
    if chosen.json:
        print(json.dumps(answer, indent=2), file=out)
    elif status == 200:
        print(answer_table(answer), file=out)
    if status != 200:
        print(_explained(status, answer), file=errors)
    return exit_status(status)


def exit_status(status: int) -> int:
    """The exit status that tells a script what kind of answer came."""
    if status == 200:
        return 0
    if status == 400:
        return STRATEGY_AT_FAULT
    return NOT_NOW if status == 429 or status >= 500 else REQUEST_REFUSED


def request_of(chosen: Namespace) -> dict[str, Any]:
    """The body of the request; what was not named is left to the service.

    Raises:
        FileUnreadable
    """
    request = {"strategy_code": _source(chosen.strategy), "start_date": chosen.start, "end_date": chosen.end}
    request |= {field: value for field in _FIELDS if (value := getattr(chosen, field)) is not None}
    if chosen.benchmark is not None:
        request["benchmark"] = None if chosen.benchmark.lower() == "none" else chosen.benchmark
    if chosen.parameter:
        request["parameters"] = dict(chosen.parameter)
    return request


def _source(path: str) -> str:
    try:
        return sys.stdin.read() if path == "-" else Path(path).read_text("utf-8-sig")
    except OSError as error:
        raise FileUnreadable(f"{path} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise FileUnreadable(f"{path} is not UTF-8 text.") from error


def _explained(status: int, answer: dict[str, Any]) -> str:
    detail = answer.get("detail")
    if status == 422 and isinstance(detail, list):
        problems = [f"  {'.'.join(str(part) for part in item['loc'][1:])}: {item['msg']}" for item in detail]
        return "\n".join(["The service answered 422:", *problems])
    text = refusal(status, answer)
    if isinstance(detail, dict) and detail.get("traceback"):
        text = f"{text}\n{detail['traceback']}"
    return text


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


def default_url() -> str:
    """Where `python -m src.api` listens with the settings of this folder and environment."""
    settings = load_settings()
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - compared, not listened on
    host = everywhere.get(settings.api_host, settings.api_host)
    return f"http://{f'[{host}]' if ':' in host and not host.startswith('[') else host}:{settings.api_port}"


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
    parser.add_argument("--url", help="where the service is (from API_HOST and API_PORT: http://127.0.0.1:8005)")
    parser.add_argument(
        "--timeout", type=float, default=610.0, metavar="SECONDS", help="longest wait for the answer (610)"
    )
    parser.add_argument("--json", action="store_true", help="print the whole answer as JSON")


def _run(chosen: Namespace) -> int:
    service = Service(chosen.url or default_url(), os.environ.get(TOKEN_VARIABLE, ""), chosen.timeout)
    return run(chosen, service, sys.stdout, sys.stderr)


COMMAND = Command("run", "Backtest a strategy file on a running service.", _add_arguments, _run)
