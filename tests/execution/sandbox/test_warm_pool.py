"""Warm boxes: started in advance, one run each, replaced when used or dead, removed with the service."""

import time
from collections.abc import Iterator, Sequence

import pytest

from src.errors import SandboxUnavailable
from src.execution import protocol
from src.execution.sandbox.base import Box, Sandbox
from src.execution.sandbox.box_load import AFTERWARDS_SECONDS, QUIET_SECONDS, BoxLoad
from src.execution.sandbox.warm_pool import REST_SECONDS, WarmPool
from tests.conftest import open_sandbox
from tests.execution.box_runs import HONEST, PRELUDE, becomes_true, long_deadline, price_table, run_in_box
from tests.fakes.sandbox import ScriptedSandbox

READY = protocol.json_frame(protocol.READY, {"version": protocol.VERSION})


class Counted(ScriptedSandbox):
    """A sandbox whose boxes report that they are ready, and that can fail."""

    def __init__(self) -> None:
        super().__init__(lambda heard: READY)
        self.is_down = False
        self.n_tries = 0

    def open(self, *, preload: Sequence[str] = ()) -> Box:
        self.n_tries += 1
        if self.is_down:
            raise SandboxUnavailable("the engine is being restarted")
        return super().open(preload=preload)


class Clock:
    """Monotonic seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def pass_by(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


@pytest.fixture
def sandbox_below() -> Counted:
    return Counted()


@pytest.fixture
def pool(sandbox_below: Counted) -> Iterator[WarmPool]:
    pool = WarmPool(sandbox_below, size=2)
    assert becomes_true(lambda: pool.n_ready == 2)
    yield pool
    pool.close()


def test_a_box_from_the_pool_was_ready_and_reports_so_again(pool: WarmPool, sandbox_below: Counted) -> None:
    box = pool.open()
    assert len(sandbox_below.boxes) >= 2
    said = box.read(1, long_deadline())
    said += box.read(100, long_deadline())
    assert said == READY
    box.close()


def test_a_box_is_used_once_and_replaced(pool: WarmPool, sandbox_below: Counted) -> None:
    boxes = [pool.open() for _ in range(5)]
    assert len({id(box) for box in boxes}) == 5
    for box in boxes:
        box.close()
    assert becomes_true(lambda: pool.n_ready == 2)
    assert len(sandbox_below.boxes) == 7


def test_a_dead_box_is_replaced_before_it_is_used(pool: WarmPool, sandbox_below: Counted) -> None:
    for box in list(sandbox_below.boxes):
        box.is_dead = True
    taken = pool.open()
    assert taken.is_waiting()
    assert becomes_true(lambda: pool.n_ready == 2 and all(box.is_closed for box in sandbox_below.boxes[:2]))
    taken.close()


def test_the_pool_pauses_when_an_engine_fails_and_recovers_with_it(pool: WarmPool, sandbox_below: Counted) -> None:
    sandbox_below.is_down = True
    pool.open().close()
    pool.open().close()
    with pytest.raises(SandboxUnavailable, match="restarted"):
        pool.open()
    tries, began = sandbox_below.n_tries, time.monotonic()
    time.sleep(0.3)
    # The attempt in progress, and one after each pause.
    assert sandbox_below.n_tries <= tries + 1 + (time.monotonic() - began) / REST_SECONDS
    sandbox_below.is_down = False
    assert becomes_true(lambda: pool.n_ready == 2)


def test_closing_the_pool_destroys_idle_boxes(sandbox_below: Counted) -> None:
    pool = WarmPool(sandbox_below, size=3)
    assert becomes_true(lambda: pool.n_ready == 3)
    pool.close()
    assert all(box.is_closed for box in sandbox_below.boxes)
    assert pool.n_ready == 0


def test_a_pool_of_size_zero_starts_a_box_for_each_run(sandbox_below: Counted) -> None:
    pool = WarmPool(sandbox_below, size=0)
    pool.open().close()
    assert len(sandbox_below.boxes) == 1
    pool.close()


def test_warm_boxes_give_the_same_results_as_cold_ones(sandbox: Sandbox) -> None:
    pool = WarmPool(open_sandbox(sandbox.name), size=2)
    try:
        assert becomes_true(lambda: pool.n_ready == 2)
        warm = [run_in_box(pool, HONEST) for _ in range(4)]
        cold = run_in_box(sandbox, HONEST)
        assert all(reply.equity.tobytes() == cold.equity.tobytes() for reply in warm)
    finally:
        pool.close()


def test_a_strategy_that_imports_a_package_leaves_a_box_that_has_imported_it(sandbox: Sandbox) -> None:
    source = PRELUDE + "import sys, os\nloaded = 'numpy' in sys.modules and 'pandas' in sys.modules\nimport pandas\n"
    source += "class Mine(Base):\n    def on_data(self, data, portfolio):\n"
    source += "        print(loaded, 'BOX_PRELOAD' in os.environ)\n        return Hold()\n"
    pool = WarmPool(open_sandbox(sandbox.name), size=1, preload=("numpy", "pandas", "no_such_module"))
    try:
        for expected in ("False False", "True False"):
            assert becomes_true(lambda: pool.n_ready == 1)
            assert run_in_box(pool, source, prices=price_table(1)).logs == (expected,)
    finally:
        pool.close()


@pytest.mark.parametrize(
    ("runs", "kept"),
    [
        ((), ((), ())),
        ((("numpy",),), (("numpy",), ("numpy",))),
        ((("pandas",), ()), ((), ("numpy",))),
        ((("numpy",), *[()] * 8), ((), ())),
    ],
    ids=["no run yet", "all import NumPy", "one imports what imports NumPy, one does not", "none of the last eight"],
)
def test_boxes_import_packages_in_advance_as_recent_runs_did(
    sandbox_below: Counted, runs: Sequence[Sequence[str]], kept: Sequence[Sequence[str]]
) -> None:
    clock = Clock()
    pool = WarmPool(sandbox_below, size=2, preload=("numpy",), load=BoxLoad(2, clock))
    assert becomes_true(lambda: pool.n_ready == 2)
    for imported in runs:
        pool.open(preload=imported).close()
        clock.pass_by(AFTERWARDS_SECONDS)
        assert becomes_true(lambda: pool.n_ready == 2)
    # A box of the other kind stays until a run takes it.
    for box in [pool.open(preload=runs[-1] if runs else ()) for _ in range(2)]:
        box.close()
    clock.pass_by(AFTERWARDS_SECONDS)
    assert becomes_true(lambda: pool.n_ready == 2)
    living = [box.preloaded for box in sandbox_below.boxes if not box.is_closed]
    assert sorted(living) == sorted(kept)
    pool.close()


def test_a_run_gets_a_box_of_its_kind_if_one_is_ready(sandbox_below: Counted) -> None:
    clock = Clock()
    pool = WarmPool(sandbox_below, size=2, preload=("numpy",), load=BoxLoad(2, clock))
    assert becomes_true(lambda: pool.n_ready == 2)
    for imported in (("numpy",), ()):
        pool.open(preload=imported).close()
        clock.pass_by(AFTERWARDS_SECONDS)
        assert becomes_true(lambda: pool.n_ready == 2)
    before = {id(box) for box in sandbox_below.boxes if not box.is_closed}
    assert len(before) == 2
    pool.open(preload=("numpy",))
    pool.open()
    taken = [box.preloaded for box in sandbox_below.boxes if id(box) in before]
    assert sorted(taken) == [(), ("numpy",)]
    pool.close()


def test_a_run_never_waits_for_the_pool_and_the_pool_waits_for_the_runs(sandbox_below: Counted) -> None:
    clock = Clock()
    pool = WarmPool(sandbox_below, size=1, load=BoxLoad(2, clock))
    assert becomes_true(lambda: pool.n_ready == 1)
    boxes = [pool.open() for _ in range(3)]
    assert (len(sandbox_below.boxes), pool.n_ready) == (3, 0)
    for box in boxes:
        box.close()
    assert pool.n_ready == 0
    clock.pass_by(AFTERWARDS_SECONDS)
    assert becomes_true(lambda: pool.n_ready == 1)
    assert len(sandbox_below.boxes) == 4
    pool.close()


class TestWhenTheMachineIsIdle:
    """BoxLoad on two cores, with a clock of the test's own."""

    def test_it_is_idle_without_runs(self) -> None:
        assert BoxLoad(2, Clock()).seconds_until_idle() == 0

    def test_it_is_busy_during_a_run_and_a_little_afterwards(self) -> None:
        clock = Clock()
        load = BoxLoad(2, clock)
        load.opened()
        assert load.seconds_until_idle() == QUIET_SECONDS
        clock.pass_by(0.5)
        load.closed()
        assert load.seconds_until_idle() == pytest.approx(AFTERWARDS_SECONDS)
        clock.pass_by(AFTERWARDS_SECONDS)
        assert load.seconds_until_idle() == 0

    def test_one_long_run_leaves_a_core_idle_and_two_leave_none(self) -> None:
        clock = Clock()
        load = BoxLoad(2, clock)
        load.opened()
        clock.pass_by(QUIET_SECONDS)
        assert load.seconds_until_idle() == 0
        load.opened()
        clock.pass_by(QUIET_SECONDS)
        assert load.seconds_until_idle() == float("inf")

    def test_on_many_cores_a_few_runs_do_not_matter(self) -> None:
        load = BoxLoad(16, Clock())
        for _ in range(7):
            load.opened()
        assert load.seconds_until_idle() == 0
        load.opened()
        assert load.seconds_until_idle() == QUIET_SECONDS


def test_a_warm_box_gives_the_same_random_numbers_as_a_cold_one(sandbox: Sandbox) -> None:
    source = PRELUDE + "import random\nimport numpy as np\nclass Mine(Base):\n    def on_data(self, data, portfolio):\n"
    source += (
        "        print(random.random(), np.random.rand(), np.random.default_rng().random())\n        return Hold()\n"
    )
    pool = WarmPool(open_sandbox(sandbox.name), size=1, preload=("numpy",))
    try:
        assert becomes_true(lambda: pool.n_ready == 1)
        warm = run_in_box(pool, source, prices=price_table(3), seed=5).logs
    finally:
        pool.close()
    assert warm == run_in_box(sandbox, source, prices=price_table(3), seed=5).logs


def test_a_killed_warm_box_is_noticed(sandbox: Sandbox) -> None:
    below = open_sandbox(sandbox.name)
    opened: list[Box] = []
    real_open = below.open

    def remember(*, preload: Sequence[str] = ()) -> Box:
        opened.append(real_open(preload=preload))
        return opened[-1]

    below.open = remember  # type: ignore[method-assign]
    pool = WarmPool(below, size=1)
    try:
        assert becomes_true(lambda: pool.n_ready == 1)
        opened[0].close()
        assert becomes_true(lambda: len(opened) == 2 and pool.n_ready == 1)
        assert run_in_box(pool, HONEST, prices=price_table(3)).decisions == 3
    finally:
        pool.close()
