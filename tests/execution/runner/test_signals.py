"""The values that on_data may return in every dialect, and the errors for all others."""

import math
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hqg_algorithms import Hold, Liquidate, Signal, TargetWeights

from hqg_backtester import Protected, Weights
from src.engine.simulator import ProtectedWeights
from src.execution.runner.signal_origin import check_at_creation, origin_of
from src.execution.runner.signals import BadSignal, signal_reader

SYMBOLS = ("SPY", "BND")


@pytest.mark.parametrize(
    ("value", "weights"),
    [
        (TargetWeights({"BND": 0.4, "SPY": 0.6}), [0.6, 0.4]),
        (TargetWeights({"BND": 1.0}), [0.0, 1.0]),
        (TargetWeights({}), [0.0, 0.0]),
        ({"SPY": 0.6}, [0.6, 0.0]),
        ({}, [0.0, 0.0]),
        (Liquidate(), [0.0, 0.0]),
        (Hold(), None),
        (None, None),
        ({"SPY": 1, "BND": 0}, [1.0, 0.0]),
        ({"SPY": np.float64(0.5), "BND": np.float32(0.25)}, [0.5, 0.25]),
        ({"SPY": np.int64(1)}, [1.0, 0.0]),
        ({np.str_("SPY"): 0.5}, [0.5, 0.0]),
        ({"SPY": 0.5, "BND": 0.5 + 1e-7}, [0.5, 0.5 + 1e-7]),
    ],
)
def test_a_signal_becomes_weights_in_universe_order(value: Any, weights: list[float] | None) -> None:
    assert signal_reader(SYMBOLS)(value) == weights
    assert signal_reader(list(SYMBOLS))(value) == weights


ALLOWED = "it must return TargetWeights(...), Hold() or Liquidate(), or a dict of weights or None"


class Unprintable:
    def __repr__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"SPY": 0.75, "BND": 0.5}, "weights sum to 1.25, which exceeds 1.0"),
        ({"SPY": 0.5, "BND": 0.5000002}, "weights sum to 1.0000002, which exceeds 1.0"),
        (TargetWeights({"SPY": math.nan}), "weight of SPY is NaN"),
        ({"SPY": -0.25}, "weight of SPY is -0.25, which is negative"),
        ({"SPY": math.inf}, "weight of SPY is inf, which exceeds 1.0"),
        ({"SPY": -math.inf}, "weight of SPY is -inf, which is negative"),
        ({"SPY": 10**30}, "weight of SPY is 1e+30, which exceeds 1.0"),
        ({"SPY": "0.5"}, "weight of SPY is '0.5'; it must be a number"),
        ({"SPY": True}, "weight of SPY is True; it must be a number"),
        ({"SPY": np.bool_(True)}, "it must be a number"),
        ({"SPY": None}, "weight of SPY is None (NoneType); it must be a number"),
        ({"SPY": 1j}, "it must be a number"),
        ({"SPY": Decimal("0.5")}, "it must be a number"),
        ({"SPY": np.array([0.5])}, "it must be a number"),
        ({"QQQ": 1.0}, "'QQQ' is not in the universe (SPY, BND)"),
        ({"spy": 1.0}, "'spy' is not in the universe (SPY, BND); did you mean 'SPY'?"),
        ({" SPY ": 1.0}, "did you mean 'SPY'?"),
        ({7: 1.0}, "7 is not in the universe (SPY, BND)"),
        (0.5, f"on_data returned 0.5; {ALLOWED}"),
        ("SPY", f"on_data returned 'SPY'; {ALLOWED}"),
        ([0.5, 0.5], f"on_data returned [0.5, 0.5] (list); {ALLOWED}"),
        (Signal(), f"(Signal); {ALLOWED}"),
        (False, f"on_data returned False; {ALLOWED}"),
        (Hold, "on_data returned the class Hold itself; write Hold(...)"),
        (Unprintable(), f"on_data returned a Unprintable (its repr raised RuntimeError); {ALLOWED}"),
    ],
)
def test_any_other_value_is_rejected_with_the_value_and_the_allowed_ones(value: Any, message: str) -> None:
    with pytest.raises(BadSignal) as error:
        signal_reader(SYMBOLS)(value)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("value", "weights"),
    [
        ({"SPY": -1.2, "BND": 0.8}, [-1.2, 0.8]),
        (Weights({"SPY": -2.0}), [-2.0, 0.0]),
        ({"SPY": -1.0, "BND": 1 + 5e-8}, [-1.0, 1 + 5e-8]),
        (TargetWeights({"SPY": 1.0}), [1.0, 0.0]),
        (Liquidate(), [0.0, 0.0]),
        (Hold(), None),
    ],
)
def test_weights_may_be_negative_and_sum_to_more_than_one_where_the_request_allows_it(
    value: Any, weights: list[float] | None
) -> None:
    assert signal_reader(SYMBOLS, allow_short=True, max_gross=2.0)(value) == weights


@pytest.mark.parametrize(
    ("limits", "value", "message"),
    [
        ((True, 2.0), {"SPY": -1.5, "BND": 0.75}, "absolute weights sum to 2.25, which exceeds max_gross of 2"),
        ((True, 1.0), Weights({"SPY": -1.0, "BND": 0.1}), "absolute weights sum to 1.1, which exceeds max_gross of 1"),
        ((True, 2.0), {"SPY": -2.5}, "weight of SPY is -2.5, whose size exceeds max_gross of 2"),
        ((True, 2.0), {"SPY": math.inf}, "weight of SPY is inf, which exceeds max_gross of 2"),
        ((True, 2.0), {"SPY": math.nan}, "weight of SPY is NaN"),
        ((False, 1.5), {"SPY": 1.0, "BND": 0.75}, "weights sum to 1.75, which exceeds max_gross of 1.5"),
        ((False, 1.5), {"SPY": -0.5}, "weight of SPY is -0.5, which is negative"),
        ((False, 1.0), Weights({"SPY": -0.5}), "weight of SPY is -0.5, which is negative"),
        ((False, 1.0), Weights({"SPY": 1.25}), "weight of SPY is 1.25, which exceeds 1.0"),
    ],
)
def test_weights_beyond_the_requests_limits_are_rejected(limits: tuple[bool, float], value: Any, message: str) -> None:
    with pytest.raises(BadSignal) as error:
        signal_reader(SYMBOLS, *limits)(value)
    assert str(error.value) == message


def test_messages_stay_short() -> None:
    symbols = tuple(f"S{index}" for index in range(200))
    with pytest.raises(BadSignal) as error:
        signal_reader(symbols)({"X" * 100_000: 1.0})
    assert len(str(error.value)) < 300
    with pytest.raises(BadSignal) as error:
        signal_reader(symbols)(list(range(100_000)))
    assert len(str(error.value)) < 300


def test_a_huge_integer_weight_is_rejected_like_any_other() -> None:
    with pytest.raises(BadSignal, match="weight of SPY is 1000"):
        signal_reader(SYMBOLS)({"SPY": 10**400})


@pytest.fixture
def checked_at_creation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TargetWeights, "__init__", TargetWeights.__init__)  # restored afterwards
    check_at_creation(SYMBOLS)


@pytest.mark.usefixtures("checked_at_creation")
@pytest.mark.parametrize("weights", [{"BND": 0.4, "SPY": 0.6}, {"BND": 1.0}, {}, {"SPY": 1}, {"SPY": np.float64(0.5)}])
def test_weights_checked_at_creation_are_read_like_any_others(weights: dict[str, Any]) -> None:
    signal = TargetWeights(weights)
    assert signal_reader(SYMBOLS)(signal) == [weights.get(symbol, 0.0) for symbol in SYMBOLS]
    assert signal == TargetWeights(weights)
    weights["SPY"] = 7.0
    assert signal.weights.get("SPY") != 7.0
    with pytest.raises(TypeError):
        signal.weights["SPY"] = 1.0


@pytest.mark.usefixtures("checked_at_creation")
@pytest.mark.parametrize(("weights", "message"), [({"SPY": -0.1}, "Negative weights"), ({"QQQ": 1.5}, "sum to 1.5")])
def test_the_librarys_own_complaints_stay(weights: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TargetWeights(weights)


@pytest.mark.usefixtures("checked_at_creation")
def test_an_earlier_signal_is_read_like_the_latest() -> None:
    signals = [TargetWeights({"SPY": 0.1}), TargetWeights({"BND": 0.2})]
    assert [signal_reader(SYMBOLS)(signal) for signal in signals] == [[0.1, 0.0], [0.0, 0.2]]


@pytest.mark.usefixtures("checked_at_creation")
def test_a_signal_created_before_the_universe_was_known_is_read_for_it() -> None:
    check_at_creation(())
    signal = TargetWeights({})
    check_at_creation(SYMBOLS)
    assert signal_reader(SYMBOLS)(signal) == [0.0, 0.0]


@pytest.mark.usefixtures("checked_at_creation")
def test_weights_exchanged_after_creation_are_checked_again() -> None:
    signal = TargetWeights({"SPY": 1.0})
    object.__setattr__(signal, "weights", {"SPY": 2.0})
    with pytest.raises(BadSignal, match=r"exceeds 1\.0"):
        signal_reader(SYMBOLS)(signal)


def test_weights_of_the_project_are_read_like_a_dict() -> None:
    assert signal_reader(SYMBOLS)(Weights({"BND": 0.25})) == [0.0, 0.25]
    with pytest.raises(BadSignal, match="which is negative"):
        signal_reader(SYMBOLS)(Weights({"BND": -0.25}))


@pytest.mark.parametrize("signal", [TargetWeights({"SPY": 0.5}), Weights({"SPY": 0.5}), {"SPY": 0.5}])
def test_protected_weights_carry_their_levels_in_universe_order(signal: Any) -> None:
    read = signal_reader(SYMBOLS)(Protected(signal, stop_loss=0.1, take_profit={"BND": 0.2}, trailing_stop=0.3))
    assert read == [0.5, 0.0]
    assert isinstance(read, ProtectedWeights)
    assert read.levels == [(0.1, 0.0, 0.3), (0.1, 0.2, 0.3)]
    assert signal_reader(SYMBOLS)(Protected(signal)).levels == [(0.0, 0.0, 0.0)] * 2  # type: ignore[union-attr]


def test_a_level_of_an_unknown_symbol_is_rejected_with_its_name() -> None:
    with pytest.raises(BadSignal, match=r"take_profit: 'spy' is not in the universe \(SPY, BND\); did you mean 'SPY'"):
        signal_reader(SYMBOLS)(Protected({"SPY": 0.5}, take_profit={"spy": 0.1}))
    with pytest.raises(BadSignal, match=r"weights sum to 1\.5"):
        signal_reader(SYMBOLS)(Protected({"SPY": 0.75, "BND": 0.75}, stop_loss=0.1))


def test_an_error_in_protected_weights_names_the_line_that_created_them() -> None:
    origin = (7, "weights")
    signal = TargetWeights({"SPY": 0.5})
    signal.__dict__["_created_at"] = origin
    assert origin_of(Protected(signal, stop_loss=0.1), print) == origin
