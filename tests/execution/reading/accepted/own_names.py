"""The author's own classes with any names, class registries, templates as constants and named records."""

from abc import ABC, ABCMeta, abstractmethod
from collections import namedtuple
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from types import SimpleNamespace
from typing import ClassVar, NamedTuple

import numpy as np
import pandas as pd
from scipy.spatial import ConvexHull
from sklearn.base import BaseEstimator, TransformerMixin

from hqg_algorithms import Hold, Slice, Strategy, TargetWeights

DEFAULTS = {"fast": 10, "slow": 50}
COLUMNS = ["day", "price"]
Row = namedtuple("Row", COLUMNS)
Fill = NamedTuple("Fill", [("symbol", str), ("shares", float)])
Side = Enum("Side", "LONG FLAT")
Phase = Enum("Phase", {"CALM": 1, "WILD": 2})
RULES = {}


class Rule(metaclass=ABCMeta):
    FORM = "{:>8} {:.2f}"

    def __init_subclass__(cls, name: str = "", **options):
        super().__init_subclass__(**options)
        RULES[name] = cls

    def __init__(self, **options):
        self.weight = 1.0
        for option in ("fast", "slow"):
            setattr(self, option, options.get(option, 0))

    @abstractmethod
    def apply(self, prices):
        """The weight."""

    def describe(self):
        settings = ", ".join(f"{key}={value}" for key, value in vars(self).items())
        print(dict(vars(self)), len(vars(self)), "fast" in vars(self))
        return self.FORM.format(settings, self.weight)


class Trend(Rule, name="trend"):
    def apply(self, prices):
        series = pd.Series(prices)
        return float(series.rolling(self.fast).mean().iloc[-1] > series.rolling(self.slow).mean().iloc[-1])


class Flat(Rule, name="flat"):
    def apply(self, prices):
        return 0.0


class Journal:
    style = "short"

    def __init__(self):
        self._lines = []

    def register(self, line):
        self._lines.append(self.format(line))

    def format(self, line):
        return f"{self.style}: {line}"

    def query(self, text):
        return [line for line in self._lines if text in line]

    def last(self, text):
        return self.query(text)[-1:]


class Demeaned(BaseEstimator, TransformerMixin):
    def fit(self, X, y=None):
        self.mean_ = np.mean(X, axis=0)
        return self

    def transform(self, X):
        return X - self.mean_

    def fit_transform(self, X, y=None):
        return list(map(self.transform, [self.fit(X).mean_]))


@dataclass
class Book:
    UNIT: ClassVar[str] = "USD"
    journal: Journal = field(default_factory=Journal)
    rows: list = field(default_factory=list)


class OwnNames(Strategy):
    universe = ["SPY", "IEF"]
    line = "{0}: {1:.2%}"
    KINDS = (Trend, Flat)

    def __init__(self):
        self.settings = SimpleNamespace(**DEFAULTS, name="own", **{"slowest": 200})
        self.rules = [rule(**DEFAULTS) for rule in RULES.values()]
        self.book = Book()
        self.prices = []

    def same_type(self, other):
        return type(self)() if type(other) is type(self) else self.__class__()

    def on_data(self, data: Slice, portfolio):
        price = data.close("SPY")
        self.prices.append(price)
        self.book.journal.register(self.line.format("SPY", price))
        self.book.rows.append(Row(day=len(self.prices), price=price))
        if len(self.prices) < self.settings.slow:
            return Hold()
        points = np.column_stack([np.arange(len(self.prices)), self.prices])
        area = ConvexHull(points, qhull_options="QJ").volume
        weight = sum(rule.apply(self.prices) for rule in self.rules) / len(self.rules)
        self.log(OwnNames.line.format("area", area))
        double = partial(max, 0.0)
        match self.book.rows[-1]:
            case Row(day, price) if day > 1:
                self.log(f"{day} {price} {self.rules[0].describe()} {Side.LONG.name} {Phase(1).name}")
        return TargetWeights({"SPY": double(weight)})
