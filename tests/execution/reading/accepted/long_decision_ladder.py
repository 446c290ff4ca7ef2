from hqg_algorithms import BarSize, Cadence, Hold, Liquidate, Strategy, TargetWeights

# A daily score, as a ladder maintained by hand.


class LongDecisionLadder(Strategy):
    universe = ["SPY"]
    cadence = Cadence(bar_size=BarSize.DAILY)

    def __init__(self):
        self.last = None
        self.count = 0

    def on_data(self, data, portfolio):
        close = data.close("SPY")
        if close is None:
            return Hold()
        change = 0.0 if self.last is None else close / self.last - 1
        self.last = close
        self.count += 1
        if change > 0.05:
            weight = 0.0
        elif change > 0.0475:
            weight = 0.025
        elif change > 0.0450:
            weight = 0.050
        elif change > 0.0425:
            weight = 0.075
        elif change > 0.0400:
            weight = 0.100
        elif change > 0.0375:
            weight = 0.125
        elif change > 0.0350:
            weight = 0.150
        elif change > 0.0325:
            weight = 0.175
        elif change > 0.0300:
            weight = 0.200
        elif change > 0.0275:
            weight = 0.225
        elif change > 0.0250:
            weight = 0.250
        elif change > 0.0225:
            weight = 0.275
        elif change > 0.0200:
            weight = 0.300
        elif change > 0.0175:
            weight = 0.325
        elif change > 0.0150:
            weight = 0.350
        elif change > 0.0125:
            weight = 0.375
        elif change > 0.0100:
            weight = 0.400
        elif change > 0.0075:
            weight = 0.425
        elif change > 0.0050:
            weight = 0.450
        elif change > 0.0025:
            weight = 0.475
        elif change > 0.0000:
            weight = 0.500
        elif change > -0.0025:
            weight = 0.525
        elif change > -0.0050:
            weight = 0.550
        elif change > -0.0075:
            weight = 0.575
        elif change > -0.0100:
            weight = 0.600
        elif change > -0.0125:
            weight = 0.625
        elif change > -0.0150:
            weight = 0.650
        elif change > -0.0175:
            weight = 0.675
        elif change > -0.0200:
            weight = 0.700
        elif change > -0.0225:
            weight = 0.725
        elif change > -0.0250:
            weight = 0.750
        elif change > -0.0275:
            weight = 0.775
        elif change > -0.0300:
            weight = 0.800
        elif change > -0.0325:
            weight = 0.825
        elif change > -0.0350:
            weight = 0.850
        elif change > -0.0375:
            weight = 0.875
        elif change > -0.0400:
            weight = 0.900
        elif change > -0.0425:
            weight = 0.925
        elif change > -0.0450:
            weight = 0.950
        elif change > -0.0475:
            weight = 0.975
        else:
            return Liquidate()
        return TargetWeights({"SPY": weight})
