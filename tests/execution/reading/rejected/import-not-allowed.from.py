"""Denied names in allowed modules, and modules reached only by `from`."""

from numpy import f2py  # <-
from numpy import load  # <-
from numpy.f2py import os  # <-
from numpy.lib.stride_tricks import as_strided  # <-
from numpy.testing import runstring  # <-
from pandas import read_csv  # <-
from pandas import eval as e  # <-
from pandas.errors import ctypes  # <-
from pandas.io.common import get_handle  # <-
from scipy import io, LowLevelCallable  # <-
from scipy.stats.contingency import reduce  # <-
from sklearn import os  # <-
from sklearn.base import inspect  # <-
from sklearn.pipeline import get_namespace  # <-
from sklearn.utils.discovery import import_module  # <-
from hqg_algorithms import parsing  # <-
from hqg_backtester import Client  # <-
from hqg_backtester.signals import math  # <-
from hqg_backtester.client import Client  # <-
from collections import _sys  # <-
from dataclasses import builtins, make_dataclass  # <-
from datetime import sys  # <-
from enum import global_enum  # <-
from functools import singledispatch, update_wrapper  # <-
from operator import attrgetter, methodcaller  # <-
from statistics import random  # <-
from string import Formatter  # <-
from types import FunctionType  # <-
from typing import get_type_hints, ForwardRef  # <-


from hqg_algorithms import Hold, Strategy


class Honest(Strategy):
    universe = ["SPY"]

    def on_data(self, data, portfolio):
        return Hold()
