"""A stand-in for the service on a real socket, which can be busy, cut connections and restart."""

import json
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

METRICS = {
    "total_return": 0.01,
    "annualized_return": 0.01,
    "annual_volatility": 0.1,
    "max_drawdown": 0.05,
    "sharpe_ratio": 1.25,
    "beta": None,
    "total_orders": 1,
    "undefined": {"beta": "no benchmark"},
}
PLAN: tuple[tuple[str, dict[str, Any]], ...] = (
    ("queued", {"position": 0}),
    ("started", {"attempt": 1}),
    ("progress", {"share": 0.5, "day": "2015-06-30", "equity": 10_050.0}),
    ("log", {"lines": ["bought"]}),
    ("finished", {"status": "succeeded", "error": None, "metrics": METRICS, "recomputed": None}),
)
"""What a run tells unless a test says otherwise."""

RUN_HASH = "5f1c" * 16


STATISTICS = {
    "run_hash": RUN_HASH,
    "drawdown": [0.25, 0.0],
    "drawdown_periods": [
        {"depth": 0.25, "peak": "2015-01-02", "trough": "2015-02-02", "recovery": "2015-03-02", "n_days": 1_234},
        {"depth": 0.125, "peak": None, "trough": "2015-01-02", "recovery": None, "n_days": 1},
    ],
    "years": [{"year": 2015, "months": [0.2, -0.25, *[None] * 10], "total": -0.1}],
}
"""RunStatistics of its two days."""


TRADE = {
    "symbol": "SPY",
    "side": "short",
    "entry_time": "2015-01-02T00:00:00Z",
    "exit_time": "2015-01-05T00:00:00Z",
    "entry_price": 200.0,
    "exit_price": 190.0,
    "shares": 25.0,
    "pnl": 248.5,
    "return": 0.0497,
    "bars_held": 1,
    "fees": 1.5,
    "mae": -0.01,
    "mfe": 0.05,
    "mae_close": 0.0,
    "mfe_close": 0.05,
    "exit_reason": "stop_loss",
}
SECTIONS = {
    "trades": [TRADE],
    "trade_statistics": {
        "per_round_trip": {"closed_trades": 1, "win_rate": 1.0, "avg_loss": None, "undefined": {"avg_loss": "none"}},
        "per_fill": {"closed_trades": 0, "undefined": {}},
    },
    "benchmark_metrics": {"total_return": -0.001, "beta": None, "undefined": {"beta": "it is the benchmark"}},
    "rolling": {
        "windows": [{"days": 63, "sharpe_ratio": [None, 1.5], "beta": [None, None]}],
        "months": [{"month": "2015-01", "exposure": 0.5, "gross_exposure": 0.75, "turnover": None}],
    },
    "periods": {"years": STATISTICS["years"], "benchmark_years": [{"year": 2015, "months": [0.1] * 12, "total": 0.5}]},
    "plots": [
        {"name": "fast", "points": [[1_420_156_800, 1.5], [1_420_416_000, 2.5]]},
        {"name": "slow", "points": [[1_420_416_000, -1.0]]},
    ],
    "log_lines": [{"time": None, "line": "loading"}, {"time": 1_420_156_800, "line": "a day"}],
    "metrics_lean": {"sharpe_ratio": 1.125, "trade_statistics": {"total_number_of_trades": 1}},
}
"""What `include` and `conventions` add."""


def an_answer(**changes: Any) -> dict[str, Any]:
    """A BacktestResponse of two days and one order."""
    return {
        "run_hash": RUN_HASH,
        "job_id": RUN_HASH,
        "parameters": {
            "name": "n",
            "starting_equity": 10_000.0,
            "start_date": "2015-01-01",
            "end_date": "2015-12-31",
            "benchmark": "SPY",
        },
        "metrics": METRICS,
        "equity_stats": {"equity": 10_100.0, "fees": 1.5, "slippage_cost": 0.0, "volume": 5_000.0},
        "candles": [
            {"time": 1_420_156_800, "open": 10_000.0, "high": 10_020.0, "low": 9_990.0, "close": 10_010.0},
            {"time": 1_420_416_000, "open": 10_010.0, "high": 10_110.0, "low": 10_000.0, "close": 10_100.0},
        ],
        "orders": [
            {
                "id": "1",
                "timestamp": "2015-01-02T00:00:00Z",
                "symbol": "SPY",
                "action": "Buy",
                "price": 200.0,
                "shares": 25.0,
                "fee": 1.5,
                "slippage_cost": 0.0,
            }
        ],
        "holding_weights": [{"time": 1_420_156_800, "weights": {"SPY": 0.5}}],
        "benchmark": [{"time": 1_420_156_800, "value": 10_000.0}, {"time": 1_420_416_000, "value": 9_990.0}],
        "logs": ["bought"],
        "warnings": [],
        "provenance": {
            "data_source": "mock",
            "is_synthetic": True,
            "sandbox": "bubblewrap",
            "timings_ms": {"total": 12.0},
        },
        **changes,
    }


@dataclass(frozen=True)
class Refuse:
    """Answers one request with this status."""

    status: int
    body: bytes = b'{"detail": "busy: come back"}'
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Drop:
    """Closes one connection, before or after the request took effect."""

    is_worked_on: bool = False


@dataclass(frozen=True)
class Seen:
    """One request that arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body's value."""
        return json.loads(self.body)


@dataclass
class ScriptedService:
    """A service with at most one submitted run, and any number of stored ones.

    Attributes:
        plan: events of a submitted run; it is running until the last of them has been sent.
        faults: what happens to the next requests instead of an answer; None answers.
        cuts: after how many bytes of events the next event streams break off; None does not.
        stored: summaries of other runs, for lists.
        silent_after: events after which a stream says nothing more, until the service stops.
    """

    plan: tuple[tuple[str, dict[str, Any]], ...] = PLAN
    faults: deque[Refuse | Drop | None] = field(default_factory=deque)
    cuts: deque[int | None] = field(default_factory=deque)
    stored: list[dict[str, Any]] = field(default_factory=list)
    silent_after: int | None = None
    seen: list[Seen] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    n_told: int = 0
    status: str = "queued"
    answer: dict[str, Any] = field(default_factory=an_answer)
    port: int = 0
    is_stopping: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def serving(self) -> Iterator["ScriptedService"]:
        """Listens while the block lasts, on the same port as before; leaving it cuts every connection."""
        self.is_stopping.clear()
        server = _Server(("127.0.0.1", self.port), _handler(self))
        self.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield self
        finally:
            self.is_stopping.set()
            server.shutdown()
            server.server_close()
            thread.join()

    def asked(self, method: str, end: str = "") -> list[Seen]:
        """The requests with this method whose path ends so."""
        return [seen for seen in self.seen if seen.method == method and seen.path.endswith(end)]

    def summary(self) -> dict[str, Any]:
        """The RunSummary of the run."""
        finished = dict(self.plan).get("finished", {})
        error = finished.get("error") if self.is_finished else None
        has_result = self.status == "succeeded"
        return {
            "run_hash": RUN_HASH,
            "name": "n",
            "status": self.status,
            "metrics": METRICS if has_result else None,
            "error": error,
            "has_result": has_result,
            "recomputed": None,
        }

    @property
    def is_finished(self) -> bool:
        """Whether the last event was sent."""
        return self.status not in ("queued", "running")

    def cancel(self) -> int:
        """End the run as the dashboard's contract does; returns the status of the answer."""
        if self.is_finished:
            return 409
        self.status = "cancelled"
        self.plan = (*self.plan[: self.n_told], ("finished", {"status": "cancelled", "error": None}))
        return 200

    def tell(self, event_id: int) -> bytes:
        """The bytes of one event."""
        kind, data = self.plan[event_id - 1]
        self.n_told = max(self.n_told, event_id)
        if not self.is_finished:
            self.status = data["status"] if kind == "finished" else "running"
        return f": comment\r\n\r\nid: {event_id}\r\nevent: {kind}\r\ndata: {json.dumps(data)}\r\n\r\n".encode()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, _request: Any, _client_address: Any) -> None:
        # A client that goes away is no news here.
        return


def _handler(service: ScriptedService) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_arguments: Any) -> None:
            return

        def handle_any(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            seen = Seen(self.command, parts.path, dict(parse_qsl(parts.query)), headers, body)
            service.seen.append(seen)
            fault = service.faults.popleft() if service.faults else None
            if isinstance(fault, Refuse):
                self.send(fault.status, fault.body, *fault.headers)
            elif isinstance(fault, Drop):
                if fault.is_worked_on and seen.method == "POST":
                    service.keys.append(headers["idempotency-key"])
                self.close_connection = True
            else:
                self.answer(seen)

        do_GET = do_POST = do_DELETE = handle_any  # noqa: N815 - names of the base class

        def answer(self, seen: Seen) -> None:
            name = (seen.method, seen.path.removeprefix("/api/v1").replace(RUN_HASH, "{hash}"))
            match name:
                case ("POST", "/runs"):
                    key = seen.headers["idempotency-key"]
                    status = 200 if key in service.keys else 201
                    service.keys.append(key)
                    self.send_json(status, service.summary())
                case ("GET", "/runs"):
                    start, limit = int(seen.query.get("cursor", 0)), int(seen.query.get("limit", 2))
                    end = start + limit
                    more = str(end) if end < len(service.stored) else None
                    self.send_json(200, {"runs": service.stored[start:end], "next_cursor": more})
                case ("GET", "/runs/{hash}"):
                    self.send_json(200, service.summary())
                case ("GET", "/runs/{hash}/result"):
                    self.send_json(200, service.answer)
                case ("GET", "/runs/{hash}/statistics"):
                    self.send_json(200, STATISTICS)
                case ("GET", "/runs/{hash}/artifacts/report.html"):
                    self.send(200, b"<!doctype html>", ("Content-Type", "text/html"))
                case ("GET", "/runs/{hash}/events"):
                    self.stream(int(seen.headers.get("last-event-id", 0)))
                case ("POST", "/runs/{hash}/cancel"):
                    self.send_json(service.cancel(), {"detail": "finished"})
                case ("DELETE", "/runs/{hash}"):
                    if service.cancel() == 200:
                        self.send_json(200, service.summary())
                    else:
                        self.send(204, b"")
                case _:
                    self.send_json(404, {"detail": "There is no such run."})

        def stream(self, after: int) -> None:
            if after >= len(service.plan):
                self.send(204, b"")
                return
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream; charset=utf-8")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            left = service.cuts.popleft() if service.cuts else None
            for event_id in range(after + 1, len(service.plan) + 1):
                if service.silent_after is not None and event_id > service.silent_after:
                    service.is_stopping.wait()
                    self.close_connection = True
                    return
                data = service.tell(event_id)
                if left is not None and len(data) >= left:
                    self.write_chunk(data[:left])
                    self.close_connection = True
                    return
                left = None if left is None else left - len(data)
                self.write_chunk(data)
            self.wfile.write(b"0\r\n\r\n")

        def write_chunk(self, data: bytes) -> None:
            if data:
                self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")

        def send_json(self, status: int, value: Any) -> None:
            self.send(status, json.dumps(value).encode(), ("Content-Type", "application/json"))

        def send(self, status: int, body: bytes, *headers: tuple[str, str]) -> None:
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            if status != 204:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler
