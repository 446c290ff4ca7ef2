"""Reads the universe: a literal list of tickers, each checked before it becomes a file name or part of a URL."""

import ast

from src.execution.reading.analysis.violations import Report, shown
from src.execution.reading.strategy_source.declared import Declared
from src.utils.symbols import MAX_SYMBOL_CHARACTERS, MAX_UNIVERSE_SYMBOLS, SYMBOL_PATTERN

UNIVERSE_RULES = frozenset(
    {"no-universe", "universe-not-a-list", "empty-universe", "too-many-tickers", "invalid-ticker"}
)
"""The rules that concern only the universe. They do not apply if the request gives the tickers."""

_MAX_PRINTED_BITS = 256


def read_universe(report: Report, place: ast.AST, universe: Declared) -> tuple[str, ...] | None:
    """The tickers, stripped, upper-case and unique; None if the code computes them or they are invalid.

    Args:
        report: receives the violations.
        place: the node to report if there is no universe.
        universe: how the strategy's classes define it.
    """
    if universe.is_missing:
        message = 'The strategy has no universe: list its tickers, as in universe = ["SPY", "IEF"]'
        report.add(place, "no-universe", message)
        return None
    expression = universe.expression
    if isinstance(expression, (ast.List, ast.Tuple)):
        return _tickers(report, expression)
    if isinstance(expression, (ast.Constant, ast.Dict, ast.Set)):
        message = 'The universe must be a list of tickers, as in ["SPY", "IEF"]'
        report.add(expression, "universe-not-a-list", message)
    return None


def _tickers(report: Report, literal: ast.List | ast.Tuple) -> tuple[str, ...] | None:
    if not all(isinstance(element, ast.Constant) for element in literal.elts):
        return None
    tickers: dict[str, None] = {}
    is_right = True
    for element in literal.elts:
        ticker, problem = _read_ticker(element.value if isinstance(element, ast.Constant) else None)
        if problem:
            report.add(element, "invalid-ticker", problem)
            is_right = False
        tickers[ticker] = None
    if not literal.elts:
        report.add(literal, "empty-universe", "The universe is empty: a strategy needs at least one ticker")
        return None
    if len(tickers) > MAX_UNIVERSE_SYMBOLS:
        message = f"The universe has {len(tickers)} tickers, but at most {MAX_UNIVERSE_SYMBOLS} are allowed"
        report.add(literal, "too-many-tickers", message)
        return None
    return tuple(tickers) if is_right else None


def _read_ticker(value: object) -> tuple[str, str | None]:
    """The ticker in its normal form, and why it is invalid, or None."""
    if not isinstance(value, str):
        # Python refuses to print an integer with thousands of digits.
        is_huge = isinstance(value, int) and value.bit_length() > _MAX_PRINTED_BITS
        return "", f"A ticker must be text, not {'a huge number' if is_huge else shown(repr(value))}"
    # Checked before upper(), which turns some foreign letters into two ASCII ones.
    ticker = value.strip().upper() if value.isascii() else value
    if not ticker:
        return ticker, "A ticker is empty"
    if len(ticker) > MAX_SYMBOL_CHARACTERS:
        return ticker, f"The ticker '{shown(ticker)}' is longer than {MAX_SYMBOL_CHARACTERS} characters"
    if not SYMBOL_PATTERN.fullmatch(ticker):
        form = "letters and digits, after the first also . - and =, optionally with ^ in front"
        return ticker, f"'{shown(ticker)}' is not a ticker: use {form}"
    return ticker, None
