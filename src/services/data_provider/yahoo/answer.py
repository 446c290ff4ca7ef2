"""Classifies Yahoo's answers: a history, an unknown symbol, too many requests, or nonsense."""

import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from src.services.data_provider.arrays import Dates
from src.services.data_provider.base import SuspectBar
from src.services.data_provider.history import COLUMNS, History
from src.services.data_provider.trading_hours import NEW_YORK, TradingHours

FRAME_COLUMNS = ("Open", "High", "Low", "Close", "Adj Close", "Volume", "Dividends", "Stock Splits", "Capital Gains")
"""yfinance's names of `COLUMNS`, in that order. Only funds have capital gains."""

EXCHANGE_TRADED = ("EQUITY", "ETF", "INDEX", "MUTUALFUND")
"""Yahoo's names of instrument types with exchange hours; currencies, coins and futures have others."""

UNKNOWN_SYMBOL = ("no data found", "delisted", "symbol not found")
NO_ROWS = "data doesn't exist for startdate"
"""Parts of Yahoo's error messages, in lower case."""

RECENT_ROWS = 60
MOST_DAYS_MISSING = timedelta(days=10)
"""An answer that ends this long before Yahoo's own last trade is cut short."""


class Unknown(Exception):
    """Yahoo does not know the symbol."""


class Busy(Exception):
    """Yahoo received too many requests.

    Args:
        retry_after_seconds: its Retry-After; None if it gave none.
    """

    def __init__(self, retry_after_seconds: int | None) -> None:
        super().__init__("too many requests")
        self.retry_after_seconds = retry_after_seconds


class Unreachable(Exception):
    """No connection to Yahoo can be made; the message says why, as a clause."""


class Misbehaved(Exception):
    """The answer is unusable; the message says why, as a clause."""


def complaint(error: Exception, answer: Any | None) -> Exception:
    """Our error for an exception of yfinance.

    Args:
        answer: the HTTP answer it concerns; None if there was none.
    """
    status = None if answer is None else answer.status_code
    if type(error).__name__ == "YFRateLimitError" or status == 429:
        return Busy(_retry_after(answer))
    reason = str(getattr(error, "yahoo_reason", None) or "").lower()
    if any(words in reason for words in UNKNOWN_SYMBOL):
        return Unknown(reason)
    if NO_ROWS in reason:
        return Misbehaved("it has none for these days")
    if status is not None and status >= 400:
        return Misbehaved(f"it answered with status {status}")
    if status is None:
        return Misbehaved(f"it did not answer ({type(error).__name__})")
    if type(error).__name__ == "YFPricesMissingError":
        return Misbehaved("its answer holds no prices")
    return Misbehaved(f"its answer made no sense ({type(error).__name__})")


def history_of(symbol: str, frame: Any, answer: Any, start: date, now: datetime) -> History:
    """The finished days of yfinance's frame from `start` on.

    Args:
        frame: unadjusted daily rows of `Ticker.history`.
        answer: the HTTP answer behind them, which contains more.
        now: with a time zone.

    Raises:
        Misbehaved: this is not a daily history of the symbol, or not all of it.
    """
    try:
        said = json.loads(answer.content)["chart"]["result"][0]
        meta = said["meta"]
        zone = ZoneInfo(str(meta["exchangeTimezoneName"]))
        stamps = [int(stamp) for stamp in said.get("timestamp") or ()]
    except (ValueError, LookupError, TypeError, AttributeError, ZoneInfoNotFoundError) as error:
        raise Misbehaved("its answer lacks the chart or its description") from error
    if meta.get("dataGranularity", "1d") != "1d":
        raise Misbehaved(f"its bars are of {meta['dataGranularity']}, not of days")
    notes = _repeated(symbol, stamps, zone)
    try:
        dates, rows = _rows(frame)
        market = _market(meta, dates)
        history = History(symbol, dates, rows, market, _day(meta.get("firstTradeDate"), zone), notes)
    except (ValueError, TypeError) as error:
        raise Misbehaved("its rows are not numbers by day") from error
    finished = market.last_finished_day(now)
    history = history.since(start).until(finished)
    _check_end(history, _day(meta.get("regularMarketTime"), zone), finished)
    return history


def _rows(frame: Any) -> tuple[Dates, Any]:
    if frame.empty:
        raise Misbehaved("its answer is empty")
    if missing := [name for name in FRAME_COLUMNS[:6] if name not in frame.columns]:
        raise Misbehaved(f"its answer has no {', '.join(missing)}")
    dates = frame.index.tz_localize(None).to_numpy().astype("datetime64[D]")
    rows = np.zeros((len(frame), len(COLUMNS)))
    for column, name in enumerate(FRAME_COLUMNS):
        if name in frame.columns:
            rows[:, column] = frame[name].to_numpy(dtype=np.float64)
    return dates, rows


def _market(meta: dict[str, Any], dates: Dates) -> TradingHours:
    zone = str(meta["exchangeTimezoneName"])
    weekdays = (dates[-RECENT_ROWS:].astype(np.int64) + 3) % 7  # day 0 was a Thursday, Monday is 0
    keeps_hours = zone == NEW_YORK and meta.get("instrumentType") in EXCHANGE_TRADED
    return TradingHours(zone, keeps_hours, trades_weekends=bool((weekdays >= 5).any()))


def _check_end(history: History, last_trade: date | None, finished: date) -> None:
    """An answer must reach Yahoo's own last trade, or it was truncated."""
    if last_trade is None:
        return
    last_row = history.dates[-1].item() if history.dates.size else date.min
    if min(last_trade, finished) - last_row > MOST_DAYS_MISSING:
        raise Misbehaved(f"its bars end on {last_row}, but it was last traded on {last_trade}")


def _repeated(symbol: str, stamps: list[int], zone: ZoneInfo) -> tuple[SuspectBar, ...]:
    """Notes on days with several rows, of which yfinance silently keeps one."""
    counts = Counter(_local_day(stamp, zone) for stamp in stamps)
    return tuple(
        SuspectBar(symbol, day, f"{count} rows for this day; one of them is used")
        for day, count in sorted(counts.items())
        if count > 1
    )


def _day(stamp: Any, zone: ZoneInfo) -> date | None:
    return _local_day(stamp, zone) if isinstance(stamp, int | float) else None


def _local_day(stamp: float, zone: ZoneInfo) -> date:
    # By addition: some systems' own conversion refuses days before 1970.
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=stamp)).astimezone(zone).date()


def _retry_after(answer: Any | None) -> int | None:
    text = "" if answer is None else str(answer.headers.get("Retry-After") or "")
    return max(1, min(int(text), 3600)) if text.isascii() and text.isdigit() else None
