"""Sources of histories without a network: one that a test scripts, one that wraps a provider."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime

import numpy as np

from src.errors import NoPrices
from src.services.data_provider.base import DataProvider
from src.services.data_provider.history import ADJ_CLOSE, COLUMNS, DIVIDEND, RAW_VOLUME, SPLIT, History
from src.services.data_provider.trading_hours import TradingHours
from src.utils.deadline import NO_DEADLINE, Deadline

NEW_YORK_MARKET = TradingHours("America/New_York", has_new_york_sessions=True, trades_weekends=False)
EVERY_DAY_MARKET = TradingHours("UTC", has_new_york_sessions=False, trades_weekends=True)

FIRST, LAST = date(1990, 1, 1), date(2030, 1, 1)


def history(symbol: str, days: np.ndarray, market: TradingHours = NEW_YORK_MARKET, seed: int = 0) -> History:
    """Some history on these days."""
    random = np.random.default_rng(seed)
    close = 50 * np.cumprod(1 + random.normal(0.0003, 0.01, days.size))
    rows = np.zeros((days.size, len(COLUMNS)))
    rows[:, 0] = close * (1 + random.normal(0, 0.001, days.size))
    rows[:, 1] = np.maximum(rows[:, 0], close) * 1.002
    rows[:, 2] = np.minimum(rows[:, 0], close) * 0.998
    rows[:, 3] = rows[:, ADJ_CLOSE] = close
    rows[:, RAW_VOLUME] = random.integers(1_000, 1_000_000, days.size)
    return History(symbol, days.astype("datetime64[D]"), rows, market)


class FakeSource:
    """Returns the finished days of `histories`.

    Attributes:
        histories: all days of each symbol, future ones included.
        asked: symbol and start (None for everything) of each question, in order.
        error: what to raise instead of an answer, while it is set.
        answer: what to answer instead of the truth, while it is set.
        delay_seconds: how long an answer takes.
    """

    name = "fake"
    is_synthetic = False

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self.histories: dict[str, History] = {}
        self.asked: list[tuple[str, date | None]] = []
        self.error: Exception | None = None
        self.answer: Callable[[History], History] | None = None
        self.delay_seconds = 0.0
        self._lock = threading.Lock()

    def history(self, symbol: str, start: date | None = None, deadline: Deadline = NO_DEADLINE) -> History:
        """See HistorySource.history."""
        with self._lock:
            self.asked.append((symbol, start))
        time.sleep(self.delay_seconds)
        if self.error is not None:
            raise self.error
        if symbol not in self.histories:
            raise NoPrices([f"No prices for '{symbol}': there is no such symbol."])
        whole = self.histories[symbol]
        finished = whole.until(whole.market.last_finished_day(self._clock()))
        told = finished if start is None else finished.since(start)
        return told if self.answer is None else self.answer(told)

    def prepare(self) -> None:
        """Nothing to prepare."""

    def count(self) -> Counter[str]:
        """How often each symbol was asked for."""
        return Counter(symbol for symbol, _ in self.asked)


def with_dividend(whole: History, day: date, amount: float) -> History:
    """The history after that day went ex-dividend."""
    rows = whole.rows.copy()
    before = whole.dates < np.datetime64(day)
    rows[before, ADJ_CLOSE] *= 1 - amount / rows[before, 3][-1]
    rows[whole.dates == np.datetime64(day), DIVIDEND] = amount
    return History(whole.symbol, whole.dates, rows, whole.market)


def with_split(whole: History, day: date, ratio: float) -> History:
    """The history after a split on that day."""
    rows = whole.rows.copy()
    before = whole.dates < np.datetime64(day)
    rows[before, : ADJ_CLOSE + 1] /= ratio
    rows[before, RAW_VOLUME] *= ratio
    rows[whole.dates == np.datetime64(day), SPLIT] = ratio
    return History(whole.symbol, whole.dates, rows, whole.market)


class ProviderHistories:
    """What a provider has, as histories: adjusted prices count as raw ones without any event.

    Args:
        provider: whose bars; its latest is before `LAST`.
    """

    is_synthetic = False

    def __init__(self, provider: DataProvider) -> None:
        self._provider = provider
        self.name = provider.name

    def history(self, symbol: str, start: date | None = None, deadline: Deadline = NO_DEADLINE) -> History:
        """See HistorySource.history."""
        table = self._provider.fetch((symbol,), start or FIRST, LAST)
        bars = table.bars[:, 0]
        rows = np.zeros((table.dates.size, len(COLUMNS)))
        rows[:, :4], rows[:, ADJ_CLOSE], rows[:, RAW_VOLUME] = bars[:, :4], bars[:, 3], bars[:, 4]
        market = EVERY_DAY_MARKET if table.has_weekend_days() else NEW_YORK_MARKET
        return History(symbol, table.dates, rows, market)

    def prepare(self) -> None:
        """Nothing to prepare."""
