from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Callable, Final, Generic, Literal, Protocol, TypeAlias, TypeVar, Union

from hqg_algorithms import Hold, Strategy, TargetWeights

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hqg_algorithms import PortfolioView, Signal, Slice

T = TypeVar("T", bound="Number")
Number: TypeAlias = Union[int, float]
Field = Literal["open", "high", "low", "close"]
Rule: TypeAlias = "Callable[[Sequence[float]], bool]"
WINDOW: Final[int] = 30


class Indicator(Protocol):
    def update(self, value: "float", /) -> "float | None": ...


class Smoothed(Generic[T]):
    def __init__(self, weight: Annotated[float, "share of the new value, not the old one"]) -> None:
        self.weight = weight
        self.value: "float | None" = None

    def update(self, value: "float", /) -> "float | None":
        self.value = value if self.value is None else self.value + self.weight * (value - self.value)
        return self.value


class StringAnnotations(Strategy):
    universe: "list[str]" = ["SPY"]

    def __init__(self) -> None:
        self.indicator: "Indicator" = Smoothed(0.1)
        self.extra: "dict[str, Any]" = {}

    def read(self, data: "Slice", field: Field = "close") -> "float | None":
        bar = data.bar("SPY")
        if bar is None:
            return None
        return {"open": bar.open, "high": bar.high, "low": bar.low, "close": bar.close}[field]

    def on_data(self: "StringAnnotations", data: "Slice", portfolio: "PortfolioView") -> "Signal":
        close = self.read(data)
        if close is None:
            return Hold()
        smooth = self.indicator.update(close)
        weights: "Mapping[str, float]" = {"SPY": 1.0 if smooth is not None and close > smooth else 0.0}
        return TargetWeights(dict(weights))
