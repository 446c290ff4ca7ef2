"""Strategies whose daily equity is computed twice: by our engine, and by a library given the same weights and days.

The weights are computed here with pandas, from whole columns of prices; our engine gets them bar by
bar from a strategy that only sees one bar at a time. So the two share neither timeline nor indicator code.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
from hqg_algorithms import BarSize, ExecutionTiming

from src.engine.ledger import Ledger
from src.engine.simulator import Decide, simulate
from tests.engine.markets import CLOSE_TO_CLOSE, NEXT_OPEN, market_of, real_prices, rules

Weights = pd.DataFrame
"""One row per decision, indexed by its date; rows of NaN hold."""


@dataclass
class OracleCase:
    """One strategy, written twice."""

    name: str
    symbols: Sequence[str]
    first: str
    last: str
    bar_size: BarSize
    execution: ExecutionTiming
    wanted: Callable[[pd.DataFrame], Weights]
    """From the closes of the decision days to the weights, with pandas."""
    decide: Callable[[], Decide]
    """A fresh strategy for our engine."""
    terms: dict[str, float] = field(default_factory=dict)
    """Rules of a short or leveraged account."""

    def __str__(self) -> str:
        return self.name

    def prices(self, folder: Path) -> dict[str, pd.DataFrame]:
        return real_prices(folder, self.symbols, self.first, self.last)

    def weights(self, close: pd.DataFrame) -> Weights:
        """The target weights on each decision day, in universe order."""
        rule = {BarSize.WEEKLY: "W-FRI", BarSize.MONTHLY: "M", BarSize.QUARTERLY: "Q"}.get(self.bar_size)
        ends = close if rule is None else close.groupby(close.index.to_period(rule)).tail(1)
        return self.wanted(ends)

    def run(self, prices: dict[str, pd.DataFrame]) -> Ledger:
        """Our engine's books."""
        asked = rules(bar_size=self.bar_size, execution=self.execution, initial_capital=10_000.0, **self.terms)
        return simulate(market_of(prices), asked, self.decide())


@dataclass
class Trend:
    """The first symbol while its close is above its mean, else the second; half of each while warming up."""

    length: int
    closes: list[float] = field(default_factory=list)

    def __call__(self, day, bars, *_):  # type: ignore[no-untyped-def]
        self.closes.append(bars[3])
        if len(self.closes) < self.length:
            return [0.5, 0.5]
        recent = self.closes[-self.length :]
        return [1.0, 0.0] if recent[-1] > sum(recent) / self.length else [0.0, 0.9]

    @staticmethod
    def wanted(length: int) -> Callable[[pd.DataFrame], Weights]:
        def weights(close: pd.DataFrame) -> Weights:
            first = close.iloc[:, 0]
            mean = first.rolling(length).mean()
            table = pd.DataFrame(0.0, index=close.index, columns=close.columns)
            table.loc[first > mean] = [1.0, 0.0]
            table.loc[first <= mean] = [0.0, 0.9]
            table.loc[mean.isna()] = [0.5, 0.5]
            return table

        return weights


@dataclass
class InverseMove:
    """Weights inverse to each symbol's last absolute move; holds at first and in every fourth period."""

    count: int = 0
    before: list[float] = field(default_factory=list)

    def __call__(self, day, bars, *_):  # type: ignore[no-untyped-def]
        now = bars[3::5].tolist()
        before, self.before = self.before, now
        self.count += 1
        if self.count == 1 or self.count % 4 == 0:
            return None
        inverse = [1 / (abs(new / old - 1) + 0.01) for new, old in zip(now, before, strict=True)]
        return [0.97 * part / sum(inverse) for part in inverse]

    @staticmethod
    def wanted(close: pd.DataFrame) -> Weights:
        inverse = 1 / (close.pct_change().abs() + 0.01)
        weights = 0.97 * inverse.div(inverse.sum(axis=1), axis=0)
        weights.iloc[0] = float("nan")
        weights.iloc[3::4] = float("nan")
        return weights


def _fixed(*weights: float) -> Callable[[], Decide]:
    return lambda: lambda *_: weights


def _constant(*weights: float) -> Callable[[pd.DataFrame], Weights]:
    return lambda close: pd.DataFrame([weights] * len(close), index=close.index, columns=close.columns)


def _with_liquidation(close: pd.DataFrame) -> Weights:
    table = _constant(0.4, 0.4, 0.2)(close)
    table.iloc[2::3] = 0.0
    return table


@dataclass
class EveryThirdOut:
    """Weights of 40, 40 and 20 %, and everything sold in every third period."""

    count: int = 0

    def __call__(self, *_: object) -> list[float]:
        self.count += 1
        return [0.0, 0.0, 0.0] if self.count % 3 == 0 else [0.4, 0.4, 0.2]


@dataclass
class Pair:
    """Long the symbol that rose more since the last call and short the other, in sizes that add up to 160 %."""

    before: list[float] = field(default_factory=list)

    def __call__(self, day, bars, *_):  # type: ignore[no-untyped-def]
        now = bars[3::5].tolist()
        before, self.before = self.before, now
        if not before:
            return None
        return [0.9, -0.7] if now[0] / before[0] >= now[1] / before[1] else [-0.7, 0.9]

    @staticmethod
    def wanted(close: pd.DataFrame) -> Weights:
        moves = close / close.shift(1)
        table = pd.DataFrame(float("nan"), index=close.index, columns=close.columns)
        table[moves.iloc[:, 0] >= moves.iloc[:, 1]] = [0.9, -0.7]
        table[moves.iloc[:, 0] < moves.iloc[:, 1]] = [-0.7, 0.9]
        return table


SECTORS = ("XLB", "XLE", "XLF", "XLI", "XLK", "XLP", "XLU", "XLV", "XLY")


def _cases(execution: ExecutionTiming) -> list[OracleCase]:
    daily, weekly, monthly, quarterly = BarSize.DAILY, BarSize.WEEKLY, BarSize.MONTHLY, BarSize.QUARTERLY
    kind = execution.value
    window = ("2007-06-01", "2012-12-31")
    return [
        OracleCase(f"daily trend {kind}", ("SPY", "BND"), "2010-01-04", "2020-12-31", daily, execution,
                   Trend.wanted(21), lambda: Trend(21)),
        OracleCase(f"weekly equal sectors {kind}", SECTORS, *window, weekly, execution,
                   _constant(*[1 / 9] * 9), _fixed(*[1 / 9] * 9)),
        OracleCase(f"weekly inverse move {kind}", ("SPY", "TLT", "GLD"), *window, weekly, execution,
                   InverseMove.wanted, InverseMove),
        OracleCase(f"monthly with liquidation {kind}", ("SPY", "TLT", "GLD"), *window, monthly, execution,
                   _with_liquidation, EveryThirdOut),
        OracleCase(f"quarterly sixty-forty {kind}", ("SPY", "TLT"), *window, quarterly, execution,
                   _constant(0.6, 0.4), _fixed(0.6, 0.4)),
    ]  # fmt: skip


def _short_cases(execution: ExecutionTiming) -> list[OracleCase]:
    window = ("2007-06-01", "2012-12-31")
    short = {"allow_short": True, "max_gross": 1.6}
    return [
        OracleCase(f"daily pair {execution.value}", ("SPY", "TLT"), *window, BarSize.DAILY, execution,
                   Pair.wanted, Pair, short),
        OracleCase(f"monthly short {execution.value}", ("TLT", "SPY", "GLD"), *window, BarSize.MONTHLY, execution,
                   _constant(0.5, -0.8, 0.3), _fixed(0.5, -0.8, 0.3), short),
    ]  # fmt: skip


def _leveraged_cases(execution: ExecutionTiming) -> list[OracleCase]:
    return [
        OracleCase(f"weekly leveraged {execution.value}", ("SPY", "TLT"), "2009-06-01", "2012-12-31", BarSize.WEEKLY,
                   execution, _constant(1.2, 0.6), _fixed(1.2, 0.6), {"max_gross": 2.0}),
    ]  # fmt: skip


CASES = [*_cases(CLOSE_TO_CLOSE), *_cases(NEXT_OPEN)]
SHORT_CASES = [*_short_cases(CLOSE_TO_CLOSE), *_short_cases(NEXT_OPEN)]
LEVERAGED_CASES = [*_leveraged_cases(CLOSE_TO_CLOSE), *_leveraged_cases(NEXT_OPEN)]
