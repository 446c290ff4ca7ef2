"""Modules that touch the machine, and routes to them through modules that do not."""

import os  # <-
import os.path as p  # <-
import sys as math  # <-
import math, socket  # <-
import importlib  # <-
import subprocess  # <-
import ctypes  # <-
import time  # <-
import pickle, builtins  # <-
import __main__ as main  # <-
import joblib  # <-
import hqg_algorithms.parsing  # <-
import src.execution.runner  # <-
import numpy.f2py as f  # <-
import numpy.ctypeslib  # <-
import scipy.io.wavfile  # <-
import sklearn.datasets  # <-
import pandas.io.common  # <-
from os import path  # <-
from . import entrypoint  # <-
from .. import anything  # <-
from importlib import import_module  # <-


class Hidden:
    def method(self):
        import shutil  # <-


from hqg_algorithms import Hold, Strategy


class Honest(Strategy):
    universe = ["SPY"]

    def on_data(self, data, portfolio):
        return Hold()
