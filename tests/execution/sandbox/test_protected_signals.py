"""Protective levels in real boxes: every dialect and both timings give the engine's own books."""

from typing import Any

import numpy as np
import pytest
from hqg_algorithms import BarSize, ExecutionTiming

from src.engine.costs import commission_from_wire, slippage_from_wire
from src.engine.market import Market, Rules
from src.engine.simulator import ProtectedWeights, simulate
from src.execution.sandbox.base import Sandbox
from tests.execution.box_runs import price_table, run_in_box

LEVELS = "stop_loss=0.01, take_profit={'AAA': 0.02}, trailing_stop=0.015"
ATTRIBUTES = """
from hqg_algorithms import *
from hqg_backtester import Protected

class Mine(Strategy):
    universe = ["AAA", "BBB"]
    cadence = Cadence(execution=ExecutionTiming.{timing})
    def on_data(self, data, portfolio):
        return Protected(TargetWeights({{"AAA": 0.5, "BBB": 0.5}}), {levels})
"""
METHODS = """
import hqg_backtester as hqg
from hqg_algorithms import *

class Mine(Strategy):
    def universe(self): return ["AAA", "BBB"]
    def cadence(self): return Cadence(execution=ExecutionTiming.{timing})
    def on_data(self, data, portfolio):
        return hqg.Protected(hqg.Weights({{"AAA": 0.5, "BBB": 0.5}}), {levels})
"""
NAMES_OF_ITS_OWN = """
from hqg_backtester.signals import Protected

class Mine(Strategy):
    def universe(self): return ["AAA", "BBB"]
    def cadence(self): return Cadence(call_phase=CallPhase.ON_BAR_CLOSE, exec_lag_bars={lag})
    def on_data(self, data, portfolio):
        return Protected({{"AAA": 0.5, "BBB": 0.5}}, {levels})
"""


@pytest.mark.parametrize("timing", list(ExecutionTiming))
@pytest.mark.parametrize("source", [ATTRIBUTES, METHODS, NAMES_OF_ITS_OWN], ids=["attributes", "methods", "prelude"])
def test_every_dialect_is_protected(sandbox: Sandbox, source: str, timing: ExecutionTiming) -> None:
    lag = int(timing is ExecutionTiming.CLOSE_TO_NEXT_OPEN)
    text = source.format(timing=timing.name, lag=lag, levels=LEVELS)
    costs: dict[str, Any] = {"commission": 1.0, "slippage": 0.001}
    reply = run_in_box(sandbox, text, needs_prelude=source is NAMES_OF_ITS_OWN, **costs)
    expected = in_process(timing, **costs)
    assert {1, 2, 3} <= set(reply.reason.tolist())
    for name in ("day", "symbol", "shares", "price", "fee", "reason"):
        assert getattr(reply, name).tolist() == getattr(expected.orders, name)
    assert reply.equity.tolist() == expected.equity
    assert [column.tolist() for column in reply.levels.values()] == [column.tolist() for column in expected.levels]


def in_process(timing: ExecutionTiming, commission: float, slippage: float) -> Any:
    prices = price_table()
    bars = memoryview(np.ascontiguousarray(prices.bars).reshape(-1))
    market = Market(prices.dates.astype(np.int64).tolist(), prices.symbols, bars)
    costs = commission_from_wire(commission), slippage_from_wire(slippage)
    signal = ProtectedWeights([0.5, 0.5], [(0.01, 0.02, 0.015), (0.01, 0.0, 0.015)])
    return simulate(market, Rules(BarSize.DAILY, timing, 10_000.0, 1.0, *costs), lambda *_: signal)
