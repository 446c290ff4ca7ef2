"""Daily prices from Yahoo Finance, by yfinance."""

import logging
import re
import threading
import warnings
from collections.abc import Callable, Hashable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from src.errors import NoPrices, PriceSourceUnavailable
from src.services.data_provider.alignment import check_symbol, gather, usable_yields, yields_in_window
from src.services.data_provider.base import PriceTable, Yields
from src.services.data_provider.cleaning import SymbolBars
from src.services.data_provider.history import ADJ_CLOSE, History
from src.services.data_provider.history_bars import bars_of
from src.services.data_provider.waiting import left_seconds
from src.services.data_provider.yahoo.answer import Busy, Misbehaved, Unknown, Unreachable, complaint, history_of
from src.utils.deadline import NO_DEADLINE, Deadline
from src.utils.price_adjustment import FULL, PriceAdjustment

if TYPE_CHECKING:
    from src.services.data_provider.yahoo.session import YahooSession

FIRST_DAY = date(1900, 1, 1)
"""First day of every request for a whole history; Yahoo's oldest daily prices are from 1927."""

FAR_FUTURE = date(2200, 1, 1)
"""Last day of every request: yfinance answers requests for the past alone from a cache that all threads share,
which may hold a broken answer."""

FIRST_PAUSE_SECONDS = 0.5
"""Before the second attempt; each further pause is twice as long."""

BUSY_SECONDS = 60
"""How long to leave Yahoo alone after a 429 without a Retry-After."""

ATTEMPTS_TO_CONNECT = 2
"""More do not help when Yahoo cannot be reached; the second costs no time if the first used its full limit."""

ISIN = re.compile(r"[A-Z]{2}[A-Z0-9]{9}[0-9]")
"""yfinance would look up such a symbol elsewhere instead of requesting its prices."""

logger = logging.getLogger(__name__)
_importing = threading.Lock()


class YFDataProvider:
    """Yahoo's prices without a cache: raw by `history`, as adjusted bars by `fetch`.

    Bars of unfinished days are left out. Failed requests are tried again a few times; after too many
    requests, none are sent for a while.

    Args:
        clock: returns the time, with a time zone.
        state_folder: folder for yfinance's cookies; created when needed.
        timeout_seconds: time limit for one answer.
        attempts: number of attempts before giving up, at least one.
        session: sends the requests; None opens one when needed. Tests pass their own.
        pause: waits that many seconds, but not past the deadline.
    """

    name = "yahoo"
    is_synthetic = False

    def __init__(
        self,
        clock: Callable[[], datetime],
        state_folder: Path,
        *,
        timeout_seconds: float = 10.0,
        attempts: int = 3,
        session: "YahooSession | None" = None,
        pause: Callable[[Deadline, float], None] = Deadline.pause,
    ) -> None:
        self._clock = clock
        self._state_folder = state_folder
        self._timeout_seconds = timeout_seconds
        self._attempts = attempts
        self._session = session
        self._pause = pause
        self._busy_until: datetime | None = None

    def fetch(
        self,
        symbols: Sequence[str],
        start: date,
        end: date,
        deadline: Deadline = NO_DEADLINE,
        adjustment: PriceAdjustment = FULL,
    ) -> PriceTable:
        """The bars of `symbols` between start and end, as `DataProvider.fetch` promises."""

        def load(symbol: str) -> SymbolBars:
            return bars_of(self.history(symbol, deadline=deadline), adjustment)

        return gather(symbols, start, end, load)

    def fetch_yields(self, symbol: str, start: date, end: date, deadline: Deadline = NO_DEADLINE) -> Yields:
        """The yields of `symbol`, as `DataProvider.fetch_yields` promises."""
        history = self.history(symbol, deadline=deadline)
        return yields_in_window(symbol, usable_yields(history.dates, history.rows[:, ADJ_CLOSE]), start, end)

    def version(self, symbol: str, end: date) -> Hashable | None:
        """Only Yahoo knows, see `DataProvider.version`."""
        return None

    def history(self, symbol: str, start: date | None = None, deadline: Deadline = NO_DEADLINE) -> History:
        """All finished days of a symbol, or those from `start` on, as `HistorySource.history` promises."""
        check_symbol(symbol)
        if ISIN.fullmatch(symbol):
            raise NoPrices([f"No prices for '{symbol}': this is a securities number, not a ticker symbol."])
        for attempt in range(1, self._attempts + 1):
            self._stay_away_while_busy(symbol)
            try:
                return self._ask(symbol, start or FIRST_DAY, deadline)
            except Unknown as error:
                raise NoPrices([f"No prices for '{symbol}': Yahoo does not know this symbol."]) from error
            except (Busy, Misbehaved, Unreachable) as error:
                logger.info("attempt %d for %s failed: %s", attempt, symbol, error)
                self._give_up_or_wait(symbol, attempt, error, deadline)
        raise AssertionError("the last attempt returned or raised")

    def prepare(self) -> None:
        """Import yfinance now, which takes a second, so that the first request need not."""
        self._yfinance()

    def _ask(self, symbol: str, start: date, deadline: Deadline) -> History:
        yfinance, session = self._yfinance()
        now = self._clock()  # before the request: a bar that becomes final during it may have been sent too early
        session.begin(left_seconds(deadline, symbol))
        try:
            ticker = yfinance.Ticker(symbol, session=session)
            # We cut days ourselves, so any zone will do: this saves one zone lookup per symbol.
            ticker._tz = "UTC"
            frame = ticker.history(
                start=start - timedelta(days=1),
                end=FAR_FUTURE,
                auto_adjust=False,
                keepna=True,
                timeout=self._timeout_seconds,
            )
        except Exception as error:
            if why := session.why_no_connection():
                raise Unreachable(why) from error
            raise complaint(error, session.take_answer()) from error
        return history_of(symbol, frame, session.take_answer(), start, now)

    def _give_up_or_wait(
        self, symbol: str, attempt: int, error: Busy | Misbehaved | Unreachable, deadline: Deadline
    ) -> None:
        is_last = attempt == self._attempts
        left_seconds(deadline, symbol)  # a request cut short by the deadline says nothing about Yahoo
        if isinstance(error, Unreachable) and (is_last or attempt >= ATTEMPTS_TO_CONNECT):
            raise PriceSourceUnavailable(_unreachable(symbol, error)) from error
        if isinstance(error, Busy) and (is_last or error.retry_after_seconds is not None):
            seconds = error.retry_after_seconds or BUSY_SECONDS
            self._busy_until = self._clock() + timedelta(seconds=seconds)
            raise PriceSourceUnavailable(_busy(symbol), seconds) from error
        if is_last:
            raise PriceSourceUnavailable(f"Yahoo returned no prices for '{symbol}': {error}.") from error
        self._pause(deadline, FIRST_PAUSE_SECONDS * 2 ** (attempt - 1))

    def _stay_away_while_busy(self, symbol: str) -> None:
        if self._busy_until is None:
            return
        seconds = (self._busy_until - self._clock()).total_seconds()
        if seconds > 0:
            raise PriceSourceUnavailable(_busy(symbol), int(seconds) + 1)

    def _yfinance(self) -> tuple[Any, "YahooSession"]:
        """The library and the session, ready to use; yfinance keeps state for the whole process."""
        with _importing:
            import yfinance  # noqa: PLC0415 - takes a second, and only requests to Yahoo need it

            from src.services.data_provider.yahoo.session import YahooSession  # noqa: PLC0415 - as above

            if self._session is None:
                self._session = YahooSession()
            yfinance.config.debug.hide_exceptions = False
            logging.getLogger("yfinance").setLevel(logging.CRITICAL)  # errors are raised, and we log them
            if yfinance.cache._CookieDBManager.get_location() != str(self._state_folder):
                yfinance.set_tz_cache_location(str(self._state_folder))
            _ignore_warnings_of_yfinance()
            return yfinance, self._session


def _ignore_warnings_of_yfinance() -> None:
    """It lags behind pandas' deprecations, which must not become errors where warnings are."""
    for category in (DeprecationWarning, FutureWarning):
        known = ("ignore", category, "yfinance")
        if not any((entry[0], entry[2], getattr(entry[3], "pattern", None)) == known for entry in warnings.filters):
            warnings.filterwarnings("ignore", category=category, module="yfinance")


def _busy(symbol: str) -> str:
    return f"Yahoo returned no prices for '{symbol}': it received too many requests."


def _unreachable(symbol: str, error: Unreachable) -> str:
    return (
        f"Yahoo cannot be reached for the prices of '{symbol}': {error}. Check the network and the proxy settings of "
        "the service, or choose another source with DATA_PROVIDER: files, or mock for made-up prices."
    )
