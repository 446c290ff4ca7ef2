"""Patches to objects that are not the author's, through every kind of store."""

import math
import numpy as np
import pandas as pd

from hqg_algorithms import Slice

np.sum = lambda *a: 1e9  # <-
Slice.close = lambda s, k: 1.0  # <-
np.random.default_rng = None  # <-
pd.DataFrame.close = 1  # <-
math.pi += 1  # <-
del math.pi  # <-
(math.pi, x) = 1, 2  # <-
for math.e in [3]:  # <-
    pass
with pd.option_context("display.width", 80) as math.tau:  # <-
    pass
[0 for math.inf in [1]]  # <-
Alias = Slice
Alias.open = None  # <-


def patch(data):
    type(data).close = None  # <-


from hqg_algorithms import Hold, Strategy


class Honest(Strategy):
    universe = ["SPY"]

    def on_data(self, data, portfolio):
        return Hold()
