"""The source must show what a class is."""

from abc import ABC


class Starred(*[object]):  # <-
    pass


class Called((lambda: object)()):  # <-
    pass


class Meta(metaclass=print):  # <-
    pass


class Many(ABC, **{}):  # <-
    pass


from hqg_algorithms import Hold, Strategy


class Honest(Strategy):
    universe = ["SPY"]

    def on_data(self, data, portfolio):
        return Hold()
