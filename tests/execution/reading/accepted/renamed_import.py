from hqg_algorithms.strategy import Strategy as Base
from hqg_algorithms.types import BarSize as Every, Cadence as Rhythm, Hold, TargetWeights as Target


class RenamedImport(Base):
    universe = ["SPY"]
    cadence = Rhythm(bar_size=Every.QUARTERLY)

    def on_data(self, data, portfolio):
        return Target({"SPY": 0.9}) if data.has("SPY") else Hold()
