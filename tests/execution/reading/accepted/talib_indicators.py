"""Indicators of TA-Lib on the bars so far, in both interfaces; time, average cost and a table of bars."""

import numpy as np
import talib
from hqg_algorithms import Hold, Liquidate, Strategy, TargetWeights
from talib import MA_Type, abstract
from talib.abstract import SMA


class Indicators(Strategy):
    universe = ["SPY", "BND"]

    def on_data(self, data, portfolio):
        closes = np.array(data.history("SPY", 60))
        if len(closes) < 60 or data.is_warming_up:
            return Hold()
        upper, middle, lower = talib.BBANDS(closes, timeperiod=20, matype=MA_Type.EMA)
        strength = talib.RSI(closes, timeperiod=14)[-1]
        trend = SMA({"close": closes}, timeperiod=50)[-1]
        fast = abstract.Function("ema", timeperiod=10)({"close": closes})[-1]
        swing = talib.ATR(*(np.array(data.history("SPY", 60, field)) for field in ("high", "low", "close")))[-1]
        cost = portfolio.average_cost("SPY")
        if cost is not None and closes[-1] < cost - 3 * swing:
            return Liquidate()
        if data.date.month == 12 and data.time.day > 20 and portfolio.shares("SPY") > 0:
            return Hold()
        if fast > trend and strength < 70 and closes[-1] > lower[-1]:
            return TargetWeights({"SPY": 1.0})
        return TargetWeights({"BND": 1.0})
