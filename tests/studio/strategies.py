"""Strategies that people of the tests write."""

TREND = """\
from collections import deque
from hqg_algorithms import BarSize, Cadence, ExecutionTiming, Hold, Strategy, TargetWeights
import config


class Trend(Strategy):
    universe = ["SPY", "BND"]
    cadence = Cadence(bar_size=BarSize.DAILY, execution=ExecutionTiming.CLOSE_TO_NEXT_OPEN)

    def __init__(self):
        self.closes = deque(maxlen=config.get("days", 21))
        self.held = None

    def on_data(self, data, portfolio):
        self.closes.append(data.close("SPY"))
        wanted = "SPY" if self.closes[-1] > sum(self.closes) / len(self.closes) else "BND"
        if wanted == self.held:
            return Hold()
        self.held = wanted
        self.log(f"into {wanted}")
        return TargetWeights({wanted: 1.0})
"""

BROKEN = TREND.replace("import config", "import os")
"""Line 3 breaks a rule."""

FAILING = TREND.replace('        self.closes.append(data.close("SPY"))\n', "        1 / (len(self.closes) - 0)\n", 1)
"""Line 15 divides by zero on the first day."""

ENDLESS = """\
from hqg_algorithms import BarSize, Cadence, Strategy, TargetWeights


class Endless(Strategy):
    universe = ["SPY", "GLD"]
    cadence = Cadence(bar_size=BarSize.DAILY)

    def __init__(self):
        self.days = 0

    def on_data(self, data, portfolio):
        self.days += 1
        for number in range(1_500_000):
            number * number
        print("day", self.days)
        return TargetWeights({"SPY": 0.6, "GLD": 0.3})
"""
"""Takes minutes over ten years, and tells every day."""
