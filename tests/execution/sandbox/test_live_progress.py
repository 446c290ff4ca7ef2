"""Progress reports of real boxes during their runs, on every backend."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from src.errors import RunCancelled, RunTimedOut, StrategyFailed
from src.execution.sandbox.base import Sandbox
from src.execution.session.progress import Observe
from src.execution.session.reply import Reply
from src.execution.session.session import Job, Session
from src.utils.deadline import Deadline
from tests.execution.box_runs import LONG_SECONDS, PRELUDE, price_table, rules

COUNTING = "self.n = getattr(self, 'n', 0) + 1"


def source(*lines: str) -> str:
    body = "\n".join(f"        {line}" for line in lines)
    return f"import os, sys, time\n{PRELUDE}class Mine(Base):\n    def on_data(self, data, portfolio):\n{body}\n"


def observed(
    sandbox: Sandbox,
    strategy: str,
    observe: Observe | None,
    *,
    n_days: int = 20,
    wall_seconds: float = LONG_SECONDS,
    deadline: Deadline | None = None,
) -> Reply:
    job = Job(strategy, "Mine", False, {}, 0, wall_seconds)
    with Session(sandbox, job, deadline or Deadline.after(2 * LONG_SECONDS)) as session:
        session.describe()
        return session.run(price_table(n_days), rules(), observe)


class Witness:
    """Records its calls and their times."""

    def __init__(self) -> None:
        self.days: list[int] = []
        self.equities: list[float] = []
        self.lines: list[str] = []
        self.times: list[float] = []

    def __call__(self, day: int, equity: float, lines: Sequence[str]) -> None:
        self.days.append(day)
        self.equities.append(equity)
        self.lines += lines
        self.times.append(time.monotonic())


def watched_until(sandbox: Sandbox, strategy: str, has_seen_enough: Callable[[Witness], bool]) -> Witness:
    """The witness of an endless run, which is cancelled once it has seen enough."""
    witness = Witness()
    deadline = Deadline.after(LONG_SECONDS)

    def observe(day: int, equity: float, lines: Sequence[str]) -> None:
        witness(day, equity, lines)
        if has_seen_enough(witness):
            deadline.cancel.set()

    with pytest.raises(RunCancelled):
        observed(sandbox, strategy, observe, wall_seconds=2 * LONG_SECONDS, deadline=deadline)
    return witness


def test_a_slow_strategys_progress_is_reported_bar_by_bar(sandbox: Sandbox) -> None:
    witness = Witness()
    strategy = source(COUNTING, "print('bar', self.n)", "time.sleep(0.3)", "return super().on_data(data, portfolio)")
    reply = observed(sandbox, strategy, witness, n_days=6)
    # On a busy machine a slow bar may be reported twice, or a slow report may leave a bar out.
    equities = dict(zip(witness.days, witness.equities, strict=True))
    assert len(equities) >= 3
    assert list(equities) == sorted(equities)
    assert list(reply.logs) == [f"bar {n}" for n in range(1, 7)]
    assert witness.lines == list(reply.logs)[: len(witness.lines)]
    # The reported equity is before the fills at the close; without costs it equals the books'.
    assert list(equities.values()) == pytest.approx([reply.equity[day] for day in equities], rel=1e-12)


def test_a_quick_strategys_progress_is_reported_at_most_ten_times_per_second(sandbox: Sandbox) -> None:
    witness, began = Witness(), time.monotonic()
    observed(sandbox, source("time.sleep(0.002)", "return Hold()"), witness, n_days=500)
    # The run lasts at least a second.
    assert 2 <= len(witness.days) <= 10 * (time.monotonic() - began) + 2
    assert witness.days == sorted(set(witness.days))


def test_progress_arrives_during_the_first_decision(sandbox: Sandbox) -> None:
    witness = watched_until(sandbox, source("print('here')", "time.sleep(1000)"), lambda seen: bool(seen.lines))
    assert (set(witness.days), witness.lines) == ({0}, ["here"])


def test_lines_printed_during_a_long_decision_are_reported_at_once(sandbox: Sandbox) -> None:
    strategy = source("for n in range(10_000):", "    print(n); time.sleep(0.1)")
    witness = watched_until(sandbox, strategy, lambda seen: len(seen.times) >= 4)
    assert set(witness.days) == {0}
    assert witness.lines == [str(n) for n in range(len(witness.lines))]


def test_a_line_is_reported_once_it_is_complete(sandbox: Sandbox) -> None:
    strategy = source(
        "for piece in ('on', 'e\\ntw', 'o €'.encode()[:-1], b'\\xac\\nthree'):",
        "    sys.stdout.buffer.write(piece if isinstance(piece, bytes) else piece.encode()); sys.stdout.flush()",
        "    time.sleep(0.2)",
        "time.sleep(1000)",
    )
    ends = []

    def is_reported_again(seen: Witness) -> bool:
        if len(seen.lines) >= 2:
            ends.append(len(seen.times))
        return len(ends) > 1

    assert watched_until(sandbox, strategy, is_reported_again).lines == ["one", "two €"]


def facts(value: Any) -> Any:
    """A member of a reply, comparable."""
    if isinstance(value, Mapping):
        return {name: facts(member) for name, member in value.items()}
    return value.tobytes() if isinstance(value, np.ndarray) else value


def test_the_reply_is_the_same_with_and_without_an_observer(sandbox: Sandbox) -> None:
    strategy = source(
        COUNTING,
        "print(self.n, random.random())",
        "time.sleep(0.001)",
        "return TargetWeights({'AAA': random.random() / 2, 'BBB': 0.3})",
    ).replace("import os", "import random, os")
    witness = Witness()
    replies = [observed(sandbox, strategy, observe, n_days=400) for observe in (None, witness)]
    alone, watched = ({name: repr(facts(value)) for name, value in vars(reply).items()} for reply in replies)
    assert alone == watched
    assert witness.days
    assert witness.lines == list(replies[1].logs)[: len(witness.lines)]


def test_a_failure_keeps_all_logs_which_begin_with_the_reported_lines(sandbox: Sandbox) -> None:
    witness = Witness()
    strategy = source("print('a'); time.sleep(0.4); print('b')", "raise ValueError('no')")
    with pytest.raises(StrategyFailed) as caught:
        observed(sandbox, strategy, witness)
    assert caught.value.logs == ["a", "b"]
    assert witness.lines == ["a", "b"][: len(witness.lines)]
    assert not caught.value.timed_out


def test_an_observed_run_that_exceeds_its_time_limit_reports_it(sandbox: Sandbox) -> None:
    with pytest.raises(StrategyFailed) as caught:
        observed(sandbox, source("while True: pass"), Witness(), wall_seconds=1.0)
    assert caught.value.timed_out
    assert caught.value.errors == ["time limit of 1 s exceeded at 2014-01-01"]


def test_a_host_that_does_not_read_costs_the_run_no_time(sandbox: Sandbox) -> None:
    """The observer blocks for longer than the time limit, and the run still completes within it."""
    n_calls = 0

    def observe(day: int, equity: float, lines: Sequence[str]) -> None:
        nonlocal n_calls
        n_calls += 1
        time.sleep(6.0 if n_calls == 1 else 0.0)

    # Ten frames of 60,000 bytes per second: more than the pipes and sockets in between can hold.
    strategy = source("for _ in range(10): print(chr(1) * 1_999)", "time.sleep(0.05)", "return Hold()")
    reply = observed(sandbox, strategy, observe, n_days=30, wall_seconds=5.0)
    assert reply.decisions == 30
    assert reply.lost_output_bytes > 0


def test_a_cancel_ends_an_observed_run_that_prints(sandbox: Sandbox) -> None:
    strategy = source("time.sleep(0.1)", "print('x' * 1000)", "return Hold()")
    assert watched_until(sandbox, strategy, lambda seen: seen.days[-1] >= 5).days[-1] < 19


def test_a_deadline_ends_an_observed_run(sandbox: Sandbox) -> None:
    strategy = source("time.sleep(1000)")
    with pytest.raises(RunTimedOut):
        observed(sandbox, strategy, Witness(), deadline=Deadline.after(1.0))


def test_a_flood_of_lines_is_reported_in_bounded_frames_and_the_run_succeeds(sandbox: Sandbox) -> None:
    witness = Witness()
    strategy = source(COUNTING, "for _ in range(400): print('l' * (self.n % 50))", "time.sleep(0.01)", "return Hold()")
    reply = observed(sandbox, strategy, witness, n_days=60)
    assert witness.lines == list(reply.logs)[: len(witness.lines)]
    assert len(reply.logs) > 1_000


def descriptors_for(flags: str) -> tuple[str, ...]:
    return (
        "for pid in {os.getppid(), 1, os.getpid()}:",
        "    for number in range(64):",
        "        if pid == os.getpid() and number < 5: continue  # its own three pipes",
        "        try: print('opened', pid, number, os.open(f'/proc/{pid}/fd/{number}', " + flags + "))",
        "        except OSError: pass",
        "for number in range(5, 256):",
        "    try: print('wrote', number, os.write(number, b'G'))",
        "    except OSError: pass",
    )


@pytest.mark.parametrize("flags", ["os.O_WRONLY", "os.O_RDWR", "os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK"])
def test_only_the_runner_can_write_to_the_host(sandbox: Sandbox, flags: str) -> None:
    strategy = source("time.sleep(0.2)", *descriptors_for(flags), "print('looked')", "return Hold()")
    assert observed(sandbox, strategy, Witness(), n_days=2).logs == ("looked", "looked")


def test_the_last_frames_nonce_is_not_in_the_strategys_memory(sandbox: Sandbox) -> None:
    strategy = source(
        "import gc",
        "gc.unfreeze()",
        "words = [w for thing in gc.get_objects() if isinstance(thing, dict) for w in list(thing) if type(w) is str]",
        "print('nonce' in words, 'class_name' in words)",
        "return Hold()",
    )
    assert observed(sandbox, strategy, None, n_days=1).logs == ("False True",)


def test_the_strategys_threads_do_not_disturb_progress_reports(sandbox: Sandbox) -> None:
    witness = Witness()
    strategy = source(
        "import threading",
        "prints = lambda: [print('t' * 10) or time.sleep(0.01) for _ in range(1000)]",
        "threading.Thread(target=prints, daemon=True).start()",
        "time.sleep(0.5)",
        "return Hold()",
    )
    reply: Any = observed(sandbox, strategy, witness, n_days=3)
    assert witness.lines == list(reply.logs)[: len(witness.lines)]
    assert len(witness.times) >= 3
