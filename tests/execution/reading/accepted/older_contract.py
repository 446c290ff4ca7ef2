import numpy as np


class OlderContract(Strategy):
    def __init__(self):
        self.window = 10
        self.closes = []

    def universe(self):
        return ["SPY", "TLT"]

    def cadence(self):
        return Cadence(bar_size=BarSize.DAILY)

    def on_data(self, slice: Slice, portfolio: PortfolioView):
        spy = slice.get("SPY")
        if not spy:
            return None
        self.closes.append(spy.close)
        if len(self.closes) < self.window:
            return None
        return {"SPY": 1.0} if spy.close > np.mean(self.closes[-self.window :]) else {"TLT": 1.0}
