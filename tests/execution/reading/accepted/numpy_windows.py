import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from hqg_algorithms import BarSize, Cadence, ExecutionTiming, Hold, Strategy, TargetWeights

WINDOW = 20
np.seterr(divide="ignore", invalid="ignore")


def log_returns(prices: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.diff(np.log(prices), axis=0)


class NumpyWindows(Strategy):
    universe = ["SPY", "TLT", "GLD"]
    cadence = Cadence(bar_size=BarSize.WEEKLY, execution=ExecutionTiming.CLOSE_TO_NEXT_OPEN)

    def __init__(self):
        self._prices = np.empty((0, len(self.universe)))

    def on_data(self, data, portfolio):
        row = np.array([data.close(s) or np.nan for s in self.universe], dtype=float)
        self._prices = np.vstack([self._prices, row])[-5 * WINDOW :]
        if len(self._prices) <= WINDOW or np.isnan(row).any():
            return Hold()
        windows = sliding_window_view(self._prices, WINDOW, axis=0)
        with np.errstate(all="ignore"):
            momentum = windows[-1, :, -1] / windows[-1, :, 0] - 1.0
        covariance = np.cov(log_returns(self._prices), rowvar=False)
        risk = np.sqrt(np.diag(covariance))
        score = np.where(momentum > 0, momentum / risk, 0.0)
        score = np.nan_to_num(score, nan=0.0, posinf=0.0, neginf=0.0)
        total = np.linalg.norm(score, ord=1)
        if total < 1e-12:
            return TargetWeights({"TLT": 1.0})
        weights = np.clip(score / total, 0.0, 1.0)
        return TargetWeights({s: float(w) for s, w in zip(self.universe, weights) if w > 0.01})
