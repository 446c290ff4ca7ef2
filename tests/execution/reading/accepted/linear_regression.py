from collections import deque

import numpy as np
from sklearn.linear_model import LinearRegression

from hqg_algorithms import Hold, Liquidate, Strategy, TargetWeights


class NextDayForecast(Strategy):
    universe = ["SPY"]
    lags = 5

    def __init__(self):
        self.closes = deque(maxlen=250)
        self.model = LinearRegression(fit_intercept=True)
        self.coefficients_ = None

    def features(self):
        returns = np.diff(np.asarray(self.closes)) / np.asarray(self.closes)[:-1]
        x = np.column_stack([returns[i : len(returns) - self.lags + i] for i in range(self.lags)])
        return x, returns[self.lags :], returns[-self.lags :]

    def on_data(self, data, portfolio):
        close = data.close("SPY")
        if close is None:
            return Hold()
        self.closes.append(close)
        if len(self.closes) < 60:
            return Hold()
        x, y, latest = self.features()
        self.model.fit(x, y)
        self.coefficients_ = self.model.coef_
        forecast = self.model.predict(latest.reshape(1, -1))[0]
        return TargetWeights({"SPY": 1.0}) if forecast > 0 else Liquidate()
