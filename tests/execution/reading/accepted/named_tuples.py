from collections import namedtuple
from typing import NamedTuple

from hqg_algorithms import Hold, Strategy, TargetWeights

Point = namedtuple("Point", ["day", "price"])


class Trade(NamedTuple):
    symbol: str
    weight: float = 0.0

    def scaled(self, factor: float) -> "Trade":
        return self._replace(weight=self.weight * factor)


class Swing(namedtuple("Swing", "low high")):
    __slots__ = ()

    @property
    def middle(self):
        return (self.low.price + self.high.price) / 2


class NamedTuples(Strategy):
    universe = ["GLD", "SLV"]

    def __init__(self):
        self.day = 0
        self.points = []

    def on_data(self, data, portfolio):
        self.day += 1
        price = data.close("GLD")
        if price is None:
            return Hold()
        self.points.append(Point(self.day, price))
        if len(self.points) < 10:
            return Hold()
        recent = self.points[-10:]
        swing = Swing(low=min(recent, key=lambda p: p.price), high=max(recent, key=lambda p: p.price))
        trades = [Trade("GLD", 1.0), Trade(symbol="SLV", weight=1.0)]
        trades = [t.scaled(0.5) for t in trades]
        if price < swing.middle:
            trades = [t.scaled(0.5) for t in trades]
        print(trades[0]._asdict(), Trade._fields, swing._make(swing))
        return TargetWeights({symbol: weight for symbol, weight in trades})
