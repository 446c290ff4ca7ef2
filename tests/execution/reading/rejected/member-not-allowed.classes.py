"""Functions that create classes, given computed names or names that Python reserves."""

import abc
import collections
import enum
import typing
from abc import ABCMeta
from collections import namedtuple
from enum import Enum
from functools import partial
from types import SimpleNamespace
from typing import NamedTuple

fields = [str(enum.Flag), "price"]
text = str(fields)
abc.ABCMeta("A", (), {})  # <-
ABCMeta("A", (), {})  # <-
made = ABCMeta  # <-
namedtuple("P", "gi_frame f_builtins")  # <-
namedtuple("P", ["gi_frame"])  # <-
namedtuple("P", fields)  # <-
namedtuple("P", text)  # <-
namedtuple(*["P", fields])  # <-
namedtuple(typename="P", field_names=text)  # <-
collections.namedtuple("P", text.split())  # <-
maker = namedtuple  # <-
NamedTuple("P", [("gi_frame", object)])  # <-
typing.NamedTuple("P", fields)  # <-
Enum("E", {text: 1})  # <-
Enum("E", [(text, 1)])  # <-
enum.IntEnum("E", names=text)  # <-


class Point(namedtuple("Point", "obj")):  # <-
    pass


class Meta(ABCMeta):  # <-
    pass


class Config(SimpleNamespace):  # <-
    pass


partial(SimpleNamespace, **{"a": 1})  # <-
make = SimpleNamespace  # <-


from hqg_algorithms import Hold, Strategy


class Honest(Strategy):
    universe = ["SPY"]

    def on_data(self, data, portfolio):
        return Hold()
