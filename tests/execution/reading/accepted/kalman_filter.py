import numpy as np
from numpy.linalg import LinAlgError, inv

from hqg_algorithms import Hold, Liquidate, Strategy, TargetWeights


class Kalman:
    """Level and slope of a price."""

    def __init__(self, noise=1e-4, error=1e-2):
        self.transition = np.array([[1.0, 1.0], [0.0, 1.0]])
        self.observation = np.array([[1.0, 0.0]])
        self.state = np.zeros((2, 1))
        self.covariance = np.eye(2)
        self.Q, self.R = noise * np.eye(2), np.array([[error]])

    def step(self, value):
        F, H = self.transition, self.observation
        x = F @ self.state
        P = F @ self.covariance @ F.T + self.Q
        S = H @ P @ H.T + self.R
        K = P @ H.T @ inv(S)
        self.state = x + K @ (np.array([[value]]) - H @ x)
        self.covariance = (np.eye(2) - K @ H) @ P
        return self.state.ravel()


class KalmanTrend(Strategy):
    universe = ["EEM"]

    def __init__(self):
        self.filter = Kalman()

    def on_data(self, data, portfolio):
        close = data.close("EEM")
        if close is None:
            return Hold()
        try:
            level, slope = self.filter.step(np.log(close))
        except LinAlgError:
            return Liquidate()
        return TargetWeights({"EEM": 1.0 if slope > 0 and np.exp(level) > 0 else 0.0})
