"""Histories on disk, updated only when the calendar shows that days are missing."""

import logging
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from src.errors import NoPrices, PriceSourceUnavailable
from src.services.data_provider.cache import history_file
from src.services.data_provider.cache.history_file import NotIntact, Record
from src.services.data_provider.cache.refusals import Refusals
from src.services.data_provider.cache.symbol_locks import SymbolLocks
from src.services.data_provider.history import History, HistorySource, extended, is_cut_short
from src.services.data_provider.trading_hours import TradingHours
from src.utils.deadline import NO_DEADLINE, Deadline

ASK_AGAIN_AFTER = timedelta(minutes=15)
"""How long an answer without the last finished day is good enough."""

WHOLE_AGAIN_AFTER = timedelta(days=30)
"""Maximum age of a whole answer when a tail is wanted; refetching finds corrections of old prices."""

UNKNOWN_FOR = timedelta(hours=1)
FAILED_FOR = timedelta(seconds=30)
"""How long an unknown symbol and a failure are remembered, so that waiting requests need not try as well, and
a run with an unavailable benchmark need not wait for it each time."""

SUFFIX = ".parquet"
SET_ASIDE = "set-aside"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Entry:
    """A history and the days it covers.

    Attributes:
        stamp: changes with the file; None when the history could not be stored.
    """

    history: History
    record: Record
    stamp: Hashable | None


class HistoryCache:
    """One file per symbol in a folder that several processes may share.

    A symbol is fetched whole once. Later requests ask only for its tail, with some known days: when these have
    changed, everything is fetched again.

    Args:
        source: the source of the histories.
        folder: holds the cache's files and nothing else.
        clock: returns the time, with a time zone.
    """

    def __init__(self, source: HistorySource, folder: Path, clock: Callable[[], datetime]) -> None:
        self._source = source
        self._folder = folder
        self._clock = clock
        self._locks = SymbolLocks(folder / ".locks")
        self._refusals = Refusals()
        self._known: dict[str, tuple[Hashable, Record, TradingHours]] = {}

    def version(self, symbol: str, end: date) -> Hashable | None:
        """The stamp of the symbol's file while that serves a window ending on that day without the source."""
        stamp, known = self.stamp(symbol), self._known.get(symbol)
        if stamp is None or known is None or known[0] != stamp:
            return None
        _, record, market = known
        return stamp if self.reaches(record, market, end) else None

    def stamp(self, symbol: str) -> Hashable | None:
        """Changes with the symbol's file; None without one."""
        try:
            status = self._path(symbol).stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino

    def reaches(self, record: Record, market: TradingHours, end: date) -> bool:
        """Whether a window that ends on that day can be served without the source."""
        now = self._clock()
        finished = market.last_finished_day(now)
        if record.fetched_at > now or record.covered_to > finished:
            return False  # the clock was wrong then or is now, so the record cannot be trusted
        wanted = min(end, finished)
        if wanted <= record.covered_to:
            return True
        was_asked_for = market.last_finished_day(record.fetched_at) >= wanted
        return was_asked_for and now - record.fetched_at < ASK_AGAIN_AFTER

    def up_to_date(self, symbol: str, end: date, deadline: Deadline = NO_DEADLINE) -> Entry:
        """The symbol's history, complete for a window that ends on that day.

        Raises:
            NoPrices: the source does not know the symbol.
            PriceSourceUnavailable: it failed, and the cached days do not suffice.
            RunTimedOut, RunCancelled: the deadline has passed.
        """
        entry = self.kept(symbol)
        if entry is not None and self.suffices(entry, end):
            return entry
        with self._locks.hold(symbol, deadline):
            entry = self.kept(symbol)  # another thread or process may have fetched it while we waited
            if entry is not None and self.suffices(entry, end):
                return entry
            self._refusals.check(symbol, self._clock())
            return self._fetch(symbol, entry, deadline)

    def kept(self, symbol: str) -> Entry | None:
        """The cached entry, without asking the source. A damaged file is set aside."""
        path, stamp = self._path(symbol), self.stamp(symbol)
        try:
            history, record = history_file.read(path, symbol)
        except FileNotFoundError:
            return None
        except NotIntact as error:
            if self.stamp(symbol) == stamp:  # else another process has already replaced it
                self._set_aside(path, str(error))
            return None
        except OSError as error:
            raise PriceSourceUnavailable(
                f"The cached prices of '{symbol}' in DATA_CACHE_DIR cannot be read."
            ) from error
        # The stamp was taken before reading: if the file is replaced in between, the entry only seems outdated.
        return self._remembered(Entry(history, record, stamp))

    def _remembered(self, entry: Entry) -> Entry:
        self._known[entry.history.symbol] = entry.stamp, entry.record, entry.history.market
        return entry

    def symbols(self) -> Iterator[str]:
        """The symbols that have files, sorted."""
        yield from sorted(path.stem for path in self._folder.glob(f"*{SUFFIX}"))

    def check(self, symbol: str) -> Entry:
        """The entry in the symbol's file; changes nothing.

        Raises:
            NotIntact: the file is damaged.
            OSError: it cannot be read.
        """
        return Entry(*history_file.read(self._path(symbol), symbol), self.stamp(symbol))

    def suffices(self, entry: Entry, end: date) -> bool:
        """Whether an entry suffices for a window that ends on that day."""
        return entry.history.dates.size > 0 and self.reaches(entry.record, entry.history.market, end)

    def _fetch(self, symbol: str, known: Entry | None, deadline: Deadline) -> Entry:
        now = self._clock()
        try:
            history, is_whole = self._ask(symbol, known, now, deadline)
        except NoPrices as error:
            sentences = error.errors
            self._refusals.remember(symbol, lambda: NoPrices(sentences), now, UNKNOWN_FOR)
            raise
        except PriceSourceUnavailable as error:
            message, seconds = str(error), error.retry_after_seconds
            self._refusals.remember(symbol, lambda: PriceSourceUnavailable(message, seconds), now, FAILED_FOR)
            raise
        self._refusals.forget(symbol)
        whole_at = now if is_whole or known is None else known.record.whole_at
        covered_to = history.market.covered_to(history.last_priced_day(), now)
        record = Record(self._source.name, fetched_at=now, whole_at=whole_at, covered_to=covered_to)
        return self._remembered(Entry(history, record, self._store(symbol, history, record)))

    def _ask(self, symbol: str, known: Entry | None, now: datetime, deadline: Deadline) -> tuple[History, bool]:
        """The symbol's current history, and whether it was fetched whole."""
        if known is None or known.history.dates.size == 0:
            return self._whole(symbol, deadline), True
        try:
            if now - known.record.whole_at < WHOLE_AGAIN_AFTER:
                tail = self._source.history(symbol, known.history.overlap_start(), deadline)
                longer = extended(known.history, tail)
                if longer is not None:
                    return longer, False
                logger.info("the source restated %s; fetching its whole history again", symbol)
            whole = self._whole(symbol, deadline)
        except NoPrices as error:
            raise PriceSourceUnavailable(
                f"The source no longer knows '{symbol}'; the cache has its prices up to {known.record.covered_to}."
            ) from error
        if is_cut_short(whole, known.history):
            raise PriceSourceUnavailable(
                f"The source left out days of '{symbol}' that it had before, so its answer was rejected; "
                "to accept it, delete the symbol's file in DATA_CACHE_DIR."
            )
        return whole, True

    def _whole(self, symbol: str, deadline: Deadline) -> History:
        history = self._source.history(symbol, deadline=deadline)
        if history.dates.size == 0:
            raise PriceSourceUnavailable(f"The source knows '{symbol}' but returned no finished day.")
        return history

    def _store(self, symbol: str, history: History, record: Record) -> Hashable | None:
        try:
            history_file.write(self._path(symbol), history, record)
        except OSError as error:
            logger.warning("the prices of %s were fetched but cannot be stored: %s", symbol, error)
            return None
        return self.stamp(symbol)

    def _set_aside(self, path: Path, why: str) -> None:
        aside = self._folder / SET_ASIDE
        logger.warning("setting %s aside in %s and fetching it again: %s", path.name, aside, why)
        try:
            aside.mkdir(exist_ok=True)
            path.replace(aside / path.name)  # one per symbol is kept: enough to inspect, too few to fill a disk
        except OSError as error:
            logger.warning("%s cannot be set aside: %s", path.name, error)

    def _path(self, symbol: str) -> Path:
        return self._folder / f"{symbol}{SUFFIX}"
