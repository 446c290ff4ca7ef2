"""A stand-in for Yahoo on 127.0.0.1: the v8 chart API as yfinance expects it, including its failures."""

import functools
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, unquote, urlsplit
from zoneinfo import ZoneInfo

import numpy as np
import orjson
import pyarrow.parquet as pq

from src.services.data_provider.base import PriceTable
from src.services.data_provider.calendar import sessions
from src.services.data_provider.mock.provider import MockProvider
from src.services.data_provider.yahoo.session import YahooSession

OPEN, HIGH, LOW, CLOSE, ADJ_CLOSE, VOLUME = range(6)
QUOTES = {"open": OPEN, "high": HIGH, "low": LOW, "close": CLOSE, "volume": VOLUME}
LONG_SECONDS = 30.0


@dataclass
class Clock:
    """A clock that stands still until it is set."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now

    def set(self, *parts: int, zone: str = "America/New_York") -> None:
        """The moment by year, month, day, hour, minute in that zone."""
        self.now = datetime(*parts, tzinfo=ZoneInfo(zone)).astimezone(UTC)  # type: ignore[arg-type, misc]


@dataclass
class Listing:
    """Yahoo's data on one symbol, future days included.

    Attributes:
        rows: (n_days, 6) open, high, low, close, adjusted close, volume; NaN is sent as null.
        opens: local time of day that stamps a bar.
        first_trade_day: as Yahoo describes it; None is the first row's day.
    """

    dates: np.ndarray
    rows: np.ndarray
    zone: str = "America/New_York"
    instrument: str = "ETF"
    opens: time_of_day = time_of_day(9, 30)
    dividends: dict[date, float] = field(default_factory=dict)
    splits: dict[date, tuple[int, int]] = field(default_factory=dict)
    first_trade_day: date | None = None
    granularity: str = "1d"

    def pay_dividend(self, day: date, amount: float) -> None:
        """Make that day ex-dividend, which lowers every adjusted close before it."""
        before = self.dates < np.datetime64(day)
        self.rows[before, ADJ_CLOSE] *= 1 - amount / self.rows[before, CLOSE][-1]
        self.dividends[day] = amount

    def split(self, day: date, new_shares: int, old_shares: int = 1) -> None:
        """Split the shares on that day, which restates every price before it."""
        before = self.dates < np.datetime64(day)
        self.rows[before, : ADJ_CLOSE + 1] *= old_shares / new_shares
        self.rows[before, VOLUME] *= new_shares / old_shares
        self.splits[day] = (new_shares, old_shares)

    def row(self, day: date) -> np.ndarray:
        """The row of one day, which may be changed."""
        return self.rows[int(np.searchsorted(self.dates, np.datetime64(day)))]

    def without(self, *days: date) -> None:
        """Remove the rows of these days."""
        keep = ~np.isin(self.dates, np.array(days, "datetime64[D]"))
        self.dates, self.rows = self.dates[keep], self.rows[keep]


def made_up(symbol: str, first: date, last: date, **description: Any) -> Listing:
    """A listing with made-up prices on New York's sessions, or every day for a symbol that ends in -USD."""
    table = _made_up_prices(symbol, first, last)
    rows = np.empty((table.dates.size, 6))
    rows[:, [OPEN, HIGH, LOW, CLOSE, VOLUME]] = table.bars[:, 0]
    rows[:, ADJ_CLOSE] = rows[:, CLOSE]
    if symbol.endswith("-USD"):
        description = {"zone": "UTC", "instrument": "CRYPTOCURRENCY", "opens": time_of_day(0)} | description
    return Listing(table.dates.copy(), rows, **description)


@functools.cache
def _made_up_prices(symbol: str, first: date, last: date) -> PriceTable:
    return MockProvider(lambda: datetime(2100, 1, 1, tzinfo=UTC)).fetch((symbol,), first, last)


def from_raw(path: Path, **description: Any) -> Listing:
    """A listing with the real prices of a file in Yahoo's columns."""
    table = pq.read_table(path)
    names = ("open", "high", "low", "close", "adj_close", "volume")
    rows = np.column_stack([table.column(name).to_numpy() for name in names])
    return Listing(table.column("date").to_numpy().astype("datetime64[D]"), rows, **description)


@dataclass
class Answer:
    """An answer that replaces the real one."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_seconds: float = 0.0
    then_the_truth: bool = False


class StandInYahoo:
    """Serves `listings` up to `clock`'s present; answers in `instead` come first.

    Attributes:
        asked: symbol, first and last moment of each chart request, in order.
        instead: answers to give first, by symbol.
        always: the answer to give to every symbol while it is set.
        delay_seconds: how long every chart answer takes.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.listings: dict[str, Listing] = {}
        self.asked: list[tuple[str, datetime, datetime]] = []
        self.instead: dict[str, list[Answer]] = defaultdict(list)
        self.always: Answer | None = None
        self.delay_seconds = 0.0
        self.closing = threading.Event()
        self._lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"yahoo": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        self.base = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        """Stop serving and release hanging requests."""
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(60)

    def asked_for(self, symbol: str) -> list[tuple[date, date]]:
        """The windows in which a symbol's chart was asked for."""
        return [(first.date(), last.date()) for name, first, last in self.asked if name == symbol]

    def answer(self, symbol: str, period1: int, period2: int) -> Answer:
        """The answer to one chart request."""
        with self._lock:
            self.asked.append((symbol, _moment(period1), _moment(period2)))
            instead = self.always or (self.instead[symbol].pop(0) if self.instead[symbol] else None)
        if instead is not None and not instead.then_the_truth:
            return instead
        status, body = self._truth(symbol, period1, period2)
        return Answer(status, body, {}, instead.delay_seconds if instead else self.delay_seconds)

    def _truth(self, symbol: str, period1: int, period2: int) -> tuple[int, bytes]:
        listing = self.listings.get(symbol)
        if listing is None:
            return 404, error_body("Not Found", "No data found, symbol may be delisted")
        chart = _chart(symbol, listing, period1, period2, self.clock())
        return 200, orjson.dumps({"chart": {"result": [chart], "error": None}})


def error_body(code: str, description: str) -> bytes:
    """Yahoo's error answer."""
    return orjson.dumps({"chart": {"result": None, "error": {"code": code, "description": description}}})


@contextmanager
def standing_in(clock: Clock) -> Iterator[StandInYahoo]:
    """The stand-in while the block runs."""
    yahoo = StandInYahoo(clock)
    try:
        yield yahoo
    finally:
        yahoo.close()


class LoopbackSession(YahooSession):
    """The real session, except that requests to Yahoo go to the stand-in."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self._base = base

    def send(self, method: Any, url: str, *args: Any, **options: Any) -> Any:
        """See YahooSession.send."""
        parts = urlsplit(url)
        assert parts.scheme == "https", url
        assert (parts.hostname or "").endswith("yahoo.com"), url
        url = f"{self._base}{parts.path or '/'}" + (f"?{parts.query}" if parts.query else "")
        return super(YahooSession, self).request(method, url, *args, **options)


class _Handler(BaseHTTPRequestHandler):
    yahoo: ClassVar[StandInYahoo]
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Nothing: tests look at `asked`."""

    def do_GET(self) -> None:
        """Serves cookies, a crumb and charts."""
        parts = urlsplit(self.path)
        if parts.path == "/":
            self._send(Answer(404, headers={"Set-Cookie": "A3=stand-in; Path=/; Max-Age=31536000"}))
        elif parts.path == "/v1/test/getcrumb":
            self._send(Answer(200, b"crumb"))
        elif parts.path.startswith("/v8/finance/chart/"):
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            symbol = unquote(parts.path.removeprefix("/v8/finance/chart/"))
            self._send(self.yahoo.answer(symbol, int(query["period1"]), int(query["period2"])))
        else:
            self._send(Answer(404, b"{}"))

    def _send(self, answer: Answer) -> None:
        deadline = time.monotonic() + min(answer.delay_seconds, LONG_SECONDS)
        while (left := deadline - time.monotonic()) > 0 and not self.yahoo.closing.is_set():
            time.sleep(min(left, 0.02))
        try:
            self.send_response(answer.status)
            for name, value in {"Content-Type": "application/json", **answer.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)
        except OSError:
            self.close_connection = True  # the client has disconnected


def _chart(symbol: str, listing: Listing, period1: int, period2: int, now: datetime) -> dict[str, Any]:
    stamps, keep = _stamps(listing, now)
    asked = (stamps >= period1) & (stamps < period2)
    rows, sent = listing.rows[keep][asked], stamps[asked]
    last_trade = int(stamps[-1]) if stamps.size else None
    first_day = listing.first_trade_day or listing.dates[0].item()
    meta = {
        "currency": "USD",
        "symbol": symbol,
        "exchangeName": "PCX",
        "instrumentType": listing.instrument,
        "firstTradeDate": _stamp(first_day, listing),
        "regularMarketTime": last_trade,
        "gmtoffset": 0,
        "timezone": "X",
        "exchangeTimezoneName": listing.zone,
        "priceHint": 2,
        "dataGranularity": listing.granularity,
        "range": "",
        "validRanges": ["1d", "max"],
        "currentTradingPeriod": {
            name: {"timezone": "X", "start": period1, "end": period2, "gmtoffset": 0}
            for name in ("pre", "regular", "post")
        },
    }
    if not sent.size:
        return {"meta": meta, "indicators": {"quote": [{}], "adjclose": [{}]}}
    quote = {name: _nulls(rows[:, column]) for name, column in QUOTES.items()}
    chart = {"meta": meta, "timestamp": sent.tolist()}
    chart["indicators"] = {"quote": [quote], "adjclose": [{"adjclose": _nulls(rows[:, ADJ_CLOSE])}]}
    events = _events(listing, int(sent[0]), int(sent[-1]))
    return chart | ({"events": events} if events else {})


def _stamps(listing: Listing, now: datetime) -> tuple[np.ndarray, np.ndarray]:
    """When each bar up to now is stamped: at its session's open, the present one with the present moment."""
    stamps = np.array([_stamp(day, listing) for day in listing.dates.tolist()], dtype=np.int64)
    keep = stamps <= now.timestamp()
    stamps = stamps[keep]
    if stamps.size and _moment(int(stamps[-1])).astimezone(ZoneInfo(listing.zone)).date() == _today(listing, now):
        stamps[-1] = int(now.timestamp())
    return stamps, keep


def _today(listing: Listing, now: datetime) -> date:
    return now.astimezone(ZoneInfo(listing.zone)).date()


def _stamp(day: date, listing: Listing) -> int:
    return int(datetime.combine(day, listing.opens, ZoneInfo(listing.zone)).timestamp())


def _moment(stamp: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=stamp)


def _events(listing: Listing, first: int, last: int) -> dict[str, Any]:
    dividends = {
        str(stamp): {"amount": amount, "date": stamp}
        for day, amount in listing.dividends.items()
        if first <= (stamp := _stamp(day, listing)) <= last
    }
    splits = {
        str(stamp): {"date": stamp, "numerator": new, "denominator": old, "splitRatio": f"{new}:{old}"}
        for day, (new, old) in listing.splits.items()
        if first <= (stamp := _stamp(day, listing)) <= last
    }
    events = {"dividends": dividends, "splits": splits}
    return {name: found for name, found in events.items() if found}


def _nulls(values: np.ndarray) -> list[float | None]:
    return [None if np.isnan(value) else value for value in values.tolist()]


def new_york_days(first: date, last: date) -> list[date]:
    """New York's sessions, as dates."""
    days: list[date] = sessions(first, last).tolist()
    return days
