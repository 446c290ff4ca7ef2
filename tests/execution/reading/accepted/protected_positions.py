import hqg_backtester as hqg
from hqg_algorithms import Hold, Strategy, TargetWeights
from hqg_backtester import Protected, Weights
from hqg_backtester.signals import Protected as Guarded

STOPS = {"SPY": 0.05, "BND": 0.02}


class ProtectedPositions(Strategy):
    universe = ["SPY", "BND"]

    def on_data(self, data, portfolio):
        if portfolio.positions["SPY"]:
            return Hold()
        if data.close("SPY") > 400:
            return hqg.Protected(hqg.Weights({"BND": 1.0}), take_profit=0.1)
        if data.close("SPY") > 300:
            return Guarded({"SPY": 0.5}, stop_loss=0.1)
        if data.close("SPY") > 200:
            return Weights({"SPY": 0.5})
        return Protected(TargetWeights({"SPY": 0.6, "BND": 0.4}), stop_loss=STOPS, trailing_stop=0.1)
