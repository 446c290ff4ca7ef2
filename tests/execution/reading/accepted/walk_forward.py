"""Walk-forward choice of a moving average, all in one file, as a weekend project grows."""
import math
import random
from collections import deque, defaultdict
from typing import Dict, List, Optional, Tuple

import numpy as np
import pandas as pd

from hqg_algorithms import (
    BarSize,
    Cadence,
    ExecutionTiming,
    Hold,
    PortfolioView,
    Signal,
    Slice,
    Strategy,
    TargetWeights,
)

CANDIDATES = [10, 20, 50, 100]
TRAIN = 252
RETRAIN_EVERY = 63
RISK_FREE = 0.0


def sharpe(returns: np.ndarray) -> float:
    """Yearly; zero for a flat line."""
    deviation = returns.std(ddof=1) if len(returns) > 1 else 0.0
    return float((returns.mean() - RISK_FREE / 252) / deviation * math.sqrt(252)) if deviation > 0 else 0.0


def simulate(prices: np.ndarray, window: int) -> np.ndarray:
    averages = pd.Series(prices).rolling(window).mean().to_numpy()
    above = np.where(prices > averages, 1.0, 0.0)
    returns = np.diff(prices) / prices[:-1]
    return above[:-1] * returns


class Result:
    best: Optional["Result"] = None

    def __init__(self, window: int, score: float):
        self.window, self.score = window, score
        if Result.best is None or score > Result.best.score:
            Result.best = self

    def __gt__(self, other: "Result") -> bool:
        return self.score > other.score

    def __str__(self) -> str:
        return f"SMA({self.window}): {self.score:+.2f}"


class WalkForward(Strategy):
    universe = ["SPY", "QQQ"]
    cadence = Cadence(bar_size=BarSize.DAILY, execution=ExecutionTiming.CLOSE_TO_NEXT_OPEN)

    def __init__(self) -> None:
        self._history: Dict[str, deque] = {s: deque(maxlen=TRAIN + max(CANDIDATES)) for s in self.universe}
        self._window: Dict[str, int] = defaultdict(lambda: CANDIDATES[1])
        self._days = 0

    def _train(self, symbol: str) -> Tuple[int, List[Result]]:
        prices = np.array(self._history[symbol])
        results = [Result(w, sharpe(simulate(prices, w)[-TRAIN:])) for w in CANDIDATES]
        random.Random(0).shuffle(results)
        winner = max(results, key=lambda r: r.score)
        return winner.window, results

    def _trend(self, symbol: str) -> float:
        history = self._history[symbol]
        window = self._window[symbol]
        recent = list(history)[-window:]
        return history[-1] / (sum(recent) / len(recent)) - 1.0

    def on_data(self, data: Slice, portfolio: PortfolioView) -> Signal:
        self._days += 1
        for symbol in self.universe:
            price = data.close(symbol)
            if price is not None and price > 0:
                self._history[symbol].append(price)
        if any(len(h) < TRAIN for h in self._history.values()):
            return Hold()
        if self._days % RETRAIN_EVERY == 0:
            for symbol in self.universe:
                self._window[symbol], results = self._train(symbol)
                self.log(", ".join(map(str, results)))
            if portfolio.equity and portfolio.weights:
                self.log(f"equity {portfolio.equity:,.0f}, best so far {Result.best}")
        trends = {symbol: self._trend(symbol) for symbol in self.universe}
        rising = [symbol for symbol, trend in trends.items() if trend > 0]
        if not rising:
            return TargetWeights({})
        return TargetWeights({symbol: 1.0 / len(rising) for symbol in rising})
