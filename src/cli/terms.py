"""The settings of a backtest as options: one line per field of the request."""

import json
from argparse import SUPPRESS, ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable
from typing import Any, NamedTuple

from hqg_backtester import Terms
from src.cli.numbers import number


def _tickers(text: str) -> list[str]:
    tickers = [ticker.strip() for ticker in text.split(",")]
    if not all(tickers):
        raise ArgumentTypeError(f"{text!r} is not a list of tickers such as SPY,BND")
    return tickers


def _ticker_or_none(text: str) -> str | None:
    return None if text.lower() == "none" else text


def _yes_or_no(text: str) -> bool:
    answers = {"yes": True, "true": True, "no": False, "false": False}
    if text.lower() not in answers:
        raise ArgumentTypeError(f"{text!r} is neither yes nor no")
    return answers[text.lower()]


def _number_or_model(text: str) -> Any:
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except ValueError:
        value = None
    if isinstance(value, dict) or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    raise ArgumentTypeError(f"{text!r} is neither a number nor a JSON object")


def _parameter(text: str) -> tuple[str, Any]:
    name, separator, value = text.partition("=")
    if not separator or not name:
        raise ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    try:
        return name, json.loads(value, parse_constant=_refuse_constant)
    except ValueError:
        return name, value


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


class Term(NamedTuple):
    """An option and the request field it sets."""

    option: str
    field: str
    read: Callable[[str], Any]
    metavar: str
    help: str


TERMS = (
    Term("--universe", "universe", _tickers, "TICKERS", "trade these instead of the strategy's own: SPY,BND"),
    Term("--name", "name", str, "NAME", "a name for the run"),
    Term("--capital", "initial_capital", number, "MONEY", "cash at the start (10000)"),
    Term("--commission", "commission", _number_or_model, "FEE", "fee per order, or a model as JSON (0)"),
    Term("--slippage", "slippage", _number_or_model, "FRACTION", "fraction of price, or a model as JSON (0)"),
    Term("--benchmark", "benchmark", _ticker_or_none, "TICKER", "what to compare with, or none (SPY)"),
    Term("--risk-free-rate", "risk_free_rate", number, "RATE", "yearly fraction (the price source's own)"),
    Term("--min-trade-value", "min_trade_value", number, "MONEY", "smaller changes are not traded (1)"),
    Term("--delisting-return", "delisting_return", number, "FRACTION", "of the last close, in a delisted symbol (0)"),
    Term("--price-adjustment", "price_adjustment", str, "WHAT", "dividends_and_splits, or splits: dividends are cash"),
    Term("--allow-short", "allow_short", _yes_or_no, "YES", "whether weights may be negative: yes or no (no)"),
    Term("--max-gross", "max_gross", number, "NUMBER", "largest sum of absolute weights, from 1 to 10 (1)"),
    Term("--borrow-rate", "borrow_rate", number, "RATE", "yearly cost of shorts, a fraction of their value (0)"),
    Term("--margin-rate", "margin_rate", number, "RATE", "yearly interest on negative cash, a fraction (0)"),
    Term("--warmup-bars", "warmup_bars", int, "NUMBER", "earlier bars that on_data sees first (the strategy's own)"),
    Term("--seed", "seed", int, "NUMBER", "seeds random and NumPy (0)"),
)
"""Every request field except the code, the two dates and the parameters, in the order of the help text."""


def add_terms(parser: ArgumentParser) -> None:
    """Add all of TERMS and --parameter to the parser."""
    for term in TERMS:
        parser.add_argument(
            term.option, dest=term.field, type=term.read, metavar=term.metavar, default=SUPPRESS, help=term.help
        )
    parser.add_argument(
        "-p",
        "--parameter",
        dest="parameters",
        action="append",
        type=_parameter,
        default=SUPPRESS,
        metavar="NAME=VALUE",
        help="one entry of `import config`; the value is JSON or plain text; may be repeated",
    )


def terms_of(chosen: Namespace) -> Terms:
    """The settings given; the service's defaults apply to the others."""
    terms: Any = {field: value for field, value in vars(chosen).items() if field in Terms.__annotations__}
    if "parameters" in terms:
        terms["parameters"] = dict(terms["parameters"])
    return terms  # type: ignore[no-any-return]
