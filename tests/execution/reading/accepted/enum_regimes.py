from enum import Enum, IntEnum, auto, unique

from hqg_algorithms import Hold, Liquidate, Strategy, TargetWeights


@unique
class Regime(Enum):
    BULL = auto()
    BEAR = auto()
    UNKNOWN = auto()

    @classmethod
    def _missing_(cls, value):
        return cls.UNKNOWN

    @property
    def is_known(self) -> bool:
        return self is not Regime.UNKNOWN


class Exposure(IntEnum):
    NONE = 0
    HALF = 50
    FULL = 100

    def __str__(self):
        return f"{self.value}%"


class EnumRegimes(Strategy):
    universe = ["SPY", "SHY"]

    def __init__(self):
        self.closes: list[float] = []
        self.seen = {regime.name: 0 for regime in Regime}

    def regime(self) -> Regime:
        if len(self.closes) < 200:
            return Regime(0)
        return Regime.BULL if self.closes[-1] > sum(self.closes[-200:]) / 200 else Regime.BEAR

    def on_data(self, data, portfolio):
        close = data.close("SPY")
        if close is None:
            return Hold()
        self.closes.append(close)
        regime = self.regime()
        self.seen[regime.name] += 1
        match regime:
            case Regime.BULL:
                exposure = Exposure.FULL
            case Regime.BEAR:
                exposure = Exposure.HALF
            case _:
                return Liquidate()
        if self.seen[regime.name] == 1:
            print(f"first {regime.name} day at {exposure}", type(regime).__name__, list(Regime.__members__))
        share = exposure / 100
        return TargetWeights({"SPY": share, "SHY": 1 - share})
