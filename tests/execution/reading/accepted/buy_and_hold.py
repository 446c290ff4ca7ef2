from hqg_algorithms import Hold, Strategy, TargetWeights


class BuyAndHold(Strategy):
    universe = ["SPY"]

    def __init__(self):
        self.invested = False

    def on_data(self, data, portfolio):
        if self.invested or not data.has("SPY"):
            return Hold()
        self.invested = True
        return TargetWeights({"SPY": 1.0})
