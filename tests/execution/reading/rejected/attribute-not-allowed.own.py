"""The author's own names, and objects that are not the author's."""

from abc import ABC
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from numbers import Number
from typing import Protocol, runtime_checkable

frame = pd.DataFrame({"a": [1]})


class Table(pd.DataFrame):
    def draw(self):
        self.plot(backend="antigravity")  # <-


class Drawn:
    def draw(self, value):
        self.plot("value", value)

    def draw_another(self, value):
        self = frame
        self.plot(backend="antigravity")  # <-

    def redraw(self):
        self.plot = frame.plot  # <-
        type(self).plot(frame, backend="antigravity")  # <-


Drawn.draw(frame, "antigravity")  # <-


class Query:
    query = None
    style = None
    env = None
    _mgr = None

    def ask(self, text):
        return self.query(text)

    def again(self, text):
        self = frame
        return self.query(text)  # <-

    def later(self, text):
        for self in [frame]:
            self.query(text)  # <-

    def inner(self, text):
        def change():
            nonlocal self
            self = frame

        return self.query(text)  # <-

    held = ask  # <-

    @partial(print)  # <-
    def evaluate(self, text):
        return self.query(text)

    @classmethod
    def through(cls, text):
        return cls.ask(frame, text)  # <-

    def typed(self, text):
        return type(self).ask(frame, text)  # <-


Query.ask(frame, "@pd.io.common.os.getpid()")  # <-
Alias = Query  # <-
Alias.ask(frame, "@pd.io.common.os.getpid()")  # <-
print([Query][0])  # <-
list(map(Query, []))  # <-
frame.style  # <-
pd.DataFrame().style.env  # <-
frame._mgr  # <-


class Frame(pd.DataFrame):
    def ask(self, text):
        return self.query(text)  # <-


class Noted(pd.DataFrame):
    query: object

    def ask(self, text):
        return self.query(text)  # <-


class Text(str):
    def write(self, x):
        return self.format(x)  # <-


class Plain(ABC):
    @classmethod
    def register_all(cls):
        cls.register(type(frame))  # <-


Plain.register(int)  # <-
Sequence.register(int)  # <-
Number.register(int)  # <-
claim = Plain.register  # <-


@Plain.register  # <-
class Other:
    register = None


Plain.register(int)  # <-


@runtime_checkable
@dataclass
class Asks(Protocol):
    query: object


match frame:
    case Asks(ask):  # <-
        ask("@pd.io.common.os.getpid()")
    case Asks(query=ask):  # <-
        pass
    case object(query=ask):  # <-
        pass
    case object(_mgr=inner):  # <-
        pass
    case object(style=inner):  # <-
        pass
    case Query(query=None, _mgr=None):
        pass


from hqg_algorithms import Hold, Strategy


class Honest(Strategy):
    universe = ["SPY"]

    def on_data(self, data, portfolio):
        return Hold()
