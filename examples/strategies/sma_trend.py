"""Shares while they trade above their 21-day average, bonds while they do not."""

from collections import deque

from hqg_algorithms import BarSize, Cadence, ExecutionTiming, Hold, Strategy, TargetWeights

DAYS = 21


class SmaTrend(Strategy):
    universe = ["SPY", "BND"]
    cadence = Cadence(bar_size=BarSize.DAILY, execution=ExecutionTiming.CLOSE_TO_NEXT_OPEN)

    def __init__(self):
        self.closes = deque(maxlen=DAYS)
        self.held = None

    def on_data(self, data, portfolio):
        if not data.has("SPY"):
            return Hold()
        self.closes.append(data.close("SPY"))
        if len(self.closes) < DAYS:
            return Hold()
        average = sum(self.closes) / DAYS
        wanted = "SPY" if self.closes[-1] > average else "BND"
        if wanted == self.held:
            return Hold()
        self.held = wanted
        self.log(f"into {wanted}: SPY closed at {self.closes[-1]:.2f}, its average is {average:.2f}")
        return TargetWeights({wanted: 1.0})
