"""Made-up prices for every symbol, for trying the service without a data source."""

from collections.abc import Callable, Hashable, Sequence
from datetime import UTC, date, datetime, timedelta

import numpy as np

from src.errors import NoPrices
from src.services.data_provider.alignment import gather
from src.services.data_provider.base import PriceTable, Yields
from src.services.data_provider.calendar import every_day, last_finished_session, sessions
from src.services.data_provider.cleaning import SymbolBars
from src.services.data_provider.mock.prices import made_up_bars
from src.services.data_provider.recently_used import RecentlyUsed
from src.utils.deadline import NO_DEADLINE, Deadline
from src.utils.price_adjustment import FULL, PriceAdjustment
from src.utils.symbols import SYMBOL_PATTERN

FIRST_DAY = date(1990, 1, 1)
"""Day zero of the made-up prices; New York first trades on the day after."""

UNKNOWN_PREFIXES = ("NOPE", "UNKNOWN")
"""Symbols with these prefixes do not exist, to show how the service treats an unknown symbol."""

EVERY_DAY_SUFFIX = "-USD"
"""Crypto currencies, as Yahoo spells them, trade every day."""


class MockProvider:
    """Deterministic prices from a symbol's name, from 1990 to the last finished session.

    A symbol's prices depend only on its name, not on the window, the other symbols or the machine;
    tomorrow they are the same with one more day. They move with a common market; bond funds are calm;
    symbols that end in -USD trade on weekends too; ^IRX and similar symbols are yields in percent.

    Args:
        clock: returns the time, with a time zone.
        memory_bytes: limit on the bars kept in memory for later requests.
    """

    name = "mock"
    is_synthetic = True

    def __init__(self, clock: Callable[[], datetime], memory_bytes: int = 128 * 1024 * 1024) -> None:
        self._clock = clock
        self._memory = RecentlyUsed[SymbolBars](memory_bytes)

    def fetch(
        self,
        symbols: Sequence[str],
        start: date,
        end: date,
        deadline: Deadline = NO_DEADLINE,
        adjustment: PriceAdjustment = FULL,
    ) -> PriceTable:
        """The bars of `symbols` between start and end, as `DataProvider.fetch` promises."""
        if adjustment != FULL:
            raise NoPrices(["Made-up prices have no dividends: price_adjustment 'splits' needs Yahoo or files."])
        now = self._clock()
        return gather(symbols, start, end, lambda symbol: self._load(symbol, now))

    def fetch_yields(self, symbol: str, start: date, end: date, deadline: Deadline = NO_DEADLINE) -> Yields:
        """The yields of `symbol`, as `DataProvider.fetch_yields` promises."""
        table = self.fetch((symbol,), start, end)
        return Yields(table.dates, table.close[:, 0])

    def version(self, symbol: str, end: date) -> Hashable | None:
        """The last day with prices, as `DataProvider.version` promises."""
        if SYMBOL_PATTERN.fullmatch(symbol) is None or symbol.startswith(UNKNOWN_PREFIXES):
            return None
        return _last_day(symbol, self._clock())

    def _load(self, symbol: str, now: datetime) -> SymbolBars:
        if symbol.startswith(UNKNOWN_PREFIXES):
            raise NoPrices([f"No prices for '{symbol}': mock prices leave out NOPE… and UNKNOWN… on purpose."])
        last_day = _last_day(symbol, now)
        bars = self._memory.get(symbol, last_day)
        if bars is None:
            bars = _made_up(symbol, last_day)
            self._memory.put(symbol, last_day, bars)
        return bars


def _made_up(symbol: str, last_day: date) -> SymbolBars:
    trades_every_day = symbol.endswith(EVERY_DAY_SUFFIX)
    days = every_day(FIRST_DAY, last_day) if trades_every_day else sessions(FIRST_DAY, last_day)
    day_numbers = (days - np.datetime64(FIRST_DAY, "D")).astype(np.int64)
    return SymbolBars(days, made_up_bars(symbol, day_numbers, 365 if trades_every_day else 252))


def _last_day(symbol: str, now: datetime) -> date:
    if symbol.endswith(EVERY_DAY_SUFFIX):
        return now.astimezone(UTC).date() - timedelta(days=1)
    return last_finished_session(now)
