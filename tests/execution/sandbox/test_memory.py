"""Every kind of host memory that a strategy can use has a limit, with and without control groups."""

from collections.abc import Iterator, Mapping

import pytest

from src.errors import StrategyFailed
from src.execution.sandbox.base import BoxLimits, Sandbox
from src.execution.sandbox.bubblewrap_sandbox import BubblewrapSandbox
from src.execution.sandbox.wrapped import WrappedSandbox
from tests.conftest import PROJECT, SANDBOX_PYTHON, open_sandbox
from tests.execution.box_runs import HONEST, PRELUDE, is_memory_error, price_table, run_in_box

LIMIT_MB = 512

WITHOUT_GROUPS = "bubblewrap without control groups"


@pytest.fixture(
    scope="module",
    params=[
        pytest.param("docker", marks=pytest.mark.docker),
        pytest.param("docker+runsc", marks=[pytest.mark.docker, pytest.mark.gvisor]),
        pytest.param("bubblewrap", marks=pytest.mark.bubblewrap),
        pytest.param(WITHOUT_GROUPS, marks=pytest.mark.bubblewrap),
    ],
)
def bounded(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """Each real sandbox, and bubblewrap without control groups."""
    if request.param == WITHOUT_GROUPS:
        open_sandbox("bubblewrap").close()
        sandbox: Sandbox = BubblewrapSandbox(
            python=SANDBOX_PYTHON, source_folder=PROJECT, limits=BoxLimits(), ways=lambda: ()
        )
        assert sandbox.unavailable_reason() is None
    else:
        sandbox = open_sandbox(request.param)
    yield sandbox
    sandbox.close()


def ending(sandbox: Sandbox, *lines: str) -> tuple[str, int]:
    """The error of a strategy with these lines in on_data, and the megabytes that it had touched."""
    body = "\n".join(f"        {line}" for line in lines)
    source = f"{PRELUDE}{TOUCH}\nclass Mine(Base):\n    def on_data(self, data, portfolio):\n{body}\n"
    with pytest.raises(StrategyFailed) as caught:
        run_in_box(sandbox, source, prices=price_table(1))
    (error,) = caught.value.errors
    # One line per megabyte; if the whole box is killed, the lines are lost.
    return error, len(caught.value.logs)


TOUCH = """
import mmap, os
kept = []
def touch(memory):
    kept.append(memory)
    for first in range(0, len(memory), 1 << 20):
        print("touched a megabyte")
        for page in range(first, first + (1 << 20), 4096):
            memory[page] = 1
"""
PRIVATE = "mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS"


def test_private_memory_ends_at_the_limit(bounded: Sandbox) -> None:
    error, touched_mb = ending(bounded, f"while True: touch(mmap.mmap(-1, 1 << 26, flags={PRIVATE}))")
    assert is_memory_error(bounded, error)
    assert touched_mb <= LIMIT_MB


# None of these counts as a process's private memory, which RLIMIT_DATA limits.
@pytest.mark.parametrize(
    "mapping",
    [
        "mmap.mmap(-1, 1 << 28)",
        "mmap.mmap(-1, 1 << 28, flags=3 | mmap.MAP_ANONYMOUS)",  # MAP_SHARED_VALIDATE
        f"mmap.mmap(-1, 1 << 28, flags={PRIVATE} | 0x100)",  # MAP_GROWSDOWN: counted as stack
        f"mmap.mmap(-1, 1 << 28, flags={PRIVATE} | 0x40000)",  # MAP_HUGETLB
        "mmap.mmap(os.open('/dev/zero', os.O_RDONLY), 1 << 28, prot=mmap.PROT_READ)",
    ],
    ids=["shared", "shared-validated", "growing-down", "huge-pages", "of-dev-zero"],
)
def test_memory_that_is_not_private_is_denied_or_ends_at_the_limit(bounded: Sandbox, mapping: str) -> None:
    change = ".read()" if "dev/zero" in mapping else ""
    wanted = f"kept.append({mapping}{change})" if change else f"touch({mapping})"
    error, touched_mb = ending(bounded, f"while True: {wanted}")
    # gVisor does not support every kind of mapping.
    refusals = ("PermissionError: [Errno 1]", "OSError: [Errno 22]")
    assert error.startswith(refusals) or is_memory_error(bounded, error)
    assert touched_mb <= LIMIT_MB


def test_the_kernels_own_tables_of_a_huge_mapping_end_at_the_limit(bounded: Sandbox) -> None:
    # Each page read shares one page of zeros but needs its own table.
    error, _ = ending(
        bounded,
        f"memory = mmap.mmap(-1, 1 << 41, flags={PRIVATE}, prot=mmap.PROT_READ)",
        "for first in range(0, 1 << 41, 1 << 21): memory[first]",
    )
    assert is_memory_error(bounded, error)


def test_file_locks_which_use_kernel_memory_are_denied(bounded: Sandbox) -> None:
    if bounded.name.endswith("+runsc"):
        pytest.skip("gVisor's kernel is a process of the box: its memory is the box's")
    error, _ = ending(
        bounded,
        "import fcntl",
        "file = open(os.__file__)",
        "fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB, 1, 1)",
        "raise SystemExit('it was given')",
    )
    assert error.startswith("PermissionError: [Errno 1]")


def test_threads_with_their_stacks_end_at_a_limit(bounded: Sandbox) -> None:
    error, touched_mb = ending(
        bounded,
        "import ctypes, threading",
        "threading.stack_size(1 << 27)",
        "stop = threading.Event()",
        "def fill():",
        "    for _ in range(64): print('touched a megabyte'); big = (ctypes.c_char * (1 << 20))(); kept.append(big)",
        "    stop.wait()",
        "while True: threading.Thread(target=fill, daemon=True).start()",
    )
    # With gVisor the runner counts threads; the engine counts those of gVisor's own process, which dies at its limit.
    limits = ("can't start new thread", "limit of 64 threads exceeded")
    assert any(limit in error for limit in limits) or is_memory_error(bounded, error)
    assert touched_mb <= 2 * LIMIT_MB


class WithoutLimitsOfItsProcess(WrappedSandbox):
    """A strategy that has evaded every limit of its own process."""

    @property
    def strategy_limits(self) -> Mapping[str, int]:
        """See Sandbox.strategy_limits."""
        return {}


def test_a_group_or_container_ends_a_box_that_no_process_limit_ends(bounded: Sandbox) -> None:
    if "strategy's process" in bounded.enforcement.memory:
        pytest.skip("no control group can be created here")
    error, _ = ending(WithoutLimitsOfItsProcess(bounded), "while True: kept.append(bytearray(1 << 24))")
    assert is_memory_error(bounded, error)


def test_every_allowed_library_has_enough_memory_to_work(bounded: Sandbox) -> None:
    source = HONEST.replace("class Mine(Base): pass", WORK)
    assert run_in_box(bounded, source, prices=price_table(2)).decisions == 2


WORK = """
import numpy as np, pandas as pd
try:
    import scipy.optimize, scipy.stats, sklearn.ensemble
except ImportError:
    sklearn = None
class Mine(Base):
    def on_data(self, data, portfolio):
        x = np.random.rand(400, 20)
        np.linalg.svd(x @ x.T)
        pd.DataFrame(x).rolling(5).cov()
        if sklearn is not None:
            sklearn.ensemble.RandomForestRegressor(20).fit(x, x[:, 0])
            scipy.optimize.minimize(lambda w: (w @ w), x[0])
        return Hold()
"""
