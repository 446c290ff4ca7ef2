from abc import ABC, abstractmethod
from typing import final

from hqg_algorithms import BarSize, Cadence, ExecutionTiming, Hold, Strategy, TargetWeights


class Score(ABC):
    @abstractmethod
    def score(self, closes: list[float]) -> float:
        ...


class Momentum(Score):
    def __init__(self, days: int) -> None:
        self.days = days

    def score(self, closes):
        return closes[-1] / closes[-self.days] - 1 if len(closes) > self.days else 0.0


class LoggingMixin:
    prefix = ">"

    def note(self, *parts, sep=" "):
        self.log(f"{self.prefix} {sep.join(str(p) for p in parts)}")


class RankingBase(Strategy):
    universe = ["SPY", "EFA", "EEM", "AGG"]
    cadence = Cadence(bar_size=BarSize.MONTHLY, execution=ExecutionTiming.CLOSE_TO_NEXT_OPEN)
    keep = 2

    def __init__(self):
        super().__init__()
        self._closes = {s: [] for s in self.universe}

    def remember(self, data):
        for symbol, bar in data.items():
            self._closes[symbol].append(bar.close)

    def rank(self):
        raise NotImplementedError

    def on_data(self, data, portfolio):
        self.remember(data)
        ranked = self.rank()
        if not ranked:
            return Hold()
        return TargetWeights({s: 1 / self.keep for s in ranked[: self.keep]})


@final
class DualMomentum(LoggingMixin, RankingBase):
    def __init__(self):
        super(DualMomentum, self).__init__()
        self._scorer: Score = Momentum(12)

    def rank(self):
        scores = {s: self._scorer.score(c) for s, c in self._closes.items()}
        positive = {s: v for s, v in scores.items() if v > 0}
        self.note("positive:", *positive)
        return sorted(positive, key=positive.get, reverse=True)
