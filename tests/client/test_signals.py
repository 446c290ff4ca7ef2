"""The signals that a strategy takes from this package, in a box and at home."""

import json
import math
import subprocess
import sys

import numpy as np
import pytest
from hqg_algorithms import Hold, Liquidate, Signal, TargetWeights

from hqg_backtester import Protected, Weights
from tests.prerequisites import PROJECT


def test_weights_may_be_negative_and_cannot_change_afterwards() -> None:
    given = {"SPY": -0.5, "BND": np.float64(2)}
    weights = Weights(given)
    given["SPY"] = 1.0
    assert weights.weights == {"SPY": -0.5, "BND": 2.0}
    with pytest.raises(TypeError):
        weights.weights["SPY"] = 1.0  # type: ignore[index]
    assert isinstance(weights, Signal)


@pytest.mark.parametrize("signal", [TargetWeights({"SPY": 1.0}), Weights({"SPY": 1.0}), {"SPY": 1.0}])
def test_each_signal_of_weights_can_be_protected(signal: object) -> None:
    protected = Protected(signal, stop_loss=0.05, take_profit={"SPY": 2}, trailing_stop=np.float32(0.5))  # type: ignore[arg-type]
    assert protected.signal.weights == {"SPY": 1.0}  # type: ignore[union-attr]
    assert protected.stop_loss == 0.05
    assert protected.take_profit == {"SPY": 2.0}
    assert protected.trailing_stop == 0.5
    assert isinstance(protected, Signal)


@pytest.mark.parametrize("weights", [{"SPY": "0.5"}, {"SPY": True}, {"SPY": math.nan}, {"SPY": 10**400}, [0.5], None])
def test_weights_must_be_finite_numbers_by_symbol(weights: object) -> None:
    with pytest.raises(ValueError, match=r"weight of SPY is .*; it must be|Weights needs a mapping"):
        Weights(weights)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["stop_loss", "take_profit", "trailing_stop"])
@pytest.mark.parametrize("level", [0, -0.1, math.nan, math.inf, "0.05", True, [0.1], {"SPY": 0.0}, {"SPY": None}])
def test_a_level_must_be_a_finite_number_above_zero(name: str, level: object) -> None:
    with pytest.raises(ValueError, match=f"{name}( of SPY)? is .*; it must be"):
        Protected({"SPY": 1.0}, **{name: level})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["stop_loss", "trailing_stop"])
def test_a_stop_of_the_whole_price_could_never_be_reached(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} is 1; it must be a fraction above 0 and below 1"):
        Protected({"SPY": 1.0}, **{name: 1})


@pytest.mark.parametrize("signal", [Hold(), Liquidate(), None, 0.5, Weights, Protected({"SPY": 1.0})])
def test_only_weights_can_be_protected(signal: object) -> None:
    with pytest.raises(ValueError, match="Protected wraps TargetWeights"):
        Protected(signal)  # type: ignore[arg-type]


WITHOUT = """
import json, sys
sys.modules["hqg_algorithms"] = None
from hqg_backtester import Protected, Weights
loaded = [name for name in sys.modules if name.startswith("hqg_backtester.client")]
print(json.dumps([Protected({"SPY": 1.0}, stop_loss=0.1).signal.weights["SPY"], loaded]))
from hqg_backtester import Client
"""


def test_a_strategy_imports_them_without_the_client_or_any_other_package() -> None:
    said = subprocess.run([sys.executable, "-c", WITHOUT], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert json.loads(said.stdout) == [1.0, []]
