"""Names that the source does not show."""

from numpy import *  # <-
from math import *  # <-
from typing import *  # <-


from hqg_algorithms import Hold, Strategy


class Honest(Strategy):
    universe = ["SPY"]

    def on_data(self, data, portfolio):
        return Hold()
