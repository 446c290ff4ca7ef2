"""Which symbols are delisted within a run, and warnings about positions whose prices stop."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta

import numpy as np

from src.execution.audit.books import CLOSE, Books, BoolArray
from src.services.data_provider.base import PriceTable
from src.services.data_provider.calendar import ONE_DAY, sessions

DELISTED_AFTER = timedelta(days=60)
"""A symbol whose whole history ends this long before the last day with available prices counts as delisted. That is
longer than most halts, and longer than the usual difference in age between files of one folder."""

STOPPED_DAYS = 2
"""Weekdays without a bar at the end of a run, while other symbols traded, from which there is a warning."""

GAP_DAYS = 5
"""The same within a symbol's history: a week, which is longer than the holidays of nearly every exchange."""


def find_delistings(prices: PriceTable, end: date, benchmark_end: date | None = None) -> dict[int, int]:
    """The symbols that are delisted within the window.

    A symbol counts as delisted when the last bar of its whole history lies at least `DELISTED_AFTER` before the day
    up to which its source was asked, or, if that is unknown, before the last bar in the whole history of any other
    symbol of the run or the benchmark. A gap in a history does not count, nor does an end after the window.

    Args:
        end: last day of the requested window.
        benchmark_end: the last day of the benchmark's whole history; None if unknown.

    Returns:
        By symbol index, the index of the day on which it leaves: the first day of the timeline after its last bar. If
        the timeline ends with that bar although New York traded again within the window, the last day.
    """
    delistings = {}
    for column, symbol in enumerate(prices.symbols):
        last = prices.history_ends.get(symbol)
        if last is None or last >= end or _known_to(prices, symbol, benchmark_end) - last < DELISTED_AFTER:
            continue
        day = int(np.searchsorted(prices.dates, np.datetime64(last), side="right"))
        if day < prices.dates.size:
            delistings[column] = day
        elif sessions(last + ONE_DAY, end).size:
            delistings[column] = day - 1
    return delistings


def _known_to(prices: PriceTable, symbol: str, benchmark_end: date | None) -> date:
    """The day up to which the symbol would have prices if it still traded."""
    if symbol in prices.known_to:
        return prices.known_to[symbol]
    return max([*prices.history_ends.values(), *([] if benchmark_end is None else [benchmark_end])])


def settlement_warnings(books: Books, delisting_return: float) -> Iterator[str]:
    """One sentence for each position that a delisting closed."""
    prices = books.prices
    for order in np.flatnonzero(books.is_settlement):
        day, symbol = books.day[order], books.symbol[order]
        last_close = books.marks[day, symbol]
        terms = f" (the last close of {last_close:.10g} with a delisting_return of {delisting_return:g})"
        yield (
            f"prices of {prices.symbols[symbol]} end on {_last_day(books, symbol)}; its position of "
            f"{-books.shares[order]:.10g} shares was closed at {books.price[order]:.10g} on {prices.dates[day]}"
            f"{terms if delisting_return else ', its last close'}"
        )


def stopped_warnings(books: Books, history_ends: Mapping[str, date]) -> Iterator[str]:
    """One sentence for each time that prices stop, temporarily or for good, while the symbol is held.

    Args:
        history_ends: the last day of each symbol's whole history, where known.
    """
    dates, symbols = books.prices.dates, books.prices.symbols
    is_missing = np.isnan(books.prices.bars[:, :, CLOSE])
    is_held = books.positions != 0.0 if books.may_be_short else books.positions > 0.0
    is_weekday = np.is_busday(dates)
    for symbol in np.flatnonzero(is_missing.any(axis=0)).tolist():
        is_stuck = is_missing[:, symbol] & is_held[:, symbol]
        # A weekend on which a coin trades beside a share neither begins nor ends a stretch.
        for first, last in _stretches(is_stuck | (is_missing[:, symbol] & ~is_weekday)):
            n_days = int((is_stuck & is_weekday)[first : last + 1].sum())
            is_end = last == dates.size - 1
            if n_days < (STOPPED_DAYS if is_end else GAP_DAYS):
                continue
            before = dates[first - 1]
            stuck_at = (
                f"the position is valued at its last close of {books.marks[first, symbol]:.10g} and cannot be sold"
            )
            if is_end and history_ends.get(symbols[symbol], before.item()) <= before.item():
                yield f"prices of {symbols[symbol]} end on {before} while it is held: after that {stuck_at}"
            else:
                until = "the end of the window" if is_end else str(dates[last + 1])
                yield f"{symbols[symbol]} has no prices between {before} and {until} while it is held: {stuck_at}"


def _last_day(books: Books, symbol: int) -> np.datetime64:
    day: np.datetime64 = books.prices.dates[~np.isnan(books.prices.bars[:, symbol, CLOSE])][-1]
    return day


def _stretches(is_in: BoolArray) -> Iterator[tuple[int, int]]:
    """First and last index of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], is_in, [False]))))
    yield from ((int(first), int(stop) - 1) for first, stop in edges.reshape(-1, 2))
