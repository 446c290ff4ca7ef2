"""A metaclass under another name, or one that the author defines."""

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
