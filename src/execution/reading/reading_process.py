"""Reads strategies in a helper process that can be killed, because a parser is a target too.

The analysis bounds its input, but a call into Python's parser or compiler cannot be interrupted from inside.
A reading that takes too much time or memory costs only the helper process, which is replaced, and the author
gets an ordinary violation.
"""

import json
import logging
import os
import resource
import signal
import struct
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import asdict, replace
from typing import IO, Any

from hqg_algorithms import BarSize, Cadence, ExecutionTiming

from src.execution.reading.analysis import Violation
from src.execution.reading.reading import Reading, read
from src.execution.reading.strategy_source import DeclaredParameters, StrategyDescription
from src.execution.sandbox.base import BoxClosed
from src.execution.sandbox.pipe import close_all, read_some, write_all
from src.utils.deadline import Deadline, DeadlinePassed

logger = logging.getLogger(__name__)

READING_SECONDS = 2.0
"""Processor time. Ordinary strategies take milliseconds; the slowest that the rules allow take half a second."""

WAIT_SECONDS = 20.0
"""Limit on the helper's start and on each answer, in elapsed time; generous, because the machine may be busy."""

MEMORY_BYTES = 512 * 1024 * 1024
MAX_ANSWER_BYTES = 1_000_000

_LENGTH = struct.Struct("<I")
_READY = b"R"


class ReadingProcess:
    """Reads one source at a time in a warm helper process. Safe to call from several threads.

    Args:
        reading_seconds: processor time after which the helper is killed.
        wait_seconds: elapsed time after which it is killed.
    """

    def __init__(self, *, reading_seconds: float = READING_SECONDS, wait_seconds: float = WAIT_SECONDS) -> None:
        self._reading_seconds = reading_seconds
        self._wait_seconds = wait_seconds
        self._lock = threading.Lock()
        self._helper: subprocess.Popen[bytes] | None = None

    def __call__(self, source: str) -> Reading:
        """The reading, or a violation if the source cannot be read within bounds."""
        with self._lock:
            started = time.perf_counter()
            try:
                reading = self._ask(source)
                return replace(reading, seconds=time.perf_counter() - started)
            except (DeadlinePassed, BoxClosed, ValueError, KeyError, TypeError) as error:
                logger.warning("replacing the reading helper: %s", type(error).__name__)
                took_too_long = self._end() == -signal.SIGPROF or isinstance(error, DeadlinePassed)
                return Reading(None, (_unreadable(took_too_long, self._reading_seconds),))

    def warm_up(self) -> None:
        """Start the helper now, so that the first reading does not wait for it."""
        with self._lock, suppress(DeadlinePassed, BoxClosed):
            self._started()

    def close(self) -> None:
        """End the helper."""
        with self._lock:
            self._end()

    def _ask(self, source: str) -> Reading:
        helper = self._started()
        deadline = self._deadline()
        payload = source.encode("utf-8", "surrogatepass")
        write_all(_pipe(helper.stdin).fileno(), _LENGTH.pack(len(payload)) + payload, deadline)
        (length,) = _LENGTH.unpack(_read_exactly(helper, _LENGTH.size, deadline))
        if length > MAX_ANSWER_BYTES:
            raise ValueError("the helper's answer is too long")
        return _from_wire(json.loads(_read_exactly(helper, length, deadline)))

    def _deadline(self) -> Deadline:
        return Deadline.after(self._wait_seconds)

    def _started(self) -> "subprocess.Popen[bytes]":
        if self._helper is None or self._helper.poll() is not None:
            self._end()
            # -P: the helper must not import from the folder that it is started in.
            command = [sys.executable, "-P", "-c", f"import sys; sys.path[:] = {sys.path!r}\n" + _PROGRAM]
            self._helper = subprocess.Popen(  # noqa: S603 - our own program
                [*command, str(self._reading_seconds)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={"PYTHONHASHSEED": "0", "LD_LIBRARY_PATH": os.environ.get("LD_LIBRARY_PATH", "")},
                start_new_session=True,
            )
            os.set_blocking(_pipe(self._helper.stdin).fileno(), False)
            _read_exactly(self._helper, len(_READY), self._deadline())
        return self._helper

    def _end(self) -> int | None:
        """End the helper. Returns its exit status, negative for a signal; None if there was no helper."""
        helper, self._helper = self._helper, None
        if helper is None:
            return None
        helper.kill()
        close_all(helper.stdin, helper.stdout)
        return helper.wait()


_PROGRAM = "from src.execution.reading.reading_process import serve; serve()"


def serve() -> None:
    """Run the helper: read sources from standard input until it ends, and answer on standard output."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    questions, answers = sys.stdin.buffer, sys.stdout.buffer
    read("x = 1")  # does the imports and compilation of a first reading in advance
    answers.write(_READY)
    answers.flush()
    reading_seconds = float(sys.argv[1])
    while header := questions.read(_LENGTH.size):
        (length,) = _LENGTH.unpack(header)
        source = questions.read(length).decode("utf-8", "surrogatepass")
        # The kernel kills the process when this time is used up, even inside a call: SIGPROF has no handler here.
        signal.setitimer(signal.ITIMER_PROF, reading_seconds)
        payload = json.dumps(_to_wire(read(source))).encode("ascii")
        signal.setitimer(signal.ITIMER_PROF, 0)
        answers.write(_LENGTH.pack(len(payload)) + payload)
        answers.flush()


def _unreadable(took_too_long: bool, seconds: float) -> Violation:
    why = f"more than {seconds:g} s" if took_too_long else "too much memory"
    return Violation("too-complex", f"Reading the code takes {why}: simplify it", 1, 1, 1, 1)


def _to_wire(reading: Reading) -> dict[str, Any]:
    description = reading.description
    wire = None
    if description is not None:
        cadence = description.cadence
        wire = asdict(description) | {
            "cadence": None if cadence is None else [cadence.bar_size.value, cadence.execution.value]
        }
    return {"description": wire, "violations": [asdict(violation) for violation in reading.violations]}


def _from_wire(wire: dict[str, Any]) -> Reading:
    violations = tuple(Violation(**violation) for violation in wire["violations"])
    description = wire["description"]
    if description is None:
        return Reading(None, violations)
    cadence = description["cadence"]
    universe, parameters = description["universe"], description["parameters"]
    values = description | {
        "universe": None if universe is None else tuple(universe),
        "cadence": None if cadence is None else Cadence(BarSize(cadence[0]), ExecutionTiming(cadence[1])),
        "parameters": parameters and DeclaredParameters(parameters["defaults"], Violation(**parameters["place"])),
    }
    return Reading(StrategyDescription(**values), violations)


def _read_exactly(helper: "subprocess.Popen[bytes]", length: int, deadline: Deadline) -> bytes:
    data = bytearray()
    while len(data) < length:
        data += read_some(_pipe(helper.stdout).fileno(), length - len(data), deadline)
    return bytes(data)


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise BoxClosed("the helper has no such pipe")
    return stream
