"""Attacks that try to see prices before their day, or to outlive the time limit, on every backend.

Prices arrive while the strategy process is stopped, and in cipher. Each attack here got past one of the two, or
past the time limit, when it was found.
"""

import ast
import hashlib
import os
import re
import signal
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import docker
import pytest

from src.errors import StrategyFailed
from src.execution import protocol
from src.execution.sandbox.base import Box, Sandbox
from src.execution.sandbox.bubblewrap_sandbox import BubblewrapBox
from src.execution.sandbox.docker_sandbox import DockerBox
from src.execution.sandbox.wrapped import WrappedBox, WrappedSandbox
from src.execution.session.session import Job, Session
from tests.execution.box_runs import HONEST, LONG_SECONDS, PRELUDE, long_deadline, price_table, rules, run_in_box

N_DAYS = 20
ATTEMPTS = 3

WEAPONS = '''
import ctypes, fcntl, os, signal, stat, struct, threading, time
libc = ctypes.CDLL(None, use_errno=True)
OUTPUT, TICK_SECONDS = 1, 0.002
F_SETSIG, F_SETOWN_EX = 10, 15

def attempt(do, *arguments):
    """Try each step of an attack, even if an earlier one is denied."""
    try: return do(*arguments)
    except Exception: return None

def signal_when_it_moves(descriptor, number, pid):
    attempt(fcntl.fcntl, descriptor, F_SETOWN_EX, struct.pack("=ii", 1, pid))
    attempt(fcntl.fcntl, descriptor, fcntl.F_SETOWN, pid)
    attempt(fcntl.fcntl, descriptor, F_SETSIG, number)
    attempt(fcntl.fcntl, descriptor, fcntl.F_SETFL, os.O_WRONLY | os.O_ASYNC)
    attempt(fcntl.ioctl, descriptor, 0x5452, struct.pack("=i", 1))

def wake_by_timer():
    timer = libc.timerfd_create(1, 0)
    libc.timerfd_settime(timer, 0, struct.pack("=4q", 0, 5_000_000, 0, 5_000_000), None)
    signal_when_it_moves(timer, signal.SIGCONT, os.getpid())
    event = (ctypes.c_int * 16)(0, 0, signal.SIGCONT, 0)
    timer_id = ctypes.c_void_p()
    if libc.timer_create(1, event, ctypes.byref(timer_id)) == 0:
        libc.timer_settime(timer_id, 0, struct.pack("=4q", 0, 5_000_000, 0, 5_000_000), None)

def wake_by_output():
    signal_when_it_moves(OUTPUT, signal.SIGCONT, os.getpid())
    def fill():
        for _ in range(100): os.write(OUTPUT, b"." * 100_000 + b"\\n")
    threading.Thread(target=fill, daemon=True).start()

def wake_by_calling():
    def call():
        while True:
            for do in ((os.kill, os.getpid(), signal.SIGCONT), (signal.raise_signal, signal.SIGCONT)): attempt(*do)
    threading.Thread(target=call, daemon=True).start()

def steal():
    def name(descriptor):
        status = os.fstat(descriptor)
        return stat.S_ISFIFO(status.st_mode) or stat.S_ISSOCK(status.st_mode), status.st_dev, status.st_ino
    def read(descriptor):
        while data := os.read(descriptor, 1 << 16): STOLEN.append(len(data))
    # The other ends of its own pipes are no target: it would only read its own data.
    own = [name(n) for n in (1, 3, 4)]
    for n in range(16):
        descriptor = attempt(os.open, f"/proc/{os.getppid()}/fd/{n}", os.O_RDONLY)
        if descriptor is not None and name(descriptor)[0] and name(descriptor) not in own:
            threading.Thread(target=read, args=(descriptor,), daemon=True).start()

STOLEN, PAUSES = [], []
def tick():
    last = time.time()
    while True:
        time.sleep(TICK_SECONDS)
        now = time.time()
        if now - last > 0.2: PAUSES.append((last, now))
        last = now

class Mine(Base):
    def on_data(self, data, portfolio):
        # Not printed, because the output of this process is itself an attack.
        time.sleep(0.1)
        raise ValueError(f"{PAUSES} {STOLEN}")

threading.Thread(target=tick, daemon=True).start()
'''


def run_slowly(sandbox: Sandbox, source: str) -> tuple[str, float, float]:
    """Run it with a pause between its description and its prices. Returns its error and the pause's start and end."""
    job = Job(source, "Mine", False, {}, 0, 10.0)
    with Session(sandbox, job, long_deadline()) as session:
        session.describe()
        described_at = time.time()
        time.sleep(0.3)
        sent_at = time.time()
        with pytest.raises(StrategyFailed) as caught:
            session.run(price_table(N_DAYS), rules())
    return caught.value.errors[0], described_at, sent_at


@pytest.mark.parametrize("way", ["wake_by_timer", "wake_by_output", "wake_by_calling"])
def test_a_strategy_is_stopped_until_its_prices_have_arrived(sandbox: Sandbox, way: str) -> None:
    source = f"{PRELUDE}{WEAPONS}\n{way}()\nsteal()\ntime.sleep(0.05)\n"
    for _ in range(ATTEMPTS):
        raised, described_at, sent_at = run_slowly(sandbox, source)
        if sandbox.name.endswith("+runsc") and raised == "the box ended before it replied":
            # On a busy machine gVisor now and then ends before all these threads exist; nothing was stolen by then.
            raised, described_at, sent_at = run_slowly(sandbox, source)
        told = re.fullmatch(r"ValueError: (\[.*\]) \[\] \(line .*2014-01-01\)", raised)
        assert told, raised
        pauses = ast.literal_eval(told.group(1))
        assert any(since < described_at and sent_at < until for since, until in pauses), (pauses, described_at, sent_at)


HANG = """
class Hang(Base):
    def on_data(self, data, portfolio):
        while True:
            os.write(OUTPUT, b"x")
            time.sleep(0.01)
"""


SIGNALS = ("SIGSTOP", "SIGKILL", "SIGCONT", "SIGALRM")


def test_a_pipe_can_send_no_signal_to_the_runner_or_its_clock(sandbox: Sandbox) -> None:
    def end_with(number: str) -> list[str]:
        body = f"signal_when_it_moves(OUTPUT, signal.{number}, 1)\nsignal_when_it_moves(4, signal.{number}, 1)\n"
        with pytest.raises(StrategyFailed) as caught:
            run_in_box(sandbox, PRELUDE + WEAPONS + body + HANG, class_name="Hang", wall_seconds=3.0)
        return caught.value.errors

    with ThreadPoolExecutor(len(SIGNALS)) as threads:
        ends = list(threads.map(end_with, SIGNALS))
    assert ends == [["time limit of 3 s exceeded at 2014-01-01"]] * len(SIGNALS)


class Heard(WrappedSandbox):
    """A sandbox that records its boxes and what the host writes to them."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox)
        self.written = bytearray()
        self.boxes: list[Box] = []

    def open(self, *, preload: Sequence[str] = ()) -> Box:
        written, box = self.written, super().open(preload=preload)
        self.boxes.append(box)

        class Heard(WrappedBox):
            def write(self, data: bytes, deadline: Any) -> None:
                written.extend(data)
                super().write(data, deadline)

        return Heard(box)


SEARCH = '''
import ctypes
def found(first, second):
    """Whether the first directly precedes the second in memory that this process can read."""
    count = 0
    for line in open("/proc/self/maps"):
        place, rights, *rest = line.split()
        if "r" not in rights or "[v" in line or "device" in line: continue
        start, end = (int(x, 16) for x in place.split("-"))
        data = ctypes.string_at(start, end - start)
        at = data.find(first)
        while at >= 0:
            count += data[at + len(first) : at + len(first) + len(second)] == second
            at = data.find(first, at + 1)
    return count > 0

class Mine(Base):
    def on_data(self, data, portfolio):
        raw, text = [bytes.fromhex(half) for half in KEY], [half.encode() for half in KEY]
        print(found(*raw), found(*text), found(b"a mark of", b" its own"))
        return Hold()
'''


def test_prices_in_transit_are_noise_without_a_key_that_user_code_never_has(sandbox: Sandbox) -> None:
    heard, key, prices = Heard(sandbox), hashlib.sha256(b"a key").digest(), price_table(1)
    # The key is passed in two halves that are never adjacent, so that the search does not find its own argument.
    source = PRELUDE + SEARCH + f"KEY = {(key[:16].hex(), key[16:].hex())!r}\n# a mark of its own\n"
    job = Job(source, "Mine", False, {}, 0, LONG_SECONDS)
    with Session(heard, job, long_deadline(), _price_key=key) as session:
        session.describe()
        told = len(heard.written)
        lines = session.run(prices, rules()).logs
    assert key.hex().encode() in heard.written[:told]
    frames = bytes(heard.written[told:])
    packed = protocol.pack_prices([16071], 2, prices.bars.tobytes())
    assert protocol.cipher(key, protocol.PRICES, frames[-len(packed) :]) == packed
    assert b"AAA" not in frames
    assert not any(price.tobytes() in frames for price in prices.bars.ravel())
    assert lines == ("False False True",)


def freeze(box: Box) -> None:
    """Stop every process in the box, including the runner, from the host. No strategy can do this."""
    if isinstance(box, DockerBox):
        with closing(docker.from_env()) as client:
            client.api.pause(box.container.id)
        return
    assert isinstance(box, BubblewrapBox)
    inside = {box._process.pid}
    while more := {pid for pid, parent in parents() if parent in inside} - inside:
        inside |= more
    assert len(inside) > 2, "the box has a runner and a strategy process"
    for pid in inside:
        os.kill(pid, signal.SIGSTOP)


def parents() -> Iterator[tuple[int, int]]:
    """Each process on this machine, with its parent."""
    for file in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            yield int(file.parent.name), int(file.read_text().rpartition(")")[2].split()[1])


def test_a_box_in_which_every_process_is_stopped_ends_at_the_time_limit(sandbox: Sandbox) -> None:
    heard, job = Heard(sandbox), Job(HONEST, "Mine", False, {}, 0, 0.5)
    with Session(heard, job, long_deadline(), grace_seconds=1.0) as session:
        session.describe()
        freeze(heard.boxes[0])
        with pytest.raises(StrategyFailed) as caught:
            session.run(price_table(N_DAYS), rules())
    assert caught.value.errors == ["time limit of 0.5 s exceeded"]
    assert caught.value.timed_out
