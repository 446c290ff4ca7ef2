import config
from hqg_algorithms import BarSize, Cadence, Hold, Signal, Strategy, TargetWeights

RISKY = getattr(config, "risky", "QQQ")


class RequestParameters(Strategy):
    universe = ["QQQ", "AGG"]
    cadence = Cadence(bar_size=BarSize.WEEKLY)

    def __init__(self):
        self._fast = config.get("fast", 5)
        self._slow = config["slow"] if "slow" in config else 20
        self._extra = dict(config) if hasattr(config, "extra") else {}
        self._prices = []

    def on_data(self, data, portfolio) -> Signal:
        price = data.close(RISKY)
        if price is None:
            return Hold()
        self._prices.append(price)
        fast = sum(self._prices[-self._fast :]) / self._fast
        slow = sum(self._prices[-self._slow :]) / self._slow
        return TargetWeights({RISKY: 1.0} if fast > slow else {"AGG": 1.0})
