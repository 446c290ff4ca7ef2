import itertools
from collections.abc import Iterator

from hqg_algorithms import Hold, Strategy, TargetWeights


def pairwise_returns(prices) -> Iterator[float]:
    for before, after in itertools.pairwise(prices):
        yield after / before - 1


def chunks(values, size):
    iterator = iter(values)
    while chunk := list(itertools.islice(iterator, size)):
        yield chunk


def flatten(nested):
    for part in nested:
        if isinstance(part, (list, tuple)):
            yield from flatten(part)
        else:
            yield part


class Generators(Strategy):
    universe = ["SPY", "TLT"]

    def __init__(self):
        self.prices = {s: [] for s in self.universe}
        self.counter = itertools.count(1)
        self.cycle = itertools.cycle(self.universe)

    def scores(self):
        for symbol, prices in self.prices.items():
            returns = list(pairwise_returns(prices[-60:]))
            weeks = [sum(chunk) for chunk in chunks(returns, 5)]
            yield symbol, sum(1 for week in weeks if week > 0) / max(1, len(weeks))

    def on_data(self, data, portfolio):
        number = next(self.counter)
        for symbol in self.universe:
            if (close := data.close(symbol)) is not None:
                self.prices[symbol].append(close)
        if number < 61:
            return Hold()
        scores = dict(self.scores())
        best, *rest = sorted(scores, key=lambda s: (-scores[s], s))
        running = list(itertools.accumulate(flatten([[1, 2], (3, [4])])))
        combos = [(a, b) for a, b in itertools.product(self.universe, repeat=2) if a < b]
        print(running[-1], combos, next(self.cycle), rest, any(v > 0.5 for v in scores.values()))
        return TargetWeights({best: 1.0})
