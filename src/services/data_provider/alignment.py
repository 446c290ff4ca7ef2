"""From single symbols to one table, for all providers that load symbol by symbol."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date

import numpy as np

from src.errors import NoPrices
from src.services.data_provider.arrays import Dates, Float64Array, IntArray, window_rows
from src.services.data_provider.base import PriceTable, SuspectBar, Yields
from src.services.data_provider.cleaning import SymbolBars
from src.utils.symbols import SYMBOL_PATTERN


def gather(symbols: Sequence[str], start: date, end: date, load: Callable[[str], SymbolBars]) -> PriceTable:
    """The table of all symbols in one window.

    Args:
        load: returns all usable bars of one symbol; called only with tickers. Raises NoPrices for
            an unknown symbol and PriceSourceUnavailable when the source failed.

    Raises:
        NoPrices: names every symbol that is not a ticker, is unknown or has no bar in the window.
        PriceSourceUnavailable: from `load`.
    """
    frames: dict[str, SymbolBars] = {}
    errors: list[str] = []
    for symbol in symbols:
        try:
            frames[symbol] = _in_window(symbol, _load_checked(symbol, load), start, end)
        except NoPrices as error:
            errors.extend(error.errors)
    if errors:
        raise NoPrices(errors)
    return align(symbols, frames)


def align(symbols: Sequence[str], frames: Mapping[str, SymbolBars]) -> PriceTable:
    """Align the bars of several symbols on the union of their days, NaN where one has none.

    Args:
        symbols: at least one, unique; the table keeps their order.
        frames: the bars by symbol.
    """
    chosen = [frames[symbol] for symbol in symbols]
    dates = _union([frame.dates for frame in chosen])
    bars = np.full((dates.size, len(chosen), 5), np.nan)
    suspects: list[SuspectBar] = []
    for column, frame in enumerate(chosen):
        bars[_rows(dates, frame.dates), column] = frame.bars
        suspects.extend(frame.suspects)
    fetched_at = {symbol: moment for symbol in symbols if (moment := frames[symbol].fetched_at) is not None}
    history_ends = {symbol: day for symbol in symbols if (day := frames[symbol].last_day()) is not None}
    known_to = {symbol: day for symbol in symbols if (day := frames[symbol].known_to) is not None}
    return PriceTable(
        dates,
        tuple(symbols),
        bars,
        tuple(suspects),
        fetched_at,
        history_ends,
        known_to,
        _dividends(dates, chosen),
        _dividend_factors(symbols, chosen),
    )


def _dividends(dates: Dates, frames: Sequence[SymbolBars]) -> Float64Array | None:
    if all(frame.dividends is None for frame in frames):
        return None
    paid = np.zeros((dates.size, len(frames)))
    for column, frame in enumerate(frames):
        if frame.dividends is None:
            raise ValueError("one table cannot hold prices with and without dividends")
        paid[_rows(dates, frame.dates), column] = frame.dividends
    return paid


def _dividend_factors(symbols: Sequence[str], frames: Sequence[SymbolBars]) -> dict[str, float]:
    return {
        symbol: float(frame.dividend_factors.min())
        for symbol, frame in zip(symbols, frames, strict=True)
        if frame.dividend_factors is not None and frame.dividend_factors.size
    }


def _union(calendars: Sequence[Dates]) -> Dates:
    # Marked in one array of days: sorting all days of 200 symbols takes far longer.
    filled = [dates for dates in calendars if dates.size]
    if not filled:
        return np.empty(0, dtype="datetime64[D]")
    first = min(dates[0] for dates in filled)
    is_taken = np.zeros(int((max(dates[-1] for dates in filled) - first).astype(int)) + 1, dtype=np.bool_)
    for dates in filled:
        is_taken[(dates - first).astype(np.intp)] = True
    return np.asarray(first + np.flatnonzero(is_taken))


def _rows(dates: Dates, wanted: Dates) -> slice | IntArray:
    # All wanted days are among the dates; without gaps they form a slice, which is copied far faster.
    if wanted.size:
        first, last = (int(row) for row in np.searchsorted(dates, wanted[[0, -1]]))
        if last - first == wanted.size - 1:
            return slice(first, last + 1)
    return np.searchsorted(dates, wanted).astype(np.int64)


def check_symbol(symbol: str) -> None:
    """Check that the symbol is a ticker: only tickers may become part of a path or an address.

    Raises:
        NoPrices: it is not.
    """
    if SYMBOL_PATTERN.fullmatch(symbol) is None:
        raise NoPrices([f"No prices for {symbol[:40]!r}: this is not a ticker symbol."])


def usable_yields(dates: Dates, values: Float64Array) -> Yields:
    """The finite values by day, possibly none.

    Args:
        dates: (n_rows,) datetime64[D] in any order; of several rows of a day the last one counts.
        values: (n_rows,) percent per year.
    """
    order = np.argsort(dates, kind="stable")
    days, known = dates[order], values[order]
    is_usable = np.append(days[1:] != days[:-1], True)[: days.size] & np.isfinite(known)
    return Yields(days[is_usable], known[is_usable])


def yields_in_window(symbol: str, whole: Yields, start: date, end: date) -> Yields:
    """The values between start and end, as `DataProvider.fetch_yields` promises. Shares memory.

    Raises:
        NoPrices: there are none.
    """
    rows = slice(*window_rows(whole.dates, start, end))
    if rows.start == rows.stop:
        raise NoPrices([f"No yields of '{symbol}' between {start} and {end}."])
    return Yields(whole.dates[rows], whole.percent[rows])


def _load_checked(symbol: str, load: Callable[[str], SymbolBars]) -> SymbolBars:
    check_symbol(symbol)
    return load(symbol)


def _in_window(symbol: str, whole: SymbolBars, start: date, end: date) -> SymbolBars:
    part = whole.window(start, end)
    if part.dates.size == 0:
        raise NoPrices([f"No prices for '{symbol}' between {start} and {end}: {_why_none(whole, part)}."])
    return part


def _why_none(whole: SymbolBars, part: SymbolBars) -> str:
    if part.suspects:
        return f"none of the rows there can be used (on {part.suspects[0].day}: {part.suspects[0].what})"
    if whole.dates.size == 0:
        return "the source has no usable day of this symbol"
    return f"its prices run from {whole.dates[0]} to {whole.dates[-1]}"
