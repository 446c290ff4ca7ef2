"""Warnings about a short or leveraged account: its ruin, and gross exposure that drifted over the limit."""

from collections.abc import Iterator

import numpy as np

from src.execution.audit.books import Books
from src.models.request import BacktestRequest

NEGLIGIBLE_EXCESS = 1e-6
"""Fraction of max_gross by which gross exposure may exceed it without a warning."""


def margin_warnings(books: Books, request: BacktestRequest) -> Iterator[str]:
    """One sentence for a ruin and one for a drift, where shorts or leverage are allowed."""
    if not request.allow_short and request.max_gross == 1:
        return
    dates = books.prices.dates
    if books.shortfall is not None:
        yield (
            f"The account was ruined on {dates[-1]}: its equity at that close was {-books.shortfall:.10g}. Its "
            "positions were closed there without costs, equity counts as 0, and run and metrics end on that day."
        )
    gross = np.divide(books.gross_value, books.equity, out=np.zeros_like(books.equity), where=books.equity > 0.0)
    over = np.flatnonzero(gross > request.max_gross * (1.0 + NEGLIGIBLE_EXCESS))
    if over.size:
        worst = int(np.argmax(gross))
        days = "one close" if over.size == 1 else f"{over.size} closes"
        yield (
            f"Prices took gross exposure over max_gross of {request.max_gross:g} at {days}, first on {dates[over[0]]}; "
            f"it was highest on {dates[worst]} at {gross[worst]:.4g} times equity."
        )
