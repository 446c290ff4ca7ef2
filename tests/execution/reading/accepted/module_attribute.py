import hqg_algorithms as hqg
import hqg_algorithms.types


class ModuleAttribute(hqg.Strategy):
    universe = ["SPY", "BND"]
    cadence = hqg.Cadence(bar_size=hqg.BarSize.WEEKLY, execution=hqg.ExecutionTiming.CLOSE_TO_NEXT_OPEN)

    def on_data(self, data: hqg_algorithms.types.Slice, portfolio: hqg.PortfolioView) -> hqg.Signal:
        if data.has("SPY") and isinstance(data, hqg.Slice):
            return hqg.TargetWeights({"SPY": 0.6, "BND": 0.4})
        return hqg.Hold()
