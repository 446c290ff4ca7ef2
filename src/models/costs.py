"""How a request states trading costs: a number, or an object that names a model."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from src.models.plain import Number

Money = Annotated[Number, Field(ge=0, le=1e15)]
Fraction = Annotated[Number, Field(ge=0, le=1)]


class CostModel(BaseModel):
    """Base of all cost models."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class PerOrderCommission(CostModel):
    """A flat fee for every order."""

    model: Literal["per_order"]
    amount: Money
    """Fee per order, in account currency."""


class PerShareCommission(CostModel):
    """A fee for every share traded, with a floor per order.

    Shares are counted in the units of the prices: adjusted for later splits. With price_adjustment
    "dividends_and_splits" prices exclude dividends too, so past orders have more shares than were really traded.
    """

    model: Literal["per_share"]
    amount: Money
    """Fee per share, in account currency."""
    minimum: Money = 0.0
    """Minimum fee per order, in account currency."""


class RateCommission(CostModel):
    """A fee proportional to the traded value."""

    model: Literal["rate"]
    rate: Fraction
    """Fraction of the traded value at the fill price; 0.001 is a tenth of a percent."""


class NoSlippage(CostModel):
    """Orders fill at the reference price."""

    model: Literal["none"]


class FractionSlippage(CostModel):
    """Orders fill a fixed fraction of price worse than the reference price."""

    model: Literal["fraction"]
    fraction: Fraction
    """Fraction of price; 0.0005 is five basis points."""


class HalfSpreadSlippage(CostModel):
    """Orders pay half of the bid-ask spread."""

    model: Literal["half_spread"]
    bps: Annotated[Number, Field(ge=0, le=10_000)]
    """Half of the spread in basis points of price; 5 is 0.05 percent."""


class VolumeParticipationSlippage(CostModel):
    """Slippage that grows with the order's share of the day's volume; large orders fill partially."""

    model: Literal["volume_participation"]
    shape: Literal["square_root", "linear"]
    """Whether the fraction of price grows with the share of volume or with its square root."""
    coefficient: Annotated[Number, Field(ge=0, le=1e6)] = 0.1
    """Fraction of price lost by an order as large as the day's volume."""
    max_share: Annotated[Number, Field(gt=0, le=1)] = 0.1
    """Largest share of the day's volume that one order may take; the rest does not fill."""


def _number_or_model(value: Any) -> Any:
    if isinstance(value, int | float):
        return "number"
    return value.get("model") if isinstance(value, dict) else getattr(value, "model", None)


def _one_of(*models: str) -> Discriminator:
    return Discriminator(
        _number_or_model,
        custom_error_type="unknown_cost_model",
        custom_error_message=f"Must be a number, or an object whose 'model' is one of: {', '.join(models)}",
    )


Commission = Annotated[
    Annotated[Money, Tag("number")]
    | Annotated[PerOrderCommission, Tag("per_order")]
    | Annotated[PerShareCommission, Tag("per_share")]
    | Annotated[RateCommission, Tag("rate")],
    _one_of("per_order", "per_share", "rate"),
]

Slippage = Annotated[
    Annotated[Fraction, Tag("number")]
    | Annotated[NoSlippage, Tag("none")]
    | Annotated[FractionSlippage, Tag("fraction")]
    | Annotated[HalfSpreadSlippage, Tag("half_spread")]
    | Annotated[VolumeParticipationSlippage, Tag("volume_participation")],
    _one_of("none", "fraction", "half_spread", "volume_participation"),
]
