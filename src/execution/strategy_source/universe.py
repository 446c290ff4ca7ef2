"""The universe: a literal list of tickers, each checked before it becomes a file name or part of a URL."""

import ast

from src.execution.analysis.violations import Report, shown
from src.execution.strategy_source.declared import Declared
from src.utils.symbols import MAX_SYMBOL_CHARACTERS, MAX_UNIVERSE_SYMBOLS, SYMBOL_PATTERN

UNIVERSE_RULES = frozenset(
    {"no-universe", "universe-not-a-list", "empty-universe", "too-many-tickers", "invalid-ticker"}
)
"""Every rule that only concerns the universe: none of them counts where the request names the tickers."""

_MAX_SPELLED_BITS = 256


def read_universe(report: Report, place: ast.AST, universe: Declared) -> tuple[str, ...] | None:
    """The tickers, stripped, upper-case, without repetition; None where the code computes them or they are wrong.

    Args:
        report: where wrong tickers go.
        place: where to report that there is no universe at all.
        universe: what the strategy's classes say.
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
        message = f"The universe has {len(tickers)} tickers and at most {MAX_UNIVERSE_SYMBOLS} are allowed"
        report.add(literal, "too-many-tickers", message)
        return None
    return tuple(tickers) if is_right else None


def _read_ticker(value: object) -> tuple[str, str | None]:
    """The ticker in its normal form, and what is wrong with it."""
    if not isinstance(value, str):
        # Python refuses to spell an integer of thousands of digits.
        is_huge = isinstance(value, int) and value.bit_length() > _MAX_SPELLED_BITS
        return "", f"A ticker must be text, not {'a huge number' if is_huge else shown(repr(value))}"
    # Checked before upper(), which turns some foreign letters into two ASCII ones.
    ticker = value.strip().upper() if value.isascii() else value
    if not ticker:
        return ticker, "A ticker is empty"
    if len(ticker) > MAX_SYMBOL_CHARACTERS:
        return ticker, f"The ticker '{shown(ticker)}' is longer than {MAX_SYMBOL_CHARACTERS} characters"
    if not SYMBOL_PATTERN.fullmatch(ticker):
        return ticker, f"'{shown(ticker)}' is not a ticker: letters and digits, then also . - and =, perhaps ^ before"
    return ticker, None
