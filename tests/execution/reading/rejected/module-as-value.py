"""Modules as values, whose attributes can then be read without the rules seeing it."""

import math
import numpy as np
import pandas as pd
from numpy import random as r

alias = np  # <-
short = np.linalg  # <-
(walrus := np)  # <-
listed = [np, 1]  # <-
keyed = {"m": np}  # <-
chosen = np if listed else None  # <-
either = np or pd  # <-
unpacked, = np,  # <-
options = pd.options  # <-
print(math)  # <-
getattr(np, "f2py")  # <-
"{0.f2py}".format(np)  # <-


def default(m=np):  # <-
    return m.f2py


def giver():
    yield np  # <-
    return r  # <-


class Holder:
    module = np  # <-

    def method(self):
        return self.os


Holder.method(np)  # <-
for m in [np]:  # <-
    m.f2py
match np:  # <-
    case object(f2py=g):
        pass
match np.random:  # <-
    case object(mtrand=g):
        pass
with np as context:  # <-
    pass
[x.f2py for x in (np,)]  # <-
(lambda: np)().f2py  # <-


from hqg_algorithms import Hold, Strategy


class Honest(Strategy):
    universe = ["SPY"]

    def on_data(self, data, portfolio):
        return Hold()
