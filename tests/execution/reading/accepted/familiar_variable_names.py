from hqg_algorithms import Hold, Liquidate, Strategy, TargetWeights


def true_range(open, high, low, close, previous):
    return max(high - low, abs(high - previous), abs(low - previous)) if open else high - low


def pick(type, input, id=0, *, format="weights", filter=None):
    vars = [x for x in input if filter is None or filter(x)]
    dir = 1 if type == "long" else -1
    return dir * sum(vars) / max(1, len(vars)) + id * len(format)


class Macd:
    def __init__(self):
        self.fast = self.slow = self.signal = None
        self.hist = 0.0

    @staticmethod
    def _ema(old, new, n):
        return new if old is None else old + 2 / (n + 1) * (new - old)

    def update(self, price):
        self.fast = self._ema(self.fast, price, 12)
        self.slow = self._ema(self.slow, price, 26)
        self.signal = self._ema(self.signal, self.fast - self.slow, 9)
        self.hist = self.fast - self.slow - self.signal
        return self.hist


class FamiliarVariableNames(Strategy):
    """open, input, type, vars, dir, id, hist, apply and transform are domain terms as well."""

    universe = ["SPY"]

    def __init__(self):
        self.macd, self.previous, self.ranges = Macd(), None, []

    def transform(self, value):
        return value / (1 + abs(value))

    def apply(self, function, *values):
        return [function(v) for v in values]

    def on_data(self, data, portfolio):
        bar = data.bar("SPY")
        if bar is None:
            return Hold()
        open, high, low, close = bar.open, bar.high, bar.low, bar.close
        if self.previous is not None:
            self.ranges.append(true_range(open, high, low, close, self.previous))
        self.previous = close
        input = self.ranges[-14:]
        hist = self.macd.update(close)
        if len(input) < 14:
            return Hold()
        type = "long" if hist > 0 else "flat"
        strength = pick(type, input) / close
        scaled = self.apply(self.transform, strength, hist)
        compile = all(s > -1 for s in scaled)
        if type == "flat" or open > close * 1.05 or not compile:
            return Liquidate()
        return TargetWeights({"SPY": min(1.0, 0.01 / max(strength, 1e-4))})
