"""Requests that run as they stand, for the documentation pages; `examples/` has the same as files."""

from fastapi.openapi.models import Example

SMA_TREND = '''\
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
'''

STRONGEST_OF_FOUR = '''\
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
'''

CALM_MIX = '''\
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
'''

REQUEST_EXAMPLES: dict[str, Example] = {
    "sma_trend": {
        "summary": "Trend: shares above their 21-day average, else bonds",
        "value": {
            "name": "21-day trend on SPY and BND",
            "strategy_code": SMA_TREND,
            "start_date": "2015-01-01",
            "end_date": "2020-12-31",
            "initial_capital": 10000,
            "commission": 0,
            "slippage": 0.0005,
            "benchmark": "SPY",
            "risk_free_rate": None,
            "min_trade_value": 1,
            "seed": 0,
            "parameters": {},
        },
    },
    "strongest_of_four": {
        "summary": "Momentum: monthly, with a parameter and cost models",
        "value": {
            "name": "Strongest of four markets",
            "strategy_code": STRONGEST_OF_FOUR,
            "start_date": "2012-01-01",
            "end_date": "2022-12-31",
            "initial_capital": 100000,
            "commission": {"model": "per_share", "amount": 0.005, "minimum": 1},
            "slippage": {"model": "half_spread", "bps": 2},
            "parameters": {"lookback_months": 9},
        },
    },
    "calm_mix": {
        "summary": "Risk: weekly, three markets by inverse volatility, the three fields that are required",
        "value": {"strategy_code": CALM_MIX, "start_date": "2010-01-01", "end_date": "2019-12-31"},
    },
}
"""What Swagger offers under "Examples"; the first is `examples/request.json`."""
