"""Runs in real boxes that bypass the analysis, shared by the sandbox tests."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np

from src.execution.sandbox.base import Sandbox
from src.execution.session.reply import Reply
from src.execution.session.session import MAX_ORDERS, Job, Session
from src.services.data_provider.base import PriceTable
from src.utils.deadline import Deadline

PRELUDE = """
from hqg_algorithms import *

class Base(Strategy):
    universe = ["AAA", "BBB"]
    cadence = Cadence(bar_size=BarSize.DAILY, execution=ExecutionTiming.CLOSE_TO_CLOSE)
    def on_data(self, data, portfolio):
        return TargetWeights({"AAA": 0.5, "BBB": 0.5})

"""
HONEST = PRELUDE + "class Mine(Base): pass\n"

LONG_SECONDS = 60.0
"""Limit for an event that must happen, on a busy machine. Working code needs far less."""

AT_ONCE = 3
"""Number of boxes at a time that keeps two cores busy."""


def long_deadline() -> Deadline:
    """A time limit that only a failing test reaches."""
    return Deadline.after(LONG_SECONDS)


def becomes_true(is_true: Callable[[], bool]) -> bool:
    """Whether the condition becomes true within LONG_SECONDS."""
    until = time.monotonic() + LONG_SECONDS
    while not is_true():
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


def price_table(n_days: int = 250) -> PriceTable:
    """Invented prices on consecutive weekdays from 2014-01-01, different for every symbol."""
    days = np.arange(np.datetime64("2014-01-01"), np.datetime64("2014-01-01") + 2 * n_days)
    dates = days[np.is_busday(days)][:n_days]
    symbols, random = ("AAA", "BBB"), np.random.default_rng(7)
    close = 100 * np.exp(np.cumsum(random.normal(0, 0.01, (n_days, len(symbols))), axis=0))
    open_ = close * np.exp(random.normal(0, 0.004, close.shape))
    high, low = np.maximum(open_, close) * 1.002, np.minimum(open_, close) * 0.998
    volume = np.full(close.shape, 1e6)
    return PriceTable(dates, symbols, np.ascontiguousarray(np.stack([open_, high, low, close, volume], axis=2)))


def rules(**changes: Any) -> dict[str, Any]:
    """Engine rules in wire form."""
    return {
        "bar_size": "1d",
        "execution": "close_to_close",
        "initial_capital": 10_000.0,
        "min_trade_value": 1.0,
        "commission": 0.0,
        "slippage": 0.0,
        "last_period_complete": True,
        "delistings": [],
        "delisting_return": 0.0,
        "dividends": [],
        "allow_short": False,
        "max_gross": 1.0,
        "borrow_rate": 0.0,
        "margin_rate": 0.0,
        **changes,
    }


def run_in_box(
    sandbox: Sandbox,
    source: str,
    *,
    class_name: str = "Mine",
    prices: PriceTable | None = None,
    warm_up: PriceTable | None = None,
    wall_seconds: float = LONG_SECONDS,
    seed: int = 0,
    parameters: dict[str, Any] | None = None,
    needs_prelude: bool = False,
    max_orders: int = MAX_ORDERS,
    **rule_changes: Any,
) -> Reply:
    """Load the source in a box of the sandbox and run it.

    Raises:
        StrategyFailed: see Session.
    """
    limits = {name: rule_changes[name] for name in ("allow_short", "max_gross") if name in rule_changes}
    job = Job(source, class_name, needs_prelude, parameters or {}, seed, wall_seconds, max_orders=max_orders, **limits)
    deadline = Deadline.after(wall_seconds + LONG_SECONDS)
    with Session(sandbox, job, deadline) as session:
        cadence = session.describe().cadence
        wire = rules(bar_size=cadence.bar_size.value, execution=cadence.execution.value, **rule_changes)
        return session.run(prices or price_table(), wire, warm_up=warm_up)


def is_memory_error(sandbox: Sandbox, error: str) -> bool:
    """Whether the error is that of a strategy that used too much memory."""
    # On a busy machine, about once in a hundred times the engine does not learn why the kernel killed gVisor.
    is_unexplained = sandbox.name.endswith("+runsc") and error == "the box ended before it replied"
    return is_unexplained or error.startswith(f"memory limit of {sandbox.memory_bytes >> 20} MB exceeded")


class InAdvance:
    """Runs the next cases, each in its own box, while a test checks the current one.

    Args:
        work: processes one case; called in several threads.
        cases: in the order in which tests are likely to need them.
    """

    def __init__(self, work: Callable[[Any], Any], cases: Sequence[Any]) -> None:
        self._work = work
        self._cases = cases
        self._workers = ThreadPoolExecutor(AT_ONCE)
        self._outcomes: dict[int, Future[Any]] = {}

    def __call__(self, number: int) -> Any:
        """The result of that case."""
        for coming in range(number, min(number + AT_ONCE, len(self._cases))):
            if coming not in self._outcomes:
                self._outcomes[coming] = self._workers.submit(self._work, self._cases[coming])
        return self._outcomes[number].result()

    def close(self) -> None:
        """Wait for the cases that have started."""
        self._workers.shutdown(cancel_futures=True)
