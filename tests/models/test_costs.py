import pytest
from pydantic import TypeAdapter, ValidationError

from src.models.costs import Commission, Slippage

COMMISSION = TypeAdapter(Commission)
SLIPPAGE = TypeAdapter(Slippage)


def dump(adapter: TypeAdapter, value: object) -> object:
    return adapter.dump_python(adapter.validate_python(value))


@pytest.mark.parametrize("value", [0, 1.5, {"model": "per_order", "amount": 1.0}, {"model": "rate", "rate": 0.001}])
def test_a_commission_is_serialized_as_it_was_sent(value):
    assert dump(COMMISSION, value) == value


@pytest.mark.parametrize(
    "value",
    [
        0,
        0.0005,
        1,
        {"model": "none"},
        {"model": "fraction", "fraction": 0.001},
        {"model": "half_spread", "bps": 5.0},
    ],
)
def test_a_slippage_is_serialized_as_it_was_sent(value):
    assert dump(SLIPPAGE, value) == value


def test_model_defaults_are_filled_in():
    assert dump(COMMISSION, {"model": "per_share", "amount": 0.005}) == {
        "model": "per_share",
        "amount": 0.005,
        "minimum": 0.0,
    }
    assert dump(SLIPPAGE, {"model": "volume_participation", "shape": "square_root"}) == {
        "model": "volume_participation",
        "shape": "square_root",
        "coefficient": 0.1,
        "max_share": 0.1,
    }


@pytest.mark.parametrize(
    "value",
    [
        -0.01,
        True,
        "1",
        None,
        [],
        {},
        float("nan"),
        {"model": "fraction", "fraction": 0.1},
        {"model": ["per_order"]},
        {"model": "per_order"},
        {"model": "per_order", "amount": -1},
        {"model": "per_share", "amount": 1, "minimum": -1},
        {"model": "rate", "rate": 1.01},
        {"model": "rate", "rate": True},
    ],
)
def test_an_invalid_commission_is_refused(value):
    with pytest.raises(ValidationError):
        COMMISSION.validate_python(value)


@pytest.mark.parametrize(
    "value",
    [
        -0.01,
        1.01,
        True,
        False,
        "0.1",
        float("inf"),
        {"model": "rate", "rate": 0.1},
        {"model": "half_spread", "bps": 10_001},
        {"model": "volume_participation", "shape": "cubic"},
        {"model": "volume_participation", "shape": "linear", "max_share": 0},
        {"model": "volume_participation", "shape": "linear", "coefficient": -1},
    ],
)
def test_an_invalid_slippage_is_refused(value):
    with pytest.raises(ValidationError):
        SLIPPAGE.validate_python(value)


def test_the_error_for_an_unknown_model_lists_the_known_ones():
    with pytest.raises(ValidationError, match="one of: per_order, per_share, rate"):
        COMMISSION.validate_python({"model": "\ud800"})
