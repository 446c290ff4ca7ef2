from hqg_algorithms import Hold, Strategy, TargetWeights


def blend(*parts, weights=None, **named):
    parts = [*parts, *named.values()]
    weights = weights or [1 / len(parts)] * len(parts)
    return {**{k: None for k in ()}, "value": sum(w * p for w, p in zip(weights, parts, strict=True))}


def window(values, /, size=5, *, step=1):
    return values[-size * step :: step]


class FlexibleArguments(Strategy):
    universe = ["SPY"]

    def __init__(self, *args, fast=5, slow=20, **kwargs):
        super().__init__(*args, **kwargs)
        self.sizes = dict(fast=fast, slow=slow)
        self.closes = []

    def averages(self, **sizes):
        return {name: sum(w) / len(w) for name, n in sizes.items() if (w := window(self.closes, size=n))}

    def on_data(self, data, portfolio):
        if (close := data.close("SPY")) is None:
            return Hold()
        self.closes += [close]
        averages = self.averages(**self.sizes)
        first, *_, last = averages.values()
        both = blend(first, last, weights=[0.5, 0.5]) | blend(**averages)
        trend = (lambda x, y=1.0: x / y - 1)(first, last)
        weight = 1.0 if trend > 0 else 0.5 if both["value"] < close else 0.0
        return TargetWeights({"SPY": weight})
