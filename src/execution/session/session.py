"""The host's side of one run: starts a box, sends the job, and checks every reply.

A session serves one run. It returns a box's reply only after checking its form and bounds. The audit checks the
books.
"""

import itertools
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, NamedTuple, Protocol, Self

import numpy as np
import numpy.typing as npt
from hqg_algorithms import BarSize, Cadence, ExecutionTiming

from src.engine.ledger import MAX_LEVEL_CHANGES
from src.engine.market import MAX_WARMUP_BARS
from src.errors import RunCancelled, RunTimedOut, StrategyFailed
from src.execution import protocol
from src.execution.sandbox.base import PACKAGES, Box, BoxClosed, Sandbox
from src.execution.session.box_clock import BoxClock
from src.execution.session.failure import Failure, failure_errors, failure_from_wire, failure_traceback
from src.execution.session.progress import MAX_LOG_LINES, Observe, ProgressFrames
from src.execution.session.reply import Reply, read_line_days, read_plots, read_reply
from src.execution.text import printable
from src.utils.deadline import Deadline, DeadlinePassed, WaitCancelled
from src.utils.symbols import MAX_UNIVERSE_SYMBOLS, SYMBOL_PATTERN

GRACE_SECONDS = 10.0
"""How much longer than wall_seconds the host waits: a box at its time limit must still send books and logs."""

MAX_ORDERS = 1_500_000
"""200 symbols traded every day for 25 years give 1.26 million orders."""
READ_CHUNK_BYTES = 1 << 20

_EPOCH = np.datetime64("1970-01-01", "D")
_slots = itertools.count()


class Prices(Protocol):
    """The part of a price table that a session needs: see src.services.data_provider.base.PriceTable."""

    @property
    def dates(self) -> npt.NDArray[np.datetime64]: ...
    @property
    def symbols(self) -> tuple[str, ...]: ...
    @property
    def bars(self) -> npt.NDArray[np.float64]: ...


@dataclass(frozen=True)
class Job:
    """The data that a box needs to load a strategy, without prices.

    Attributes:
        source: the user's code, already analysed.
        class_name: the strategy class in the source.
        needs_prelude: whether the source uses the interface's names without importing them.
        parameters: the values that `import config` gives.
        seed: for `random` and NumPy.
        wall_seconds: limit on loading and running, not counting waits for the host. The box measures this time,
            and so does the host, in case the box cannot.
        universe: tickers to trade in place of the strategy's own; None uses its own.
        max_orders: a run with more orders fails.
        allow_short, max_gross: limits of its weights, see src.engine.market.Rules.
    """

    source: str
    class_name: str
    needs_prelude: bool
    parameters: Mapping[str, Any]
    seed: int
    wall_seconds: float
    universe: tuple[str, ...] | None = None
    max_orders: int = MAX_ORDERS
    allow_short: bool = False
    max_gross: float = 1.0


class Description(NamedTuple):
    """What a running strategy says of itself.

    Attributes:
        universe: tickers, upper-case and unique.
        cadence: how often it is called and when orders fill.
        warmup_bars: the class's, in calls of on_data before the run.
    """

    universe: tuple[str, ...]
    cadence: Cadence
    warmup_bars: int = 0


@dataclass
class Session:
    """One box and one run in it. A context manager that destroys the box on exit.

    Args:
        sandbox: builds the box.
        job: the job for the box.
        deadline: the request's.
        grace_seconds: how much longer than the job's wall_seconds the box may take for loading and running together.
    """

    sandbox: Sandbox
    job: Job
    deadline: Deadline
    grace_seconds: float = GRACE_SECONDS
    _nonce: str = field(default_factory=lambda: secrets.token_hex(16))
    _price_key: bytes = field(default_factory=lambda: secrets.token_bytes(protocol.PRICE_KEY_BYTES))
    _box: Box | None = None
    _is_ending: bool = False
    _dates: npt.NDArray[np.datetime64] | tuple[()] = ()
    _all_dates: npt.NDArray[np.datetime64] | tuple[()] = ()
    _symbols: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self._clock = BoxClock(self.job.wall_seconds + self.grace_seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._box is not None:
            self._box.close(is_ending=self._is_ending)

    def describe(self) -> "Description":
        """Start the box and load the strategy in it. Returns its description, checked.

        Raises:
            StrategyFailed: it does not load, or its description is impossible.
            SandboxUnavailable, RunTimedOut, RunCancelled
        """
        self._box = self.sandbox.open(
            preload=list(dict.fromkeys(module for name, module in PACKAGES.items() if name in self.job.source))
        )
        self._send(protocol.json_frame(protocol.JOB, self._job_wire()))
        limits = {
            protocol.READY: 1000,
            protocol.DESCRIBED: 100_000,
            protocol.FINISHED: protocol.MAX_JSON_BYTES,
        }
        kind, payload = self._receive(limits)
        if kind == protocol.READY:
            self._check_version(payload)
            with self._clock:
                kind, payload = self._receive({k: v for k, v in limits.items() if k != protocol.READY})
        if kind == protocol.FINISHED:
            self._finish(payload)
            raise self._broken("it finished before it received prices")
        if kind != protocol.DESCRIBED:
            raise self._broken("it did not describe itself")
        return self._description(payload)

    def run(
        self,
        prices: Prices,
        rules: Mapping[str, Any],
        observe: Observe | None = None,
        warm_up: Prices | None = None,
    ) -> Reply:
        """Run the strategy over the prices.

        Args:
            prices: exactly the universe that the strategy described.
            rules: wire form of the engine's rules plus last_period_complete.
            observe: called in this thread during the run, at most ten times per second with an honest box and
                never more than twenty times, with the box's unaudited claims: the day reached, that day's equity,
                and the lines printed since the previous call (a new list). The lines of all calls together are the
                first of the logs in the reply or StrategyFailed, whose logs are empty if the box vanished. The
                reply is the same with and without an observer.
            warm_up: earlier bars of the same symbols, which the strategy sees before its books begin.

        Raises:
            StrategyFailed: it raised, hung or exceeded a limit, or the box's reply has the wrong form.
            RunTimedOut, RunCancelled
        """
        self._symbols = prices.symbols
        self._dates, parts = prices.dates, [prices] if warm_up is None else [warm_up, prices]
        self._all_dates = np.concatenate([part.dates for part in parts])
        days = (self._all_dates.astype("datetime64[D]") - _EPOCH).astype(np.int64).tolist()
        bars = b"".join(np.ascontiguousarray(part.bars, dtype="<f8").tobytes() for part in parts)
        wire = {
            "symbols": list(prices.symbols),
            **rules,
            "warm_up_days": len(days) - len(prices.dates),
            "max_orders": self.job.max_orders,
            "is_observed": observe is not None,
        }
        payloads = (
            (protocol.RULES, protocol.json_bytes(wire)),
            (protocol.PRICES, protocol.pack_prices(days, len(prices.symbols), bars)),
        )
        hidden = [protocol.frame(kind, protocol.cipher(self._price_key, kind, payload)) for kind, payload in payloads]
        with self._clock:
            return self._answer(hidden, observe)

    def _answer(self, frames: Sequence[bytes], observe: Observe | None) -> Reply:
        for frame in frames:
            self._send(frame)
        # Per symbol and day at most one order of a signal, one of a protective exit and one change of its levels.
        n_cells, most_orders = len(self._dates) * len(self._symbols), self.job.max_orders
        most_changes = min(n_cells, MAX_LEVEL_CHANGES)
        most = protocol.ledger_bytes(min(2 * n_cells, most_orders), len(self._dates), most_changes)
        limits = {protocol.LEDGER: most, protocol.FINISHED: protocol.MAX_JSON_BYTES}
        kind, payload = self._receive(limits) if observe is None else self._observed(observe, limits)
        if kind == protocol.FINISHED:
            self._finish(payload)
            raise self._broken("it finished without a ledger")
        ledger, plots = payload, b""
        last = {protocol.FINISHED: protocol.MAX_JSON_BYTES}
        kind, payload = self._receive({**last, protocol.PLOTS: protocol.plots_bytes(len(self._dates))})
        if kind == protocol.PLOTS:
            plots = payload
            _, payload = self._receive(last)
        return self._reply(ledger, plots, self._finish(payload))

    def _observed(self, observe: Observe, limits: dict[bytes, int]) -> tuple[bytes, bytes]:
        """Read frames, passing progress to the observer, until the first of another kind."""
        progress = ProgressFrames(self._clock.pausing(observe), len(self._dates))
        limits = limits | {protocol.PROGRESS: protocol.MAX_PROGRESS_BYTES}
        while True:
            kind, payload = self._receive(limits)
            if kind != protocol.PROGRESS:
                return kind, payload
            try:
                progress.take(payload)
            except protocol.ProtocolError as error:
                raise self._broken(str(error)) from error

    def _job_wire(self) -> dict[str, Any]:
        job = self.job
        return {
            "nonce": self._nonce,
            "price_key": self._price_key.hex(),
            "source": job.source,
            "class_name": job.class_name,
            "needs_prelude": job.needs_prelude,
            "parameters": dict(job.parameters),
            "seed": job.seed,
            "wall_seconds": job.wall_seconds,
            "universe": None if job.universe is None else list(job.universe),
            "allow_short": job.allow_short,
            "max_gross": job.max_gross,
            "core": next(_slots),
            "limits": self.sandbox.strategy_limits,
        }

    def _send(self, data: bytes) -> None:
        try:
            self._open_box().write(data, self._box_deadline())
        except BoxClosed:
            # The box may have reported the reason before it ended: the next read returns it.
            return
        except (DeadlinePassed, WaitCancelled) as error:
            raise self._given_up(error) from error

    def _receive(self, limits: dict[bytes, int]) -> tuple[bytes, bytes]:
        try:
            # Checked even if data has already arrived, because an observer may have been slow.
            self.deadline.left_seconds()
            return protocol.read_frame(self._read_exactly, limits)
        except protocol.ProtocolError as error:
            raise self._broken(str(error)) from error
        except BoxClosed as error:
            raise self._died() from error
        except (DeadlinePassed, WaitCancelled) as error:
            raise self._given_up(error) from error

    def _read_exactly(self, length: int) -> bytes:
        box, data = self._open_box(), bytearray()
        while len(data) < length:
            data += box.read(min(length - len(data), READ_CHUNK_BYTES), self._box_deadline())
        return bytes(data)

    def _box_deadline(self) -> Deadline:
        return self.deadline.earlier(self._clock.ends_at)

    def _open_box(self) -> Box:
        if self._box is None:
            raise RuntimeError("the session has no box yet: describe() starts it")
        return self._box

    def _check_version(self, payload: bytes) -> None:
        if self._parse(payload).get("version") != protocol.VERSION:
            raise self._broken("it uses another version of the protocol: rebuild the sandbox image")

    def _description(self, payload: bytes) -> "Description":
        value = self._parse(payload)
        universe = value.get("universe")
        if not isinstance(universe, list) or not 0 < len(universe) <= MAX_UNIVERSE_SYMBOLS:
            raise self._broken("its universe is not a list of symbols")
        if not all(isinstance(s, str) and SYMBOL_PATTERN.fullmatch(s) for s in universe):
            raise self._broken("its universe contains an invalid symbol")
        if len(set(universe)) != len(universe):
            raise self._broken("its universe names a symbol twice")
        try:
            cadence = Cadence(BarSize(value.get("bar_size")), ExecutionTiming(value.get("execution")))
        except ValueError as error:
            raise self._broken("its cadence is invalid") from error
        warmup_bars = value.get("warmup_bars", 0)
        if type(warmup_bars) is not int or not 0 <= warmup_bars <= MAX_WARMUP_BARS:
            raise self._broken("its warm-up is invalid")
        return Description(tuple(universe), cadence, warmup_bars)

    def _finish(self, payload: bytes) -> dict[str, Any]:
        """The FINISHED value, with its common parts checked.

        Raises:
            StrategyFailed: it reports a failure.
        """
        value = self._parse(payload)
        if value.get("nonce") != self._nonce:
            raise self._broken("its last frame does not belong to this run")
        self._is_ending = True
        logs = self._logs(value)
        if value.get("error") is None:
            return {**value, "logs": logs}
        try:
            failure = failure_from_wire(value["error"], len(self._all_dates))
        except ValueError as error:
            raise self._broken(f"its error report is malformed: {error}", logs) from error
        raise self._failed(failure, logs)

    def _logs(self, value: dict[str, Any]) -> tuple[str, ...]:
        lines = value.get("logs")
        if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
            raise self._broken("its logs are not a list of lines")
        return tuple(printable(line, protocol.MAX_LINE_CHARACTERS) for line in lines[:MAX_LOG_LINES])

    def _reply(self, ledger: bytes, plots: bytes, finished: dict[str, Any]) -> Reply:
        try:
            reply = read_reply(ledger, finished, self._symbols, len(self._dates), self.job.max_orders)
            return replace(
                reply,
                plots=read_plots(plots, len(self._dates)) if plots else {},
                line_days=read_line_days(finished.get("line_days"), len(reply.logs), len(self._all_dates)),
            )
        except protocol.ProtocolError as error:
            raise self._broken(str(error)) from error

    def _parse(self, payload: bytes) -> dict[str, Any]:
        try:
            return protocol.parse_json(payload)
        except protocol.ProtocolError as error:
            raise self._broken(str(error)) from error

    def _died(self) -> StrategyFailed:
        out_of_memory = self._open_box().ran_out_of_memory()
        return self._failed(Failure("memory" if out_of_memory else "vanished"), ())

    def _broken(self, what: str, logs: Sequence[str] = ()) -> StrategyFailed:
        return self._failed(Failure("protocol", message=what), logs)

    def _given_up(self, error: DeadlinePassed | WaitCancelled) -> StrategyFailed | RunTimedOut | RunCancelled:
        if isinstance(error, WaitCancelled):
            return RunCancelled("the run was cancelled")
        if self._clock.ends_at < self.deadline.ends_at:
            # The box has its own clock for this and reports the day, unless every process in it is stopped.
            return self._failed(Failure("time"), ())
        return RunTimedOut("the box did not reply within the request's time limit")

    def _failed(self, failure: Failure, logs: Sequence[str]) -> StrategyFailed:
        if failure.kind == "killed":
            out_of_memory = self._open_box().ran_out_of_memory()
            failure = failure.of_kind("memory" if out_of_memory else "crashed")
        errors = failure_errors(
            failure,
            dates=[str(date) for date in self._all_dates],
            wall_seconds=self.job.wall_seconds,
            memory_bytes=self.sandbox.memory_bytes,
            max_orders=self.job.max_orders,
        )
        traceback = failure_traceback(failure, self.job.source)
        return StrategyFailed(
            errors,
            traceback,
            logs,
            timed_out=failure.kind == "time",
            # The machine or this service may be the cause.
            is_repeatable=failure.kind not in {"protocol", "vanished", "crashed"},
        )
