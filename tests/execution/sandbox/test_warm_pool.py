"""Warm boxes: started in advance, one run each, replaced when used or dead, removed with the service."""

import time
from collections.abc import Iterator, Sequence

import pytest

from src.errors import SandboxUnavailable
from src.execution import protocol
from src.execution.sandbox.base import Box, Sandbox
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
    assert becomes_true(lambda: pool.n_ready == 2)
    assert len(sandbox_below.boxes) == 7
    for box in boxes:
        box.close()


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


def test_a_warm_box_has_imported_its_packages_and_hides_the_preload_variable(sandbox: Sandbox) -> None:
    source = PRELUDE + "import sys, os\nloaded = 'numpy' in sys.modules and 'pandas' in sys.modules\n"
    source += "class Mine(Base):\n    def on_data(self, data, portfolio):\n"
    source += "        print(loaded, 'BOX_PRELOAD' in os.environ)\n        return Hold()\n"
    pool = WarmPool(open_sandbox(sandbox.name), size=1, preload=("numpy", "pandas", "no_such_module"))
    try:
        assert becomes_true(lambda: pool.n_ready == 1)
        assert run_in_box(pool, source, prices=price_table(1)).logs == ("True False",)
    finally:
        pool.close()
    assert run_in_box(sandbox, source, prices=price_table(1)).logs == ("False False",)


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
