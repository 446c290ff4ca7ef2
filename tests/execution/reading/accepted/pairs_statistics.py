import math
from scipy import stats
from scipy.stats import norm, zscore
import scipy.signal as signal
import statistics

from hqg_algorithms import Hold, Liquidate, Strategy, TargetWeights


class PairsTrade(Strategy):
    universe = ["AAPL", "MSFT"]
    entry, exit = 2.0, 0.5

    def __init__(self):
        self.a, self.b = [], []
        self.position = None

    def on_data(self, data, portfolio):
        if not (data.has("AAPL") and data.has("MSFT")):
            return Hold()
        self.a.append(math.log(data.close("AAPL")))
        self.b.append(math.log(data.close("MSFT")))
        if len(self.a) < 60:
            return Hold()
        fit = stats.linregress(self.b[-60:], self.a[-60:])
        residuals = [a - fit.slope * b - fit.intercept for a, b in zip(self.a[-60:], self.b[-60:])]
        detrended = signal.detrend(residuals)
        z = zscore(detrended)[-1]
        p_value = 2 * (1 - norm.cdf(abs(z)))
        self.log("z={:.2f} p={:.3f} sd={:.4f}".format(z, p_value, statistics.stdev(residuals)))
        if abs(z) < self.exit and self.position:
            self.position = None
            return Liquidate()
        if z > self.entry and p_value < 0.05:
            self.position = "MSFT"
        elif z < -self.entry:
            self.position = "AAPL"
        return TargetWeights({self.position: 1.0}) if self.position else Hold()
