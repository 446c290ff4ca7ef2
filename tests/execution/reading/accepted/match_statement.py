from dataclasses import dataclass

from hqg_algorithms import Hold, Liquidate, Strategy, TargetWeights


@dataclass
class Breakout:
    level: float
    strength: float = 1.0


@dataclass
class Fade:
    distance: float


class MatchStatement(Strategy):
    universe = ["SPY", "SHY"]

    def __init__(self):
        self.closes = []
        self.mode = "trend"

    def event(self):
        highest, lowest, last = max(self.closes[-50:]), min(self.closes[-50:]), self.closes[-1]
        if last >= highest:
            return Breakout(level=highest)
        if last <= lowest * 1.01:
            return Fade(lowest / last)
        return {"kind": "drift", "size": last / self.closes[-50] - 1, "days": [50]}

    def on_data(self, data, portfolio):
        close = data.close("SPY")
        if close is None:
            return Hold()
        self.closes.append(close)
        if len(self.closes) < 50:
            return Hold()
        match self.event():
            case Breakout(level=level, strength=float(s)) if level > 0:
                weight = min(1.0, s)
            case Fade(distance=d) | Fade(d) if d < 1:
                weight = d / 2
            case {"kind": "drift", "size": (int() | float()) as size, "days": [first, *others], **rest}:
                weight = 0.6 if size > 0 and not others and not rest and first == 50 else 0.3
            case None | False:
                weight = 0.0
            case _:
                return Liquidate()
        match self.mode, len(self.closes) % 3:
            case "trend", 0 | 1:
                pass
            case ("trend" | "range") as mode, n if n > 1:
                self.log(f"{mode} {n}")
            case [str(), -1]:
                return Hold()
        return TargetWeights({"SPY": weight, "SHY": 1.0 - weight})
