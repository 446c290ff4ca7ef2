"""The runner's handle on the strategy process: forks, calls, stops and ends it."""

import ctypes
import json
import math
import os
import signal
import struct
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from src.engine.market import Doubles
from src.engine.simulator import ProtectedWeights
from src.execution.runner import answers, strategy_process
from src.execution.runner.annotations import MAX_BYTES, Record
from src.execution.runner.errors import RunFailed
from src.execution.runner.output import OutputReader
from src.execution.runner.pipes import read_exactly, write_all
from src.execution.runner.signals import TOLERANCE
from src.execution.runner.thread_watch import MAX_THREADS, ThreadWatch
from src.execution.runner.views import Asked, asked, frame_packer

KEEP_OUTPUT_BYTES = 256 * 1024
FLOOD_BYTES = 16 * 1024 * 1024

_WEIGHTS = strategy_process.WEIGHTS
_WITH_WEIGHTS = (_WEIGHTS, strategy_process.PROTECTED)
_DAY_SECONDS = 86_400.0
_ANNOTATED_HEAD = 5
_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_DEATH_SECONDS = 2.0
_OWN_FAULT = 70


class StrategyChild:
    """One strategy process.

    Attributes:
        mark: timeline index of the latest decision, and the equity at that close; None before the first. One
            object, so that another thread never sees half of it.
        output: its printed output.
        record: what it said beside its decisions.
    """

    def __init__(self, pid: int, orders: int, answers: int, output: int) -> None:
        self._pid = pid
        self._orders = orders
        self._answers = answers
        self._pack: Callable[..., bytes] = struct.pack
        self._days: Sequence[int] = ()
        self._n_earlier = 0
        self._warm_up_day: int | None = None
        self._asked = Asked()
        self._unpack_weights: Callable[..., tuple[float, ...]] = struct.unpack_from
        self._answer_bytes = 0
        self._gross: Callable[[Sequence[float]], float] = sum
        self._least_weight, self._most_gross = 0.0, 1.0 + TOLERANCE
        self._is_gone = False
        self.record = Record()
        self.mark: tuple[int, float] | None = None
        self.output = OutputReader(output, keep_bytes=KEEP_OUTPUT_BYTES, flood_bytes=FLOOD_BYTES, on_flood=self._kill)
        self._threads = ThreadWatch(pid, on_excess=self._kill)

    @classmethod
    def fork(cls) -> "StrategyChild":
        """Fork the strategy process. At this point memory holds only our own code."""
        orders_in, orders = os.pipe()
        answers, answers_out = os.pipe()
        output, output_in = os.pipe()
        pid = os.fork()
        if pid == 0:
            _become_strategy_process(orders_in, answers_out, output_in)
        for descriptor in (orders_in, answers_out, output_in):
            os.close(descriptor)
        forbid_inspection()
        return cls(pid, orders, answers, output)

    def wait_until_it_is_ready(self) -> None:
        """Return once it has imported its preloaded modules.

        Raises:
            RunFailed: it ended instead.
        """
        self._read(1)

    def load(self, job: dict[str, Any]) -> dict[str, Any]:
        """Make it load the job's source. Returns its unchecked description of itself.

        Raises:
            RunFailed: the source raised, or the process ended.
        """
        self._asked = asked(job["source"])
        payload = json.dumps(job).encode("ascii")
        self._write(len(payload).to_bytes(4, "little") + payload)
        kind = self._read(1)
        if kind == strategy_process.DESCRIPTION:
            return answers.read_description(self._payload(self._read(4)))
        raise self._user_error(kind)

    def pin(self, slot: int) -> None:
        """Run both processes on one core, which halves the cost of passing a bar between them."""
        with suppress(OSError):
            cores = sorted(os.sched_getaffinity(0))
            core = {cores[slot % len(cores)]}
            os.sched_setaffinity(self._pid, core)
            os.sched_setaffinity(0, core)

    def watch_threads(self) -> None:
        """From now on, end it when it has more than MAX_THREADS threads."""
        self._threads.start()

    def stop(self) -> None:
        """Stop it and every process that it started, and return when it has stopped.

        Raises:
            RunFailed: it ended instead.
        """
        self._signal_all(signal.SIGSTOP)
        _, status = os.waitpid(self._pid, os.WUNTRACED)
        if not os.WIFSTOPPED(status):
            raise self._death(status)

    def check_that_it_stood_still(self) -> None:
        """Check that it has not run since `stop`: the kernel reports each time a process continues.

        Raises:
            RunFailed: it continued, or it ended.
        """
        pid, status = os.waitpid(self._pid, os.WNOHANG | os.WUNTRACED | os.WCONTINUED)
        if pid and os.WIFCONTINUED(status):
            raise RunFailed("crashed", message="it ran while prices arrived")
        if pid and not os.WIFSTOPPED(status):
            raise self._death(status)

    def resume(
        self,
        symbols_count: int,
        days: Sequence[int],
        allow_short: bool = False,
        max_gross: float = 1.0,
        n_earlier: int = 0,
    ) -> None:
        """Let it continue, now returning weights for that many symbols on the days of this timeline.

        Args:
            allow_short, max_gross: the limits of its weights, see src.engine.market.Rules.
            n_earlier: number of days of a warm-up before these.
        """
        self._most_gross = max_gross + TOLERANCE
        if allow_short:
            self._gross, self._least_weight = _sum_of_sizes, -self._most_gross
        self._n_earlier = n_earlier
        self._pack, self._days = frame_packer(symbols_count, self._asked), days
        weights = struct.Struct(f"={symbols_count}d")
        self._unpack_weights, self._answer_bytes = weights.unpack_from, 1 + weights.size
        self._signal_all(signal.SIGCONT)

    def decide(
        self,
        day: int,
        bars: Doubles,
        equity: float,
        cash: float,
        shares: Sequence[float],
        marks: Sequence[float],
        average_costs: Callable[[], Sequence[float]],
    ) -> Sequence[float] | None:
        """Request one decision: see src.engine.simulator.Decide.

        Raises:
            RunFailed: user code raised, gave an invalid reply or ended.
        """
        self.mark = (day, equity)
        # Only this day's date: a later one would tell of a holiday, or that a symbol goes on.
        seconds = self._days[day] * _DAY_SECONDS
        return self._ask(self._pack(seconds, False, bars, equity, cash, shares, marks, average_costs))

    def warm_up(self, day: int, date: int, bars: Doubles, capital: float, marks: Sequence[float]) -> None:
        """Show it one bar before the books begin, with the account that it will begin with, and ignore its signal.

        Args:
            day: index into the timeline with its warm-up.
            date: that day, as days since 1970-01-01.

        Raises:
            RunFailed: see `decide`.
        """
        self._warm_up_day = day
        nothing, unpaid = [0.0] * len(marks), [math.nan] * len(marks)
        self._ask(self._pack(date * _DAY_SECONDS, True, bars, capital, capital, nothing, marks, lambda: unpaid))

    def _ask(self, frame: bytes) -> Sequence[float] | None:
        """Send a frame and return the target weights; None to hold."""
        try:
            os.write(self._orders, frame)
            answer = os.read(self._answers, self._answer_bytes)
        except BrokenPipeError:
            answer = b""
        if answer[:1] == strategy_process.ANNOTATED:
            answer = self._take_annotations(answer)
        if answer == strategy_process.HOLD:
            return None
        kind = answer[:1]
        if kind not in _WITH_WEIGHTS:
            raise self._failure(answer)
        if len(answer) < self._answer_bytes:
            answer += self._read(self._answer_bytes - len(answer))
        weights = self._unpack_weights(answer, 1)
        # The strategy process makes this check first, with a better message; this is for one that does not. A sum
        # with a NaN is NaN, which is not below the bound either.
        if not (min(weights) >= self._least_weight and self._gross(weights) <= self._most_gross):
            raise RunFailed("signal", message=self._limits())
        return weights if kind == _WEIGHTS else self._protected(weights)

    def _take_annotations(self, start: bytes) -> bytes:
        """Keep the message that precedes a reply, and return the start of the reply."""
        start += self._read(max(0, _ANNOTATED_HEAD - len(start)))
        length = int.from_bytes(start[1:_ANNOTATED_HEAD], "little")
        if length > MAX_BYTES:
            raise RunFailed("malformed")
        start = start[_ANNOTATED_HEAD:]
        start += self._read(max(0, length - len(start)))
        day = self.day
        self.record.take(start[:length], 0 if day is None else day, None if self.mark is None else self.mark[0])
        return start[length:] or os.read(self._answers, self._answer_bytes)

    def _protected(self, weights: Sequence[float]) -> ProtectedWeights:
        """The weights with the levels that follow them in the reply."""
        count = 3 * len(weights)
        levels = struct.unpack(f"={count}d", self._read(8 * count))
        if not all(
            0.0 <= loss < 1.0 and 0.0 <= gain < math.inf and 0.0 <= trail < 1.0
            for loss, gain, trail in _triples(levels)
        ):
            raise RunFailed("signal", message="each level must be a fraction of at least 0, and of a stop below 1")
        return ProtectedWeights(weights, _triples(levels))

    def _limits(self) -> str:
        most = self._most_gross - TOLERANCE
        if self._least_weight < 0:
            return f"the sizes of the weights must sum to at most {most:g}"
        return f"each weight must be at least 0 and their sum at most {most:g}"

    @property
    def day(self) -> int | None:
        """Index of the latest decision's day into the timeline with its warm-up, None before the first."""
        return self._warm_up_day if self.mark is None else self.mark[0] + self._n_earlier

    def end(self) -> None:
        """Kill it and every process that it started, and reap it."""
        self._threads.stop()
        self._kill()
        if not self._is_gone:
            with suppress(ChildProcessError):
                os.waitpid(self._pid, 0)
            self._is_gone = True

    def _write(self, data: bytes) -> None:
        try:
            write_all(self._orders, data)
        except BrokenPipeError:
            raise self._death_of_silence() from None

    def _read(self, length: int) -> bytes:
        try:
            return read_exactly(self._answers, length)
        except EOFError:
            raise self._death_of_silence() from None

    def _failure(self, answer: bytes) -> RunFailed:
        if not answer:
            return self._death_of_silence()
        return self._user_error(answer[:1], answer[1:])

    def _user_error(self, kind: bytes, start: bytes = b"") -> RunFailed:
        """The failure that an error frame reports.

        Args:
            start: the bytes of the frame already read by a read sized for weights.
        """
        if kind != strategy_process.ERROR:
            return RunFailed("malformed")
        head = start[:4] + (self._read(4 - len(start)) if len(start) < 4 else b"")
        return answers.read_error(self._payload(head, start[4:]))

    def _payload(self, head: bytes, start: bytes = b"") -> bytes:
        length = answers.payload_length(head)
        return start + (self._read(length - len(start)) if length > len(start) else b"")

    def _death_of_silence(self) -> RunFailed:
        """Why the pipe closed: wait a moment for the process to end, then read its status."""
        give_up = time.monotonic() + _DEATH_SECONDS
        while True:
            # Checked before the clock: a box that was delayed for longer must not miss a death that has happened.
            has_waited_enough = time.monotonic() > give_up
            pid, status = os.waitpid(self._pid, os.WNOHANG)
            if pid:
                return self._death(status)
            if has_waited_enough:
                return RunFailed("silent")
            time.sleep(0.005)

    def _death(self, status: int) -> RunFailed:
        self._is_gone = True
        if self.output.has_flooded:
            return RunFailed("output", limit_bytes=FLOOD_BYTES)
        if self._threads.has_exceeded:
            return RunFailed("threads", limit=MAX_THREADS)
        if os.WIFEXITED(status):
            return RunFailed("exited", code=os.WEXITSTATUS(status))
        number = os.WTERMSIG(status)
        # SIGKILL comes from the kernel, out of memory, or from the strategy itself. The host can tell which.
        return RunFailed("killed" if number == signal.SIGKILL else "crashed", signal=signal.Signals(number).name)

    def _kill(self) -> None:
        self._signal_all(signal.SIGKILL)

    def _signal_all(self, number: int) -> None:
        with suppress(ProcessLookupError, PermissionError):
            if os.getpid() == 1:
                # This is process 1 of the box: -1 means every other process in it, including grandchildren.
                os.kill(-1, number)
            else:
                os.killpg(self._pid, number)


def _triples(numbers: Sequence[float]) -> list[tuple[float, float, float]]:
    return list(zip(*[iter(numbers)] * 3, strict=True))


def _sum_of_sizes(weights: Sequence[float]) -> float:
    return sum(map(abs, weights))


def _become_strategy_process(orders_in: int, answers_out: int, output: int) -> None:
    """In the child: close everything but three pipes, then serve. Never returns."""
    try:
        os.setpgid(0, 0)
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        with suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:  # noqa: PTH123
            # Out of memory, the kernel must kill this process and not the runner, which reports it.
            file.write("1000")
        forbid_inspection()
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        orders_in, answers_out = _keep_only(orders_in, answers_out)
        strategy_process.preload(answers_out)
        strategy_process.serve(orders_in, answers_out)
        os._exit(0)
    finally:
        # Only our own errors reach this line: exceptions in user code become replies.
        sys.excepthook(*sys.exc_info())
        os._exit(_OWN_FAULT)


def _keep_only(*descriptors: int) -> tuple[int, ...]:
    """Move the descriptors to 3, 4, … and close everything above."""
    high = [os.dup(descriptor) for descriptor in descriptors]
    kept = tuple(range(3, 3 + len(high)))
    parked = [os.dup2(descriptor, 100 + index) for index, descriptor in enumerate(high)]
    for target, descriptor in zip(kept, parked, strict=True):
        os.dup2(descriptor, target)
    os.closerange(3 + len(kept), 65_536)
    return kept


def forbid_inspection() -> None:
    """Make this process not dumpable: no ptrace, no /proc/PID/mem, no /proc/PID/fd for others of its user."""
    _prctl(_PR_SET_DUMPABLE, 0)


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl failed")
