"""Commission and slippage models by hand, and their wire objects there and back."""

import math
from typing import Any

import pytest

from src.engine.costs import (
    Fraction,
    HalfSpread,
    NoSlippage,
    PerOrder,
    PerShare,
    Rate,
    VolumeParticipation,
    commission_from_wire,
    slippage_from_wire,
)


def test_a_flat_commission_is_the_same_for_every_order() -> None:
    assert PerOrder(2.5).fee(1, 10) == PerOrder(2.5).fee(1000, 99) == 2.5


def test_a_commission_per_share_has_a_minimum() -> None:
    commission = PerShare(0.01, minimum=1.0)
    assert commission.fee(50, 10) == 1.0
    assert commission.fee(500, 10) == 5.0


def test_a_commission_rate_applies_to_the_traded_value() -> None:
    assert Rate(0.001).fee(30, 10) == pytest.approx(0.3, rel=1e-15)


@pytest.mark.parametrize("commission", [PerOrder(5), PerShare(0.1, 5), Rate(0.1)])
def test_an_order_of_no_shares_pays_nothing(commission: Any) -> None:
    assert commission.fee(0.0, 10.0) == 0


def test_constant_slippages_ignore_size_and_volume() -> None:
    assert NoSlippage().fraction(1e9, math.nan) == 0
    assert Fraction(0.02).fraction(1, math.nan) == Fraction(0.02).fraction(1e9, 1) == 0.02
    assert HalfSpread(5).fraction(1, 1) == pytest.approx(0.0005, rel=1e-15)
    assert Fraction(0.02).max_shares(0) == math.inf


def test_slippage_by_volume_follows_its_shape() -> None:
    """100 shares of 10,000 are 1 %: linear gives a tenth of that, the root of 1 % is 10 %."""
    assert VolumeParticipation("linear").fraction(100, 10_000) == pytest.approx(0.001, rel=1e-14)
    assert VolumeParticipation("square_root").fraction(100, 10_000) == pytest.approx(0.01, rel=1e-14)
    assert VolumeParticipation("linear", coefficient=2).fraction(100, 10_000) == pytest.approx(0.02, rel=1e-14)


def test_slippage_by_volume_never_takes_the_whole_price() -> None:
    assert VolumeParticipation("linear", coefficient=500, max_share=1).fraction(100, 100) == 0.99


@pytest.mark.parametrize("volume", [0.0, math.nan])
def test_nothing_fills_without_volume(volume: float) -> None:
    assert VolumeParticipation("linear").max_shares(volume) == 0


def test_an_order_takes_at_most_its_share_of_the_volume() -> None:
    assert VolumeParticipation("linear").max_shares(5000) == 500
    assert VolumeParticipation("linear", max_share=0.5).max_shares(5000) == 2500


COMMISSIONS = [PerOrder(1.5), PerShare(0.01), PerShare(0.01, 1.0), Rate(0.001)]
SLIPPAGES = [
    NoSlippage(),
    Fraction(0.01),
    HalfSpread(5.0),
    VolumeParticipation("linear"),
    VolumeParticipation("square_root", 0.2, 0.3),
]


@pytest.mark.parametrize("model", COMMISSIONS)
def test_a_commission_survives_a_round_trip_over_the_wire(model: Any) -> None:
    assert commission_from_wire(model.to_wire()) == model


@pytest.mark.parametrize("model", SLIPPAGES)
def test_a_slippage_survives_a_round_trip_over_the_wire(model: Any) -> None:
    assert slippage_from_wire(model.to_wire()) == model


def test_a_plain_number_means_the_usual_model() -> None:
    assert commission_from_wire(3) == PerOrder(3)
    assert slippage_from_wire(0.01) == Fraction(0.01)
    assert slippage_from_wire(0).fraction(1, 1) == 0


def test_a_model_is_written_with_its_wire_names() -> None:
    assert PerShare(0.01, 1.0).to_wire() == {"model": "per_share", "amount": 0.01, "minimum": 1.0}
    assert Fraction(0.01).to_wire() == {"model": "fraction", "fraction": 0.01}
    assert slippage_from_wire({"model": "volume_participation", "shape": "linear"}).to_wire() == {
        "model": "volume_participation",
        "shape": "linear",
        "coefficient": 0.1,
        "max_share": 0.1,
    }


@pytest.mark.parametrize(
    ("wire", "message"),
    [
        (-1, "amount is -1"),
        (math.nan, "amount is nan"),
        (math.inf, "amount is inf"),
        (10**400, "must be a finite number"),
        (True, "must be a number"),
        ("1", "must be a number"),
        (None, "must be a number"),
        ({}, "model is None; it must be one of per_order, per_share, rate"),
        ({"model": ["rate"]}, "it must be one of"),
        ({"model": "fraction", "fraction": 0.1}, "it must be one of"),
        ({"model": "rate"}, "'rate' needs the field 'rate'"),
        ({"model": "rate", "rate": 1.5}, "from 0 to 1"),
        ({"model": "rate", "rate": 0.1, "rat": 1}, "'rat' is not a field of 'rate' (it has: rate)"),
        ({"model": "per_share", "amount": 1, "minimum": -1}, "minimum is -1"),
    ],
)
def test_a_wrong_commission_says_what_is_wrong(wire: Any, message: str) -> None:
    with pytest.raises(ValueError) as error:
        commission_from_wire(wire)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("wire", "message"),
    [
        (1.01, "fraction is 1.01; it must be a finite number from 0 to 1"),
        ({"model": "none", "bps": 3}, "(it has: none)"),
        ({"model": "half_spread", "bps": 10_001}, "from 0 to 10000"),
        ({"model": "volume_participation"}, "needs the field 'shape'"),
        ({"model": "volume_participation", "shape": "cubic"}, "'square_root' or 'linear'"),
        ({"model": "volume_participation", "shape": "linear", "max_share": 0}, "nothing could ever fill"),
        ({"model": "volume_participation", "shape": "linear", "coefficient": math.nan}, "coefficient is nan"),
    ],
)
def test_a_wrong_slippage_says_what_is_wrong(wire: Any, message: str) -> None:
    with pytest.raises(ValueError) as error:
        slippage_from_wire(wire)
    assert message in str(error.value)
