"""Members of allowed modules that are not part of their purpose."""

import collections
import contextlib
import dataclasses
import datetime
import enum
import functools
import json
import operator
import random
import re
import statistics
import string
import typing
import warnings

import hqg_algorithms
import numpy as np
import numpy
import pandas as pd
import scipy.optimize
import sklearn
from pandas import set_option

np.f2py.os.getpid()  # <-
numpy.ma.core.builtins.open("/etc/hostname")  # <-
np.random.mtrand.operator  # <-
np.random.bit_generator  # <-
np.linalg._umath_linalg  # <-
np._pytesttester.os  # <-
np.__spec__.loader  # <-
np.load("/tmp/x.npy", allow_pickle=True)  # <-
np.lib.npyio.DataSource(None)  # <-
np.lib.stride_tricks.as_strided  # <-
np.bmat("name")  # <-
np.show_runtime  # <-
np.polynomial.polyutils.functools.reduce  # <-
pd.core.frame.sys._getframe(0)  # <-
pd.io.common.os  # <-
pd.read_pickle("/tmp/x")  # <-
pd.eval("pd.io.common.os.getpid()")  # <-
pd.test  # <-
pd.errors.ctypes.CDLL(None)  # <-
pd.api.extensions.register_dataframe_accessor("close")  # <-
pd.options.plotting  # <-
pd.set_option("plotting.backend", "antigravity")  # <-
pd.set_option("backend", "antigravity")  # <-
pd.set_option("display.width", 80, "plotting.backend", "antigravity")  # <-
chosen = pd.set_option  # <-
set_option("plotting." + "backend", "antigravity")  # <-
scipy.optimize.cython_optimize  # <-
sklearn.os  # <-
hqg_algorithms.parsing.ast  # <-
collections._sys.modules  # <-
contextlib.os  # <-
dataclasses.builtins.eval("6*7")  # <-
datetime.sys.modules  # <-
enum.global_enum  # <-
functools.update_wrapper  # <-
functools.wraps(print, assigned=("x",))  # <-
copies = functools.wraps  # <-
json.codecs.open  # <-
operator.methodcaller("x")  # <-
random._os.getpid()  # <-
re.copyreg  # <-
statistics.sys  # <-
string.Formatter().get_field  # <-
typing.contextlib.os  # <-
typing.ForwardRef("1")  # <-
warnings.sys  # <-
caught = warnings.catch_warnings(record=True)  # <-


from hqg_algorithms import Hold, Strategy


class Honest(Strategy):
    universe = ["SPY"]

    def on_data(self, data, portfolio):
        return Hold()
