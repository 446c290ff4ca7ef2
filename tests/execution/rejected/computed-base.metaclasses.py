"""A metaclass by another name, or of the author's own."""

from abc import ABC


class ABCMeta:
    pass


class Made(metaclass=ABCMeta):  # <-
    pass


class Called(metaclass=print("M", (), {})):  # <-
    pass


class Typed(metaclass=type(ABC)):  # <-
    pass


from hqg_algorithms import Hold, Strategy


class Honest(Strategy):
    universe = ["SPY"]

    def on_data(self, data, portfolio):
        return Hold()
