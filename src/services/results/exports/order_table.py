"""orders.csv: every fill, for a spreadsheet or a program, exact to the last digit."""

import csv
from collections import deque
from collections.abc import Mapping
from typing import Any, TextIO

COLUMNS = ("id", "timestamp", "symbol", "action", "price", "shares", "fee", "slippage_cost")
"""Named as in the answer; price, fee and slippage_cost in account currency, shares a count, possibly fractional."""

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
"""A spreadsheet treats text that begins with one of these as a formula."""


class OrderTable:
    """Writes orders as they arrive, and remembers the first and last of them.

    RFC 4180: commas, CRLF, quotes where needed. A number is the shortest text that reads back as the same number, and
    is otherwise unchanged, since a number is not a formula. Text that a spreadsheet would treat as a formula is
    prefixed with an apostrophe; no ticker accepted by this service needs one.

    Args:
        file: opened with newline="".
        n_shown: number of orders to remember from each end.

    Attributes:
        n_orders: number of orders written.
    """

    def __init__(self, file: TextIO, n_shown: int) -> None:
        self._writer = csv.writer(file)
        self._writer.writerow(COLUMNS)
        self._n_shown = n_shown
        self._first: list[Mapping[str, Any]] = []
        self._last: deque[Mapping[str, Any]] = deque(maxlen=n_shown)
        self.n_orders = 0

    def add(self, order: Mapping[str, Any]) -> None:
        """Write one order."""
        self._writer.writerow([_cell(order[name]) for name in COLUMNS])
        self.n_orders += 1
        if len(self._first) < self._n_shown:
            self._first.append(order)
        else:
            self._last.append(order)

    @property
    def first(self) -> list[Mapping[str, Any]]:
        """The first orders."""
        return self._first

    @property
    def last(self) -> list[Mapping[str, Any]]:
        """The last orders, excluding those among the first."""
        return list(self._last)


def _cell(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value
