"""A stand-in for src.services.backtests.Backtests that answers, fails or hangs as a test wishes."""

import threading
import time
from collections.abc import Sequence
from typing import Any

from src.errors import RunCancelled, RunTimedOut
from src.models.request import BacktestRequest

LONG_SECONDS = 30.0


class FakeBacktests:
    """Answers every request at once, unless told otherwise.

    Args:
        answer: what `run` returns; by default an answer of the real shape.
        error: what `run` raises instead.
        hangs: `run` waits until it is cancelled, released or past its deadline, as a long run would.
        ignores_deadline: a hanging run ends only when it is cancelled or released.

    Attributes:
        requests: what was run, in order. universes: the tickers that came with each.
        deadlines: the deadline that came with each.
        n_running, n_most_running: runs at present, and at most at one time.
        n_cancelled: runs that ended because their cancel event was set.
        started: set once any run has started. release: set it to let hanging runs answer.
    """

    def __init__(
        self,
        *,
        answer: dict[str, Any] | None = None,
        error: BaseException | None = None,
        hangs: bool = False,
        ignores_deadline: bool = False,
    ) -> None:
        self.answer = real_shaped_answer() if answer is None else answer
        self.error = error
        self.hangs = hangs
        self.ignores_deadline = ignores_deadline
        self.requests: list[BacktestRequest] = []
        self.universes: list[Sequence[str] | None] = []
        self.deadlines: list[float] = []
        self.n_running = self.n_most_running = self.n_cancelled = 0
        self.started, self.release = threading.Event(), threading.Event()
        self._lock = threading.Lock()

    def run(
        self,
        request: BacktestRequest,
        *,
        deadline: float,
        cancel: threading.Event,
        universe: Sequence[str] | None = None,
    ) -> dict[str, Any]:
        with self._lock:
            self.requests.append(request)
            self.universes.append(universe)
            self.deadlines.append(deadline)
            self.n_running += 1
            self.n_most_running = max(self.n_most_running, self.n_running)
        self.started.set()
        try:
            if self.hangs:
                self._hang(deadline, cancel)
            if self.error is not None:
                raise self.error
            return self.answer | {"warnings": request.unknown_fields_warnings()}
        finally:
            with self._lock:
                self.n_running -= 1

    def _hang(self, deadline: float, cancel: threading.Event) -> None:
        until = time.monotonic() + LONG_SECONDS
        while time.monotonic() < until and not self.release.is_set():
            if cancel.wait(0.01):
                with self._lock:
                    self.n_cancelled += 1
                raise RunCancelled("nobody waits for this run any more")
            if time.monotonic() > deadline and not self.ignores_deadline:
                raise RunTimedOut("the request took too long")


def real_shaped_answer() -> dict[str, Any]:
    """An answer with every field that the design names, for two days and one order."""
    first, second = 1420156800, 1420416000
    metrics = dict.fromkeys(
        [
            "total_return",
            "annualized_return",
            "sharpe_ratio",
            "sortino",
            "alpha",
            "beta",
            "psr",
            "max_drawdown",
            "win_rate",
            "avg_win",
            "avg_loss",
        ]
    )
    return {
        "run_hash": "5f1c",
        "job_id": "5f1c",
        "parameters": {
            "name": None,
            "starting_equity": 10000.0,
            "start_date": "2015-01-01",
            "end_date": "2015-01-05",
            "universe": ["SPY", "BND"],
            "bar_size": "1d",
            "execution": "close_to_next_open",
            "commission": 0.0,
            "slippage": {"model": "half_spread", "bps": 2.0},
            "benchmark": "SPY",
            "risk_free_rate": None,
            "min_trade_value": 1.0,
            "seed": 0,
            "parameters": {},
        },
        "metrics": metrics
        | {
            "total_return": 0.01,
            "total_orders": 1,
            "undefined": {name: "too few days" for name in metrics if name != "total_return"},
        },
        "equity_stats": {
            "equity": 10100.0,
            "fees": 0.0,
            "slippage_cost": 1.5,
            "net_profit": 100.0,
            "return_pct": 1.0,
            "volume": 10000.0,
        },
        "candles": [
            {"time": first, "open": 10000.0, "high": 10000.0, "low": 10000.0, "close": 10000.0},
            {"time": second, "open": 10000.0, "high": 10120.0, "low": 9990.0, "close": 10100.0},
        ],
        "orders": [
            {
                "id": "1",
                "timestamp": "2015-01-05T00:00:00Z",
                "symbol": "SPY",
                "action": "Buy",
                "price": 200.04,
                "shares": 49.99,
                "fee": 0.0,
                "slippage_cost": 1.5,
            }
        ],
        "holding_weights": [{"time": second, "weights": {"SPY": 1.0}}],
        "benchmark": [{"time": first, "value": 10000.0}, {"time": second, "value": 10090.0}],
        "logs": [],
        "warnings": [],
        "provenance": {
            "data_source": "mock",
            "data_hash": "ab12",
            "code_hash": "cd34",
            "engine_version": "1",
            "sandbox": "docker",
            "seed": 0,
            "timings_ms": dict.fromkeys(("analysis", "data", "sandbox", "audit", "metrics", "total"), 1.0),
        },
    }
