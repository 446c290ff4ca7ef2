"""The runner: forks the strategy process, keeps prices, engine and books, and talks to the host.

It reads frames on standard input and writes frames on standard output (src/execution/protocol.py).
"""

import os
import signal
import sys
import time
from contextlib import suppress
from types import FrameType
from typing import Any

from hqg_algorithms import BarSize, ExecutionTiming

from src.engine.costs import commission_from_wire, slippage_from_wire
from src.engine.ledger import Ledger
from src.engine.market import Market, Rules
from src.engine.simulator import simulate
from src.execution import protocol
from src.execution.runner.child import StrategyChild
from src.execution.runner.errors import RunFailed
from src.execution.runner.pipes import read_exactly, write_all

_END_SECONDS = 2.0


class HostChannel:
    """Frames from and to the host. The host is trusted; it is the only one who is."""

    def __init__(self, input_descriptor: int, output_descriptor: int) -> None:
        self._input = input_descriptor
        self._output = output_descriptor

    def send(self, kind: bytes, payload: bytes) -> None:
        """Send one frame."""
        write_all(self._output, protocol.frame(kind, payload))

    def send_json(self, kind: bytes, value: Any) -> None:
        """Send one JSON frame."""
        write_all(self._output, protocol.json_frame(kind, value))

    def receive(self, kind: bytes) -> bytes:
        """The payload of the next frame, which must be of that kind."""
        no_limit = {kind: 0xFFFFFFFF}
        return protocol.read_frame(lambda length: read_exactly(self._input, length), no_limit)[1]

    def receive_json(self, kind: bytes) -> dict[str, Any]:
        """The value of the next frame, which must be of that kind."""
        return protocol.parse_json(self.receive(kind))

    def close_input(self) -> None:
        """Nothing more is expected; the prices' descriptor must be gone before user code goes on."""
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, self._input)
        os.close(null)


class TimeLimit:
    """Raises RunFailed("time") once the run has used its seconds; waiting for the host is free."""

    def __init__(self, seconds: float) -> None:
        self._left_seconds = seconds
        self._deadline = 0.0
        signal.signal(signal.SIGALRM, self._ring)

    def start(self) -> None:
        """Let time run."""
        self._deadline = time.monotonic() + self._left_seconds
        signal.setitimer(signal.ITIMER_REAL, self._left_seconds)

    def pause(self) -> None:
        """Let time stand still."""
        signal.setitimer(signal.ITIMER_REAL, 0)
        self._left_seconds = max(0.001, self._deadline - time.monotonic())
        self._deadline = float("inf")

    def _ring(self, _number: int, _frame: FrameType | None) -> None:
        # The strategy process may send SIGALRM too: only the clock counts.
        if time.monotonic() >= self._deadline:
            raise RunFailed("time")


def main() -> None:
    """Serve one job and exit."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    # Its own copies of the pipes: a stray print in our process must not end up between two frames.
    host = HostChannel(os.dup(0), os.dup(1))
    os.dup2(2, 1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    child = StrategyChild.fork()
    with suppress(RunFailed):  # then the job's first answer will tell
        child.wait_until_it_is_ready()
    host.send_json(protocol.READY, {"version": protocol.VERSION})
    job = host.receive_json(protocol.JOB)
    ledger, failure = _run(host, child, job)
    child.end()
    lines, lost_bytes = child.output.lines(_END_SECONDS)
    if ledger is not None and failure is None:
        host.send(protocol.LEDGER, _pack(ledger))
    host.send_json(
        protocol.FINISHED,
        {
            "nonce": job["nonce"],
            "logs": lines,
            "lost_output_bytes": lost_bytes,
            "unfilled": [_unfilled_to_wire(entry) for entry in ledger.unfilled] if ledger else [],
            "error": failure.to_wire(child.day) if failure else None,
        },
    )


def _run(host: HostChannel, child: StrategyChild, job: dict[str, Any]) -> tuple[Ledger | None, RunFailed | None]:
    clock = TimeLimit(job["wall_seconds"])
    try:
        clock.start()
        child.pin(job["core"])
        description = child.load(job)
        child.stop()
        clock.pause()
        host.send_json(protocol.DESCRIBED, description)
        market, rules = _receive_market(host)
        host.close_input()
        clock.start()
        child.resume(len(market.symbols))
        ledger = simulate(market, rules, child.decide)
        clock.pause()
        return ledger, None
    except RunFailed as failure:
        signal.setitimer(signal.ITIMER_REAL, 0)
        return None, failure


def _receive_market(host: HostChannel) -> tuple[Market, Rules]:
    wire = host.receive_json(protocol.RULES)
    days, _, bars = protocol.unpack_prices(host.receive(protocol.PRICES))
    market = Market(
        days=days,
        symbols=tuple(wire["symbols"]),
        bars=bars,
        last_period_complete=wire["last_period_complete"],
    )
    rules = Rules(
        bar_size=BarSize(wire["bar_size"]),
        execution=ExecutionTiming(wire["execution"]),
        initial_capital=wire["initial_capital"],
        min_trade_value=wire["min_trade_value"],
        commission=commission_from_wire(wire["commission"]),
        slippage=slippage_from_wire(wire["slippage"]),
    )
    return market, rules


def _pack(ledger: Ledger) -> bytes:
    orders = ledger.orders
    columns = (orders.day, orders.symbol, orders.shares, orders.price, orders.fee)
    return protocol.pack_ledger(columns, (ledger.cash, ledger.equity), ledger.decisions)


def _unfilled_to_wire(entry: Any) -> list[Any]:
    return [entry.symbol, entry.reason, entry.first_day, entry.last_day, entry.count]


if __name__ == "__main__":
    main()
    sys.exit(0)
