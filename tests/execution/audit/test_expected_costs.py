"""The audit's own cost arithmetic, against hand calculations."""

import math

import numpy as np
import pytest

from src.execution.audit.expected_costs import fees, largest_sizes, slippage_fractions

SIZES = np.array([1.0, 100.0, 400.0])
VOLUMES = np.array([10_000.0, 10_000.0, 0.0])
PARTICIPATION = {
    "model": "volume_participation",
    "shape": "square_root",
    "coefficient": 0.2,
    "max_share": 0.1,
}


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ({"model": "none"}, [0, 0, 0]),
        ({"model": "fraction", "fraction": 0.02}, [0.02] * 3),
        ({"model": "half_spread", "bps": 5}, [0.0005] * 3),
        (PARTICIPATION, [0.2 * math.sqrt(1e-4), 0.2 * math.sqrt(1e-2), math.nan]),
        (PARTICIPATION | {"shape": "linear"}, [0.2 * 1e-4, 0.2 * 1e-2, math.nan]),
        (PARTICIPATION | {"coefficient": 1e6}, [0.99, 0.99, math.nan]),
    ],
)
def test_slippage_fractions(model, expected):
    with np.errstate(divide="ignore"):
        assert slippage_fractions(model, SIZES, VOLUMES) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ({"model": "per_order", "amount": 1.5}, [1.5, 1.5, 1.5]),
        ({"model": "per_share", "amount": 0.01, "minimum": 2}, [2, 2, 4]),
        ({"model": "per_share", "amount": 0.01, "minimum": 0}, [0.01, 1, 4]),
        ({"model": "rate", "rate": 0.001}, [0.02, 2, 8]),
    ],
)
def test_fees(model, expected):
    assert fees(model, SIZES, np.full(3, 20.0)) == pytest.approx(expected)


def test_only_volume_participation_limits_the_size():
    assert largest_sizes({"model": "none"}, VOLUMES).tolist() == [math.inf] * 3
    assert largest_sizes(PARTICIPATION, VOLUMES) == pytest.approx([1000, 1000, math.nan], nan_ok=True)


def test_a_cost_model_unknown_to_the_audit_raises():
    with pytest.raises(ValueError, match="rebate"):
        fees({"model": "rebate"}, SIZES, SIZES)
    with pytest.raises(ValueError, match="magic"):
        slippage_fractions({"model": "magic"}, SIZES, VOLUMES)
