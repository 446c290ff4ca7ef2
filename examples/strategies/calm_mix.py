"""Every week, more of what moves little: weights in inverse proportion to each market's volatility."""

from collections import deque
from itertools import pairwise
from statistics import pstdev

from hqg_algorithms import BarSize, Cadence, Hold, Strategy, TargetWeights

WEEKS = 26


class CalmMix(Strategy):
    universe = ["SPY", "TLT", "GLD"]
    cadence = Cadence(bar_size=BarSize.WEEKLY)

    def __init__(self):
        self.closes = {symbol: deque(maxlen=WEEKS + 1) for symbol in self.universe}

    def on_data(self, data, portfolio):
        calmness = {}
        for symbol, closes in self.closes.items():
            if data.has(symbol):
                closes.append(data.close(symbol))
            if len(closes) <= WEEKS:
                continue
            volatility = pstdev(after / before - 1 for before, after in pairwise(closes))
            if volatility > 0:
                calmness[symbol] = 1 / volatility
        if not calmness:
            return Hold()
        total = sum(calmness.values())
        return TargetWeights({symbol: value / total for symbol, value in calmness.items()})
