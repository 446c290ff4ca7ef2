"""A stand-in for src.services.backtests.prepare.Backtests that answers, fails or hangs as a test requires."""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Self

import numpy as np

from src.errors import NoPrices, PriceSourceUnavailable, RunCancelled, RunTimedOut, StrategyRejected
from src.models.request import BacktestRequest
from src.services.backtests.identity import run_hash
from src.services.backtests.port import BoxNeeded, Observe
from src.services.results.earlier import result_from_json
from src.services.results.result import Result
from src.services.storage.records.runs import Progress, RunDetails
from src.utils.canonical_json import canonical
from src.utils.deadline import Deadline
from src.utils.json_bytes import json_bytes
from src.utils.round_trips import CLOSE, Fills, round_trips

LONG_SECONDS = 30.0
BEFORE_THE_BOX = (StrategyRejected, NoPrices, PriceSourceUnavailable)
"""Errors that the real one raises while preparing."""


class FakeBacktests:
    """Answers every request at once by default.

    Args:
        answer: what an execution returns, but for hash, name and warnings; by default an answer of the real shape.
        error: what is raised instead.
        computes_universe: a box is needed to prepare a request; it is kept for the execution.
        hangs: an execution waits until it is cancelled, released or past its deadline, as a long run would.
        ignores_deadline: a hanging run ends only when it is cancelled or released.
        tells: what an execution says of its progress, and the lines it prints with that.
        tell_seconds: how long it takes over each of these.

    Attributes:
        data: part of what names a run; another value is as if prices had changed.
        datasets: the data that was stored, by the name that runs remember; without it present data counts.
        requests: what was prepared, in order.
        deadlines, reading_seconds: what came with each.
        executed: hashes of what was executed, in order.
        n_running, n_most_running: executions at present, and at most at one time.
        n_boxes, n_most_boxes: the same for boxes, including those that only report a universe.
        n_cancelled: executions that ended because their cancel event was set.
        started: set once any execution has started. release: set it to let hanging runs answer.
    """

    def __init__(
        self,
        *,
        answer: dict[str, Any] | None = None,
        error: BaseException | None = None,
        computes_universe: bool = False,
        hangs: bool = False,
        ignores_deadline: bool = False,
        tells: Sequence[tuple[Progress, Sequence[str]]] = (),
        tell_seconds: float = 0.0,
    ) -> None:
        self.answer = real_shaped_answer() if answer is None else answer
        self.error = error
        self.computes_universe = computes_universe
        self.hangs = hangs
        self.ignores_deadline = ignores_deadline
        self.tells = tells
        self.tell_seconds = tell_seconds
        self.data = "ab12"
        self.datasets: dict[str, str] = {}
        self.requests: list[BacktestRequest] = []
        self.deadlines: list[Deadline] = []
        self.reading_seconds: list[float] = []
        self.executed: list[str] = []
        self.n_running = self.n_most_running = self.n_cancelled = 0
        self.n_boxes = self.n_most_boxes = 0
        self.started, self.release = threading.Event(), threading.Event()
        self._lock = threading.Lock()

    def prepare(
        self,
        request: BacktestRequest,
        *,
        deadline: Deadline,
        may_open_box: bool = True,
        reading_seconds: float = 0.0,
        accepted: RunDetails | None = None,
    ) -> "FakePrepared":
        if self.computes_universe and not may_open_box:
            raise BoxNeeded
        with self._lock:
            self.requests.append(request)
            self.deadlines.append(deadline)
            self.reading_seconds.append(reading_seconds)
        if isinstance(self.error, BEFORE_THE_BOX):
            raise self.error
        values = request.model_dump(mode="json", exclude={"name"})
        data = self.data if accepted is None else self.datasets.get(accepted.dataset or "", self.data)
        ingredients = canonical(values | {"universe": request.universe or ["SPY", "BND"], "data": data})
        prepared = FakePrepared(self, request, ingredients, tuple(ingredients["universe"]), deadline)
        if self.computes_universe:
            prepared.open_box()
            time.sleep(self.tell_seconds)
        return prepared

    def count_boxes(self, change: int) -> None:
        """Count boxes that were opened or closed."""
        with self._lock:
            self.n_boxes += change
            self.n_most_boxes = max(self.n_most_boxes, self.n_boxes)

    def execute(self, prepared: "FakePrepared", observe: Observe | None) -> Result:
        """What FakePrepared.execute does."""
        with self._lock:
            self.executed.append(prepared.run_hash)
            self.n_running += 1
            self.n_most_running = max(self.n_most_running, self.n_running)
        self.started.set()
        try:
            for progress, lines in self.tells if observe else ():
                observe(progress, lines)
                time.sleep(self.tell_seconds)
            if self.hangs:
                self._hang(prepared.deadline)
            if self.error is not None:
                raise self.error
            return self._answer(prepared)
        finally:
            with self._lock:
                self.n_running -= 1

    def _answer(self, prepared: "FakePrepared") -> Result:
        name = {"run_hash": prepared.run_hash, "job_id": prepared.run_hash}
        parameters = self.answer["parameters"] | {"name": prepared.request.name}
        warnings = [*prepared.request.unknown_fields_warnings(), *self.answer["warnings"]]
        printed = [line for _, lines in self.tells for line in lines]
        filled_in = {"parameters": parameters, "warnings": warnings, "logs": [*printed, *self.answer["logs"]]}
        return with_trades(result_from_json(json_bytes(self.answer | name | filled_in)))

    def _hang(self, deadline: Deadline) -> None:
        until = time.monotonic() + LONG_SECONDS
        while time.monotonic() < until and not self.release.is_set():
            if deadline.cancel.wait(0.01):
                with self._lock:
                    self.n_cancelled += 1
                raise RunCancelled("the run was cancelled")
            if time.monotonic() > deadline.ends_at and not self.ignores_deadline:
                raise RunTimedOut("the request took too long")


@dataclass
class FakePrepared:
    """See src.services.backtests.execute.Prepared."""

    backtests: FakeBacktests
    request: BacktestRequest
    ingredients: Mapping[str, Any]
    symbols: tuple[str, ...]
    deadline: Deadline
    has_box: bool = False
    class_name: str = "MyStrategy"

    def open_box(self) -> None:
        """Open a box, unless it is open."""
        if not self.has_box:
            self.has_box = True
            self.backtests.count_boxes(+1)

    @property
    def run_hash(self) -> str:
        return run_hash(self.ingredients)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.has_box:
            self.backtests.count_boxes(-1)

    def store_dataset(self, stored: str | None = None) -> str | None:
        if stored in self.backtests.datasets:
            return stored
        name = f"dataset of {self.ingredients['data']}"
        self.backtests.datasets[name] = self.ingredients["data"]
        return name

    def execute(self, observe: Observe | None = None) -> Result:
        self.open_box()
        return self.backtests.execute(self, observe)


def with_trades(result: Result) -> Result:
    """A result with the round trips of its orders, at prices that never move."""
    orders, bars = result.orders, np.full((len(result.daily.dates), len(result.symbols), 5), 200.0)
    fills = Fills(orders.day, orders.symbol, orders.shares, orders.price, orders.fee, np.zeros(len(orders), np.int8))
    return replace(result, trades=round_trips(fills, bars, bars[:, :, CLOSE], fills_at_open=True))


def real_shaped_answer(run_hash: str = "5f1c") -> dict[str, Any]:
    """An answer with every documented field, for two days and one order."""
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
        "run_hash": run_hash,
        "job_id": run_hash,
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
            "is_synthetic": True,
            "data_hash": "ab12",
            "code_hash": "cd34",
            "engine_version": "2",
            "sandbox": "docker",
            "seed": 0,
            "timings_ms": dict.fromkeys(("analysis", "data", "sandbox", "audit", "metrics", "total"), 1.0),
        },
    }
