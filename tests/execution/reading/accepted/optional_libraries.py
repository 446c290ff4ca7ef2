try:
    import numpy as np
except ImportError:
    np = None

try:
    from scipy.stats import norm
    HAS_SCIPY = True
except ImportError:
    norm = None
    HAS_SCIPY = False

import copy
import math

from hqg_algorithms import Hold, Strategy, TargetWeights


class OptionalLibraries(Strategy):
    universe = ["SPY"]

    def __init__(self):
        self.closes = []
        self.snapshots = []

    def deviation(self, values):
        if np is not None:
            return float(np.std(values))
        mean = sum(values) / len(values)
        return math.sqrt(sum((v - mean) ** 2 for v in values) / len(values))

    def on_data(self, data, portfolio):
        close = data.close("SPY")
        if close is None:
            return Hold()
        self.closes.append(close)
        if len(self.closes) < 21:
            return Hold()
        copied = copy.deepcopy(self.closes[-21:])
        returns = [b / a - 1 for a, b in zip(copied, copied[1:])]
        value_at_risk = norm.ppf(0.05) * self.deviation(returns) if HAS_SCIPY else -2 * self.deviation(returns)
        self.snapshots = copy.copy(self.snapshots)[-5:] + [value_at_risk]
        return TargetWeights({"SPY": min(1.0, 0.02 / max(-value_at_risk, 1e-6))})
