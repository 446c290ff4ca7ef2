from dataclasses import asdict, dataclass, field, replace
from typing import ClassVar, Optional

from hqg_algorithms import Hold, Strategy, TargetWeights


@dataclass
class Candle:
    open: float
    high: float
    low: float
    close: float

    @property
    def range(self) -> float:
        return self.high - self.low


@dataclass(frozen=True, order=True)
class Level:
    price: float
    label: str = "support"
    width: float = field(default=0.0, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "width", abs(self.price) * 0.01)


@dataclass
class State:
    candles: list[Candle] = field(default_factory=list)
    stop: Optional[Level] = None
    LIMIT: ClassVar[int] = 20

    def add(self, candle: Candle) -> None:
        self.candles.append(candle)
        del self.candles[: -self.LIMIT]


class DataclassState(Strategy):
    universe = ["SPY"]

    def __init__(self):
        self.state = State()

    def on_data(self, data, portfolio):
        bar = data.bar("SPY")
        if bar is None:
            return Hold()
        self.state.add(Candle(open=bar.open, high=bar.high, low=bar.low, close=bar.close))
        if len(self.state.candles) < State.LIMIT:
            return Hold()
        lowest = min(c.low for c in self.state.candles)
        stop = Level(lowest)
        if self.state.stop is None or stop > self.state.stop:
            self.state.stop = replace(stop, label="trailing")
            self.log(str(asdict(self.state.stop)))
        inside = bar.close > self.state.stop.price + self.state.stop.width
        return TargetWeights({"SPY": 1.0 if inside else 0.0})
