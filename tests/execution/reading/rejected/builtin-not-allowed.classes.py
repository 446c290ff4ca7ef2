"""Classes created by a call, and objects that expose their attributes."""

import numpy as np


class Own:
    attributes = None

    def rename(self, value):
        setattr(self, "attributes", value)

    def write(self):
        vars(self)["a"] = 1  # <-
        vars(self).update(a=1)  # <-
        taken = vars(self)  # <-
        return taken, list(map(vars, [self]))  # <-

    @classmethod
    def make(cls, name):
        return type(cls)(name, (), {})  # <-


kind = int
meta = type(kind)
type(type(1))("A", (), {"__eq__": None})  # <-
type(int)("A", (), {})  # <-
type(Own)("A", (), {})  # <-
type(np.ndarray)("A", (), {})  # <-
type(kind)("A", (), {})  # <-
type(kind)(*["A", (), {}])  # <-
meta("A", (), {})  # <-
vars(kind)  # <-
vars()  # <-
setattr(kind, "attributes", 1)  # <-


from hqg_algorithms import Hold, Strategy


class Honest(Strategy):
    universe = ["SPY"]

    def on_data(self, data, portfolio):
        return Hold()
