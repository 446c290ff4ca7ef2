import random

import numpy as np

from hqg_algorithms import BarSize, Cadence, Strategy, TargetWeights

random.seed(7)
np.random.seed(7)


class SeededRandomness(Strategy):
    """Random weights from a fixed seed."""

    universe = ["SPY", "TLT", "GLD", "DBC"]
    cadence = Cadence(bar_size=BarSize.QUARTERLY)

    def __init__(self):
        self.rng = np.random.default_rng(42)
        self.python_rng = random.Random(42)

    def on_data(self, data, portfolio):
        weights = self.rng.dirichlet(np.ones(len(self.universe)))
        if self.python_rng.random() < 0.5:
            weights = self.rng.permutation(weights)
        chosen = random.sample(self.universe, k=2)
        noise = np.random.normal(0.0, 0.01, size=3).mean() + random.gauss(0, 1) + random.choice([1, 2])
        print(f"{chosen} {noise:.3f}")
        return TargetWeights({s: float(w) * 0.99 for s, w in zip(self.universe, weights)})
