"""The cost of a fill: commission and slippage models, read from and written as wire objects.

Fees are in account currency. Slippage is a fraction of the reference price: buys pay it on top, sells give it up.
Share counts, prices and volumes passed in are never negative.
"""

import math
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

LARGEST_FRACTION = 0.99
"""Cap on slippage: an order larger than the day's volume still keeps a hundredth of its reference price."""


class CostModel(ABC):
    """A model with its wire name; `wire_names` are its arguments, of which the first is required.

    Plain classes, not dataclasses, which take a tenth of a box's start to build.
    """

    model: ClassVar[str]
    wire_names: ClassVar[tuple[str, ...]] = ()

    def to_wire(self) -> dict[str, Any]:
        """The object from which the reader below builds an equal model."""
        return {"model": self.model, **dict(zip(self.wire_names, vars(self).values(), strict=True))}

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((self.model, *vars(self).values()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"


class Commission(CostModel):
    """The broker's charge for one order."""

    @abstractmethod
    def fee(self, shares: float, price: float) -> float:
        """The fee of one order at its fill price; 0.0 for zero shares."""

    def marginal_fraction(self, price: float) -> float:
        """Upper bound on the growth of an order's fee with its value, as a fraction of the value."""
        return 0.0


class Slippage(CostModel):
    """How far from its reference price an order fills, and how many shares fill."""

    uses_volume: ClassVar[bool] = False
    """True when an order cannot fill on a day without a known volume."""

    @abstractmethod
    def fraction(self, shares: float, volume: float) -> float:
        """The fraction of the reference price lost, 0 to 1; `volume` is the bar's, in shares, or NaN."""

    def max_shares(self, volume: float) -> float:
        """Maximum shares that one order fills on a day of that volume; infinite without a limit."""
        return math.inf

    def marginal_fraction(self) -> float:
        """Upper bound on the growth of an order's slippage with its value, as a fraction of the value."""
        return self.fraction(1.0, math.nan)


class PerOrder(Commission):
    """A flat amount per order."""

    model = "per_order"
    wire_names = ("amount",)

    def __init__(self, amount: float) -> None:
        self.amount = _require("amount", amount)

    def fee(self, shares: float, price: float) -> float:
        return self.amount if shares else 0.0


class PerShare(Commission):
    """An amount per share, at least `minimum` per order."""

    model = "per_share"
    wire_names = ("amount", "minimum")

    def __init__(self, amount: float, minimum: float = 0.0) -> None:
        self.amount = _require("amount", amount)
        self.minimum = _require("minimum", minimum)

    def fee(self, shares: float, price: float) -> float:
        return max(self.amount * shares, self.minimum) if shares else 0.0

    def marginal_fraction(self, price: float) -> float:
        return self.amount / price


class Rate(Commission):
    """A fraction of the traded value at the fill price."""

    model = "rate"
    wire_names = ("rate",)

    def __init__(self, rate: float) -> None:
        self.rate = _require("rate", rate, most=1)

    def fee(self, shares: float, price: float) -> float:
        return self.rate * shares * price

    def marginal_fraction(self, price: float) -> float:
        return self.rate


class NoSlippage(Slippage):
    """Every order fills at its reference price."""

    model = "none"

    def fraction(self, shares: float, volume: float) -> float:
        return 0.0


class Fraction(Slippage):
    """The same fraction of the price for every order."""

    model = "fraction"
    wire_names = ("fraction",)

    def __init__(self, fraction: float) -> None:
        self.of_price = _require("fraction", fraction, most=1)

    def fraction(self, shares: float, volume: float) -> float:
        return self.of_price


class HalfSpread(Slippage):
    """Half the distance between bid and ask, in basis points of the price."""

    model = "half_spread"
    wire_names = ("bps",)

    def __init__(self, bps: float) -> None:
        self.bps = _require("bps", bps, most=10_000)

    def fraction(self, shares: float, volume: float) -> float:
        return self.bps / 10_000


class VolumeParticipation(Slippage):
    """Impact that grows with the order's share p of the day's volume: coefficient × p or coefficient × √p.

    Args:
        shape: "square_root" or "linear".
        coefficient: fraction of the price lost by an order as large as the whole day's volume.
        max_share: largest share of the day's volume that one order may take, above 0 and at most 1.
    """

    model = "volume_participation"
    wire_names = ("shape", "coefficient", "max_share")
    uses_volume = True

    def __init__(self, shape: str, coefficient: float = 0.1, max_share: float = 0.1) -> None:
        if shape not in ("square_root", "linear"):
            raise ValueError(f"shape is {shape!r}; it must be 'square_root' or 'linear'")
        self.shape = shape
        self.coefficient = _require("coefficient", coefficient)
        self.max_share = _require("max_share", max_share, most=1)
        if max_share == 0:
            raise ValueError("max_share is 0, so nothing could ever fill; it must be above 0")

    def fraction(self, shares: float, volume: float) -> float:
        if not volume > 0:  # NaN too
            return LARGEST_FRACTION
        participation = shares / volume
        shaped = participation if self.shape == "linear" else math.sqrt(participation)
        return min(self.coefficient * shaped, LARGEST_FRACTION)

    def max_shares(self, volume: float) -> float:
        return self.max_share * volume if volume > 0 else 0.0

    def marginal_fraction(self) -> float:
        if self.shape == "linear":
            return 2.0 * self.coefficient * self.max_share
        return 1.5 * self.coefficient * math.sqrt(self.max_share)


COMMISSIONS = {model.model: model for model in (PerOrder, PerShare, Rate)}
SLIPPAGES = {model.model: model for model in (NoSlippage, Fraction, HalfSpread, VolumeParticipation)}


def commission_from_wire(value: float | Mapping[str, Any]) -> Commission:
    """The commission of a request: a number is a flat amount per order, an object names its model.

    Raises:
        ValueError: an unknown model or field, or a field missing, of a wrong type or out of range.
    """
    wire = value if isinstance(value, Mapping) else {"model": "per_order", "amount": value}
    return _from_wire(wire, COMMISSIONS)


def slippage_from_wire(value: float | Mapping[str, Any]) -> Slippage:
    """The slippage of a request: a number is a fraction of the price, an object names its model.

    Raises:
        ValueError: an unknown model or field, or a field missing, of a wrong type or out of range.
    """
    wire = value if isinstance(value, Mapping) else {"model": "fraction", "fraction": value}
    return _from_wire(wire, SLIPPAGES)


AnyModel = TypeVar("AnyModel", bound=CostModel)


def _from_wire(wire: Mapping[str, Any], models: Mapping[str, type[AnyModel]]) -> AnyModel:
    name = wire.get("model")
    model = models.get(name) if isinstance(name, str) else None
    if model is None:
        raise ValueError(f"model is {name!r}; it must be one of {', '.join(models)}")
    names = model.wire_names
    unknown = [key for key in wire if key not in ("model", *names)]
    if unknown:
        raise ValueError(f"{unknown[0]!r} is not a field of {name!r} (it has: {', '.join(names) or 'none'})")
    if names and names[0] not in wire:
        raise ValueError(f"{name!r} needs the field {names[0]!r}")
    return model(**{key: wire[key] for key in names if key in wire})


def _require(name: str, value: float, most: float = sys.float_info.max) -> float:
    """The value; raises ValueError unless it is a finite number from 0 to `most`."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ValueError(f"{name} is {value!r}; it must be a number")
    if not 0 <= value <= most:
        limit = f"from 0 to {most:g}" if most < sys.float_info.max else "of at least 0"
        raise ValueError(f"{name} is {value!r}; it must be a finite number {limit}")
    return value
