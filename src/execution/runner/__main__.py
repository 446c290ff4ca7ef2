"""The runner: forks the strategy process, keeps prices, engine and books, and talks to the host.

It reads frames on standard input and writes frames on standard output (src/execution/protocol.py).
"""

import math
import os
import signal
import time
from contextlib import suppress
from types import FrameType
from typing import Any, NoReturn

from hqg_algorithms import BarSize, ExecutionTiming

from src.engine.costs import commission_from_wire, slippage_from_wire
from src.engine.ledger import Ledger, TooManyLevels, TooManyOrders
from src.engine.market import FIELDS, Doubles, Market, Rules
from src.engine.simulator import simulate
from src.execution import protocol
from src.execution.runner.child import StrategyChild
from src.execution.runner.errors import RunFailed
from src.execution.runner.host_channel import HostChannel
from src.execution.runner.reporter import Reporter
from src.execution.runner.warm_up import warm_up

_END_SECONDS = 2.0

_FOR_THE_STRATEGY = (
    *("source", "class_name", "needs_prelude", "parameters", "seed", "universe", "limits"),
    *("allow_short", "max_gross"),
)
"""The parts of the job that the strategy process receives. The nonce and the price key stay here."""


class TimeLimit:
    """Raises RunFailed("time") when the run exceeds its time limit. Waiting for the host does not count."""

    def __init__(self, seconds: float) -> None:
        self._left_seconds = seconds
        self._deadline = 0.0
        signal.signal(signal.SIGALRM, self._ring)

    def start(self) -> None:
        """Start or resume the clock."""
        self._deadline = time.monotonic() + self._left_seconds
        signal.setitimer(signal.ITIMER_REAL, self._left_seconds)

    def pause(self) -> None:
        """Pause the clock."""
        signal.setitimer(signal.ITIMER_REAL, 0)
        self._left_seconds = max(0.001, self._deadline - time.monotonic())
        self._deadline = float("inf")

    def stop(self) -> None:
        """Stop the clock for good."""
        self._deadline = float("inf")
        signal.setitimer(signal.ITIMER_REAL, 0)

    def _ring(self, _number: int, _frame: FrameType | None) -> None:
        # The strategy process may send SIGALRM too. Only the clock decides, and it rings once.
        if time.monotonic() >= self._deadline:
            self._deadline = float("inf")
            raise RunFailed("time")


def main() -> NoReturn:
    """Serve one job and exit."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    # Copies of the pipes: a stray print in this process must not appear between two frames.
    host = HostChannel(os.dup(0), os.dup(1))
    os.dup2(2, 1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    child = StrategyChild.fork()
    reporter = Reporter(host, child)
    with suppress(RunFailed):  # the job's first reply then reports it
        child.wait_until_it_is_ready()
    host.send_json(protocol.READY, {"version": protocol.VERSION})
    job = host.receive_json(protocol.JOB)
    ledger, failure = _run(host, child, job, reporter)
    reporter.stop()
    child.end()
    lines, lost_bytes = child.output.lines(_END_SECONDS)
    if ledger is not None and failure is None:
        host.send(protocol.LEDGER, _pack(ledger))
        plots = child.record.plots(len(ledger.equity))
        if plots:
            host.send(protocol.PLOTS, protocol.pack_plots(plots))
    host.send_json(
        protocol.FINISHED,
        {
            "nonce": job["nonce"],
            "logs": lines,
            "line_days": child.record.line_days(child.output.kept),
            "lost_output_bytes": lost_bytes,
            "unfilled": [_unfilled_to_wire(entry) for entry in ledger.unfilled] if ledger else [],
            "targets": _targets_to_wire(ledger) if ledger else None,
            "error": failure.to_wire(child.day) if failure else None,
        },
    )
    os._exit(0)  # taking the interpreter apart would take longer than a hundred bars


def _run(
    host: HostChannel, child: StrategyChild, job: dict[str, Any], reporter: Reporter
) -> tuple[Ledger | None, RunFailed | None]:
    clock = TimeLimit(job["wall_seconds"])
    try:
        try:
            return _simulated(host, child, job, reporter, clock), None
        finally:
            # The clock may ring on this line but never after it: both endings are handled below.
            clock.stop()
    except TooManyOrders:
        return None, RunFailed("orders")
    except TooManyLevels:
        return None, RunFailed("levels")
    except RunFailed as failure:
        return None, failure


def _simulated(
    host: HostChannel, child: StrategyChild, job: dict[str, Any], reporter: Reporter, clock: TimeLimit
) -> Ledger:
    clock.start()
    child.pin(job["core"])
    child.watch_threads()
    description = child.load({name: job[name] for name in _FOR_THE_STRATEGY})
    child.stop()
    clock.pause()
    host.send_json(protocol.DESCRIBED, description)
    market, rules, days, bars, is_observed = _receive_market(host, bytes.fromhex(job["price_key"]))
    host.close_input()
    child.check_that_it_stood_still()
    if is_observed:
        reporter.start()
    clock.start()
    n_earlier = len(days) - len(market.days)
    child.resume(len(market.symbols), market.days, rules.allow_short, rules.max_gross, n_earlier)
    if not n_earlier:
        return simulate(market, rules, child.decide)
    return simulate(market, rules, child.decide, warm_up(child, market, rules, days, bars))


def _receive_market(host: HostChannel, price_key: bytes) -> tuple[Market, Rules, list[int], Doubles, bool]:
    """The market, the rules, the days and bars of the whole timeline with its warm-up, and whether progress is told."""
    wire = protocol.parse_json(protocol.cipher(price_key, protocol.RULES, host.receive(protocol.RULES)))
    packed = protocol.cipher(price_key, protocol.PRICES, host.receive(protocol.PRICES))
    days, n_symbols, bars = protocol.unpack_prices(packed)
    n_earlier = wire["warm_up_days"]
    market = Market(
        days=days[n_earlier:] if n_earlier else days,
        symbols=tuple(wire["symbols"]),
        bars=bars[n_earlier * n_symbols * FIELDS :],
        last_period_complete=wire["last_period_complete"],
        delistings=dict(wire["delistings"]),
        dividends=protocol.dividends_by_day(wire["dividends"]),
    )
    rules = Rules(
        bar_size=BarSize(wire["bar_size"]),
        execution=ExecutionTiming(wire["execution"]),
        initial_capital=wire["initial_capital"],
        min_trade_value=wire["min_trade_value"],
        commission=commission_from_wire(wire["commission"]),
        slippage=slippage_from_wire(wire["slippage"]),
        delisting_return=wire["delisting_return"],
        max_orders=wire["max_orders"],
        allow_short=wire["allow_short"],
        max_gross=wire["max_gross"],
        borrow_rate=wire["borrow_rate"],
        margin_rate=wire["margin_rate"],
    )
    return market, rules, days, bars, wire["is_observed"]


def _pack(ledger: Ledger) -> bytes:
    return protocol.pack_ledger(ledger.orders, (ledger.cash, ledger.equity), ledger.decisions, ledger.levels)


def _targets_to_wire(ledger: Ledger) -> list[Any]:
    amounts = (ledger.most_requested, ledger.most_affordable)
    return [ledger.signals, *(amount if amount is not None and math.isfinite(amount) else None for amount in amounts)]


def _unfilled_to_wire(entry: Any) -> list[Any]:
    return [entry.symbol, entry.reason, entry.first_day, entry.last_day, entry.n_days]


if __name__ == "__main__":
    main()
