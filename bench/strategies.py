"""The two strategies that every contender runs, as a user would write them for us."""

from collections import deque

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


class SmaCross(Strategy):
    """Half SPY, half BND while SPY closes above its 21-day mean; otherwise all BND."""

    universe = ["SPY", "BND"]  # noqa: RUF012 - as users write it
    cadence = Cadence(bar_size=BarSize.DAILY, execution=ExecutionTiming.CLOSE_TO_NEXT_OPEN)

    def __init__(self) -> None:
        self.closes: deque[float] = deque(maxlen=21)

    def on_data(self, data: Slice, portfolio: PortfolioView) -> Signal:
        close = data.close("SPY")
        if close is None:
            return Hold()
        self.closes.append(close)
        if len(self.closes) < 21 or close <= sum(self.closes) / 21:
            return TargetWeights({"BND": 1.0})
        return TargetWeights({"SPY": 0.5, "BND": 0.5})


class EqualWeight(Strategy):
    """The same weight for every symbol, every day."""

    universe = ["SPY"]  # noqa: RUF012 - stands for the symbols of the benchmark
    cadence = Cadence(bar_size=BarSize.DAILY, execution=ExecutionTiming.CLOSE_TO_CLOSE)

    def on_data(self, data: Slice, portfolio: PortfolioView) -> Signal:
        symbols = data.symbols()
        return TargetWeights({symbol: 1 / len(symbols) for symbol in symbols})
