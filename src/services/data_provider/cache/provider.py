"""The provider that queries a slow or unreliable source as rarely as possible."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path

from src.services.data_provider.alignment import check_symbol, gather, usable_yields, yields_in_window
from src.services.data_provider.base import PriceTable, SuspectBar, Yields
from src.services.data_provider.cache.history_cache import Entry, HistoryCache
from src.services.data_provider.cache.history_file import Record
from src.services.data_provider.cached_symbol import CachedSymbol
from src.services.data_provider.cleaning import SymbolBars
from src.services.data_provider.history import ADJ_CLOSE, History, HistorySource
from src.services.data_provider.history_bars import bars_of
from src.services.data_provider.recently_used import YIELDS_BYTES, RecentlyUsed
from src.services.data_provider.trading_hours import TradingHours
from src.services.data_provider.waiting import result_of
from src.utils.deadline import NO_DEADLINE, Deadline
from src.utils.price_adjustment import FULL, PriceAdjustment
from src.utils.symbols import SYMBOL_PATTERN

DOWNLOADS_AT_ONCE = 4

LATE_START = timedelta(days=31)
"""How much later than the source's first trading day its bars may begin before that is reported."""


@dataclass(frozen=True, eq=False)
class Kept:
    """The bars of one symbol, the days they cover, and when it trades."""

    bars: SymbolBars
    record: Record
    market: TradingHours

    @property
    def size_bytes(self) -> int:
        """Approximate memory use."""
        return self.bars.size_bytes


class CachedProvider:
    """Prices of one source through a cache on disk and one in memory.

    A window covered by the cache is answered without the source, even while that is down.
    A symbol's bars come from a single answer of the source, or from answers that agree.

    Args:
        source: the source of the histories.
        folder: the cache's files; several processes may share it.
        clock: returns the time, with a time zone.
        memory_bytes: limit on the bars kept in memory for later requests.
    """

    def __init__(
        self,
        source: HistorySource,
        folder: Path,
        clock: Callable[[], datetime],
        memory_bytes: int = 128 * 1024 * 1024,
    ) -> None:
        self.name = source.name
        self.is_synthetic = source.is_synthetic
        self.histories = HistoryCache(source, folder, clock)
        self._source = source
        self._memory = RecentlyUsed[Kept](memory_bytes)
        self._yields = RecentlyUsed[Yields](YIELDS_BYTES)

    def fetch(
        self,
        symbols: Sequence[str],
        start: date,
        end: date,
        deadline: Deadline = NO_DEADLINE,
        adjustment: PriceAdjustment = FULL,
    ) -> PriceTable:
        """The bars of `symbols` between start and end, as `DataProvider.fetch` promises."""
        tickers = [symbol for symbol in symbols if SYMBOL_PATTERN.fullmatch(symbol)]
        here = {symbol: bars for symbol in tickers if (bars := self._here(symbol, end, adjustment)) is not None}
        absent = [symbol for symbol in tickers if symbol not in here]
        if not absent:
            return gather(symbols, start, end, here.__getitem__)
        with _downloading() as threads:
            coming = {symbol: threads.submit(self._fetched, symbol, end, deadline, adjustment) for symbol in absent}
            return gather(
                symbols, start, end, lambda symbol: here.get(symbol) or result_of(coming[symbol], deadline, symbol)
            )

    def fetch_yields(self, symbol: str, start: date, end: date, deadline: Deadline = NO_DEADLINE) -> Yields:
        """The yields of `symbol`, as `DataProvider.fetch_yields` promises."""
        check_symbol(symbol)
        whole = self._yields.get(symbol, self.histories.version(symbol, end))
        if whole is None:
            with _downloading() as threads:
                coming = threads.submit(self.histories.up_to_date, symbol, end, deadline)
                entry = result_of(coming, deadline, symbol)
            whole = usable_yields(entry.history.dates, entry.history.rows[:, ADJ_CLOSE])
            self._yields.put(symbol, entry.stamp, whole)
        return yields_in_window(symbol, whole, start, end)

    def version(self, symbol: str, end: date) -> Hashable | None:
        """The state of the symbol's file, as `DataProvider.version` promises."""
        return self.histories.version(symbol, end) if SYMBOL_PATTERN.fullmatch(symbol) else None

    def prepare(self) -> None:
        """Prepare the source now, so that the first request need not wait."""
        self._source.prepare()

    def symbols(self) -> list[str]:
        """The cached symbols, sorted."""
        return list(self.histories.symbols())

    def held(self, symbol: str) -> CachedSymbol | None:
        """The cached prices of a symbol, without asking the source; None if there are none.

        Raises:
            NoPrices: it is not a ticker.
            PriceSourceUnavailable: the cached file cannot be read.
        """
        check_symbol(symbol)
        entry = self.histories.kept(symbol)
        return cached_symbol(entry) if entry is not None and entry.history.dates.size else None

    def _here(self, symbol: str, end: date, adjustment: PriceAdjustment) -> SymbolBars | None:
        """The bars from memory or disk; None when the source must be asked."""
        kept = self._memory.get(_memory_key(symbol, adjustment), self.histories.stamp(symbol))
        if kept is not None and self.histories.reaches(kept.record, kept.market, end):
            return kept.bars
        entry = self.histories.kept(symbol)
        is_enough = entry is not None and self.histories.suffices(entry, end)
        return self._bars(entry, adjustment) if entry is not None and is_enough else None

    def _fetched(self, symbol: str, end: date, deadline: Deadline, adjustment: PriceAdjustment) -> SymbolBars:
        return self._bars(self.histories.up_to_date(symbol, end, deadline), adjustment)

    def _bars(self, entry: Entry, adjustment: PriceAdjustment) -> SymbolBars:
        bars = usable_bars(entry.history, entry.record, adjustment)
        if entry.stamp is not None:
            key = _memory_key(entry.history.symbol, adjustment)
            self._memory.put(key, entry.stamp, Kept(bars, entry.record, entry.history.market))
        return bars


def _memory_key(symbol: str, adjustment: PriceAdjustment) -> str:
    return f"{adjustment} {symbol}"


@contextmanager
def _downloading() -> Iterator[ThreadPoolExecutor]:
    """Threads that query the source; the caller may leave them in the middle of an answer.

    Started queries run to their end. One failed symbol fails the request, so no further queries start.
    """
    threads = ThreadPoolExecutor(DOWNLOADS_AT_ONCE, "prices")
    try:
        yield threads
    finally:
        threads.shutdown(wait=False, cancel_futures=True)


def usable_bars(history: History, record: Record, adjustment: PriceAdjustment = FULL) -> SymbolBars:
    """The adjusted bars of a history, with everything about it worth a warning."""
    bars = bars_of(history, adjustment)
    suspects = sorted((*bars.suspects, *history.notes, *_late_start(history)), key=lambda suspect: suspect.day)
    return replace(bars, suspects=tuple(suspects), fetched_at=record.fetched_at, known_to=record.covered_to)


def cached_symbol(entry: Entry) -> CachedSymbol:
    """Summary of an entry with at least one row."""
    history, record = entry.history, entry.record
    return CachedSymbol(
        symbol=history.symbol,
        source=record.source,
        first_day=history.dates[0].item(),
        last_day=history.dates[-1].item(),
        rows=history.dates.size,
        fetched_at=record.fetched_at,
        covered_to=record.covered_to,
        suspects=usable_bars(history, record).suspects,
    )


def _late_start(history: History) -> list[SuspectBar]:
    began = history.first_trade_day
    if began is None or history.dates.size == 0 or history.dates[0].item() <= began + LATE_START:
        return []
    what = f"the first bar, although the source says that trading began on {began}"
    return [SuspectBar(history.symbol, history.dates[0].item(), what)]
