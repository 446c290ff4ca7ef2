"""A name with more than one meaning."""

import numpy as np

from hqg_algorithms import Cadence

Strategy = object  # <-
Cadence = dict  # <-
np = 1  # <-


def shadow():
    global np
    np = 2  # <-


from hqg_algorithms import Hold, Strategy


class Honest(Strategy):
    universe = ["SPY"]

    def on_data(self, data, portfolio):
        return Hold()
