"""The provider that asks a slow or unreliable source as seldom as it can."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path

from src.services.data_provider.base import PriceTable, SuspectBar, Yields
from src.services.data_provider.coverage import Market
from src.services.data_provider.gathering import check_symbol, gather, yields_in_window
from src.services.data_provider.history import ADJ_CLOSE, History, HistorySource
from src.services.data_provider.history_bars import bars_of
from src.services.data_provider.history_cache import Entry, HistoryCache
from src.services.data_provider.history_file import Record
from src.services.data_provider.holding import Holding
from src.services.data_provider.patience import ENDLESS, Patience
from src.services.data_provider.recently_used import RecentlyUsed
from src.services.data_provider.screening import SymbolBars
from src.utils.price_adjustment import FULL, PriceAdjustment
from src.utils.symbols import SYMBOL_PATTERN

DOWNLOADS_AT_ONCE = 4

LATE_START = timedelta(days=31)
"""How much later than trading began, by the source's own word, its bars may begin before that is odd."""


@dataclass(frozen=True, eq=False)
class Kept:
    """The bars of one symbol, how far they reach, and when it trades."""

    bars: SymbolBars
    record: Record
    market: Market

    @property
    def size_bytes(self) -> int:
        """Roughly what this occupies in memory."""
        return self.bars.size_bytes


class CachedProvider:
    """Prices of one source through a cache on disk and one in memory.

    A window that the cache reaches is answered without the source, whether that works or not.
    A symbol's bars come from one and the same answer of the source, or from answers that agree.

    Args:
        source: whose histories.
        folder: where the cache's files are; several processes may share it.
        clock: tells the time, with a time zone.
        memory_bytes: how much of what was read is kept for the next request.
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

    def fetch(
        self,
        symbols: Sequence[str],
        start: date,
        end: date,
        patience: Patience = ENDLESS,
        adjustment: PriceAdjustment = FULL,
    ) -> PriceTable:
        """The bars of `symbols` between start and end, as `DataProvider.fetch` promises."""
        tickers = [symbol for symbol in symbols if SYMBOL_PATTERN.fullmatch(symbol)]
        here = {symbol: bars for symbol in tickers if (bars := self._here(symbol, end, adjustment)) is not None}
        absent = [symbol for symbol in tickers if symbol not in here]
        if not absent:
            return gather(symbols, start, end, here.__getitem__)
        with _downloading() as threads:
            coming = {symbol: threads.submit(self._fetched, symbol, end, patience, adjustment) for symbol in absent}
            return gather(
                symbols, start, end, lambda symbol: here.get(symbol) or patience.result(symbol, coming[symbol])
            )

    def fetch_yields(self, symbol: str, start: date, end: date, patience: Patience = ENDLESS) -> Yields:
        """The yields of `symbol`, as `DataProvider.fetch_yields` promises."""
        check_symbol(symbol)
        with _downloading() as threads:
            coming = threads.submit(self.histories.up_to_date, symbol, end, patience)
            history = patience.result(symbol, coming).history
        return yields_in_window(symbol, history.dates, history.rows[:, ADJ_CLOSE], start, end)

    def prepare(self) -> None:
        """Let the source get ready now, so that the first request need not wait for that."""
        self._source.prepare()

    def symbols(self) -> list[str]:
        """Of which something is cached, by name."""
        return list(self.histories.symbols())

    def held(self, symbol: str) -> Holding | None:
        """What is cached of a symbol, without asking the source; None when nothing is.

        Raises:
            NoPrices: it is no ticker.
            PriceSourceUnavailable: there is something, which cannot be read.
        """
        check_symbol(symbol)
        entry = self.histories.kept(symbol)
        return holding(entry) if entry is not None and entry.history.dates.size else None

    def _here(self, symbol: str, end: date, adjustment: PriceAdjustment) -> SymbolBars | None:
        """The bars from memory or disk, None when the source must be asked."""
        kept = self._memory.get(_memory_key(symbol, adjustment), self.histories.stamp(symbol))
        if kept is not None and self.histories.reaches(kept.record, kept.market, end):
            return kept.bars
        entry = self.histories.kept(symbol)
        is_enough = entry is not None and self.histories.suffices(entry, end)
        return self._bars(entry, adjustment) if entry is not None and is_enough else None

    def _fetched(self, symbol: str, end: date, patience: Patience, adjustment: PriceAdjustment) -> SymbolBars:
        return self._bars(self.histories.up_to_date(symbol, end, patience), adjustment)

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
    """Threads that ask the source. Whoever waits for them may leave them in the middle of an answer.

    What they have begun they end by themselves; one symbol that failed fails all, so that no more is begun.
    """
    threads = ThreadPoolExecutor(DOWNLOADS_AT_ONCE, "prices")
    try:
        yield threads
    finally:
        threads.shutdown(wait=False, cancel_futures=True)


def usable_bars(history: History, record: Record, adjustment: PriceAdjustment = FULL) -> SymbolBars:
    """The adjusted bars of a history, with everything about it that a person should know of."""
    bars = bars_of(history, adjustment)
    suspects = sorted((*bars.suspects, *history.notes, *_late_start(history)), key=lambda suspect: suspect.day)
    return replace(bars, suspects=tuple(suspects), fetched_at=record.fetched_at, known_to=record.covered_to)


def holding(entry: Entry) -> Holding:
    """What an entry with at least one row holds."""
    history, record = entry.history, entry.record
    return Holding(
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
    what = f"the first bar, although trading began on {began} by the source's own word"
    return [SuspectBar(history.symbol, history.dates[0].item(), what)]
