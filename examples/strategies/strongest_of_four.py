"""Once a month, all of it in whichever of four markets rose most; cash when none did.

Parameters: lookback_months, over how many months a rise is counted (6 when not given).
"""

from hqg_algorithms import BarSize, Cadence, ExecutionTiming, Hold, Liquidate, Strategy, TargetWeights

import config


class StrongestOfFour(Strategy):
    universe = ["SPY", "EFA", "TLT", "GLD"]
    cadence = Cadence(bar_size=BarSize.MONTHLY, execution=ExecutionTiming.CLOSE_TO_NEXT_OPEN)

    def __init__(self):
        self.months = config.get("lookback_months", 6)
        self.history = {}

    def on_data(self, data, portfolio):
        rises = {}
        for symbol in data.symbols():
            closes = self.history.setdefault(symbol, [])
            closes.append(data.close(symbol))
            if len(closes) > self.months:
                rises[symbol] = closes[-1] / closes[-1 - self.months] - 1
        if not rises:
            return Hold()
        best = max(rises, key=rises.get)
        if rises[best] <= 0:
            return Liquidate()
        return TargetWeights({best: 1.0})
