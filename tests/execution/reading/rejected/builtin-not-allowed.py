"""Denied builtins as values, in every position for a value."""

import functools
import numpy as np

called = eval("6*7")  # <-
(walrus := eval)  # <-
listed = (eval, exec)  # <-
keyed = {1: compile}  # <-
chosen = eval if called else None  # <-
either = None or eval  # <-
partial = functools.partial(eval, "6*7")  # <-
vector = np.vectorize(eval)  # <-
largest = max(["6*7"], key=eval)  # <-
fullwidth = ｅｖａｌ("6*7")  # <-
handle = open("/etc/hostname")  # <-
names = [globals, locals, vars, dir]  # <-
prompt = [help, exit, quit, credits, copyright]  # <-
address = id(called)  # <-
reads = getattr  # <-
read = getattr([], "__class__")  # <-
computed = getattr([], "__cla" + called)  # <-
asked = hasattr([], "__globals__")  # <-
setattr(called, "x", 1)  # <-
delattr(called, "x")  # <-
maker = type  # <-
made = type("X", (object,), {})  # <-
made = type(*["X", (object,), {}])  # <-
above = super  # <-
view = memoryview(b"")  # <-
f"{eval('6*7')}"  # <-


from hqg_algorithms import Hold, Strategy


class Honest(Strategy):
    universe = ["SPY"]

    def on_data(self, data, portfolio):
        return Hold()
