"""orders.csv: every fill, for a spreadsheet or a program, exact to the last digit."""

import csv
import io
from collections.abc import Iterator
from typing import Any

from src.services.results.answer_json import ORDER_MEMBERS, PIECE_ROWS, order_rows
from src.services.results.result import Result

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
"""A spreadsheet treats text that begins with one of these as a formula."""


def orders_csv(result: Result) -> Iterator[bytes]:
    """The table, piece by piece: columns as in the answer, price, fee and slippage_cost in account currency.

    Of the reasons only a run with protective exits has a column; an order of a signal has none.

    RFC 4180: commas, CRLF, quotes where needed. A number is the shortest text that reads back as the same number, and
    is otherwise unchanged, since a number is not a formula. Text that a spreadsheet would treat as a formula is
    prefixed with an apostrophe; no ticker accepted by this service needs one.
    """
    has_reasons = result.orders.reason is not None
    yield _lines([(*ORDER_MEMBERS, "reason") if has_reasons else ORDER_MEMBERS])
    width = len(ORDER_MEMBERS) + has_reasons
    for first in range(0, len(result.orders), PIECE_ROWS):
        yield _lines(tuple(map(table_cell, row[:width])) for row in order_rows(result, first, first + PIECE_ROWS))


def _lines(rows: Any) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode("utf-8")


def table_cell(value: Any) -> Any:
    """A value as a spreadsheet may read it: text that looks like a formula is prefixed with an apostrophe."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value
