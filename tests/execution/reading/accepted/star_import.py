from hqg_algorithms import *


class StarImport(Strategy):
    universe = ["SPY"]
    cadence = Cadence(bar_size=BarSize.MONTHLY, execution=ExecutionTiming.CLOSE_TO_CLOSE)

    def on_data(self, data: Slice, portfolio: PortfolioView) -> Signal:
        bar: Bar | None = data.bar("SPY")
        if bar is None:
            return Hold()
        return TargetWeights({"SPY": 1.0}) if bar.close > bar.open else Liquidate()
