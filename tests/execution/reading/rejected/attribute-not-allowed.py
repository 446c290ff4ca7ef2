"""Attributes that give access to the interpreter from any object."""

import numpy as np
import pandas as pd

from hqg_algorithms import Strategy as S

frame = pd.DataFrame({"a": [1]})
().__class__.__base__.__subclasses__()  # <-
"".__ｃｌａｓｓ__  # <-
(lambda: 0).__globals__  # <-
(lambda: 0).__code__  # <-
print.__self__  # <-
int.mro()  # <-
object.__getattribute__([], "x")  # <-
object.__setattr__(frame, "x", 1)  # <-
iter([1]).__reduce__()  # <-
(i for i in []).gi_frame.f_builtins  # <-
property(None).fget  # <-
frame._mgr  # <-
S._log_handler  # <-
frame.to_csv("/tmp/x")  # <-
frame.to_pickle  # <-
frame.to_something_new("/tmp/x")  # <-
frame.to_string("/tmp/x")  # <-
frame.to_string(buf="/tmp/x")  # <-
frame.a.plot(backend="antigravity")  # <-
frame.a.hist(backend="antigravity")  # <-
frame.hist(**{"backend": "antigravity"})  # <-
frame.boxplot(1, 2, 3, 4, 5, "antigravity")  # <-
frame.style.env  # <-
frame.query("@f()")  # <-
frame.query("a.to_csv('/tmp/x')")  # <-
frame.eval("b = @x.y", engine="python")  # <-
frame.query(frame)  # <-
later = frame.agg  # <-
np.arange(3).tofile("/tmp/x")  # <-
np.arange(3).ctypes.data  # <-
np.random.PCG64().ctypes  # <-
str.format("{0.__class__}", 1)  # <-
template = frame.format  # <-
"{x}".format_map({})  # <-
frame.__class__ = int  # <-
frame.__dict__["x"] = 1  # <-


def spoofed(self):
    return self._pytesttester  # <-


class Printer:
    def reveal(self, other):
        other.__filenames = []  # <-


try:
    np.nothing
except AttributeError as error:
    error.obj  # <-
    error.__traceback__  # <-
match spoofed:
    case object(__globals__=g):  # <-
        pass


from hqg_algorithms import Hold, Strategy


class Honest(Strategy):
    universe = ["SPY"]

    def on_data(self, data, portfolio):
        return Hold()
