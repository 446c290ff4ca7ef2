from __future__ import annotations

import numpy as np
from scipy.optimize import LinearConstraint, minimize
import scipy.linalg

from hqg_algorithms import BarSize, Cadence, Hold, PortfolioView, Signal, Slice, Strategy, TargetWeights


class MinimumVariance(Strategy):
    """Long-only minimum variance over the last sixty days, re-optimised once a month."""

    universe = ["SPY", "TLT", "GLD", "DBC"]
    cadence = Cadence(bar_size=BarSize.DAILY)

    def __init__(self, window: int = 60, cap: float = 0.5) -> None:
        self.window = window
        self.cap = cap
        self._closes: list[list[float]] = []
        self._day = 0

    def _weights(self, covariance: np.ndarray) -> np.ndarray | None:
        n = covariance.shape[0]
        start = np.full(n, 1.0 / n)
        result = minimize(
            fun=lambda w: float(w @ covariance @ w) * 1e4,
            x0=start,
            jac=lambda w: 2e4 * covariance @ w,
            method="SLSQP",
            bounds=[(0.0, self.cap)] * n,
            constraints=({"type": "eq", "fun": lambda w: w.sum() - 1.0},),
            options={"maxiter": 200, "ftol": 1e-10},
        )
        return result.x if result.success else None

    def on_data(self, data: Slice, portfolio: PortfolioView) -> Signal:
        closes = [data.close(symbol) for symbol in self.universe]
        if any(close is None for close in closes):
            return Hold()
        self._closes.append(closes)
        self._day += 1
        if len(self._closes) <= self.window or self._day % 21:
            return Hold()
        prices = np.asarray(self._closes[-self.window - 1 :])
        returns = prices[1:] / prices[:-1] - 1
        covariance = np.cov(returns.T) + 1e-8 * np.eye(len(self.universe))
        scipy.linalg.cholesky(covariance, lower=True)
        budget = LinearConstraint(np.ones(len(self.universe)), 1.0, 1.0)
        weights = self._weights(covariance)
        if weights is None:
            self.log(f"no solution under {budget.lb!r}")
            return Hold()
        weights = np.maximum(weights, 0)
        weights /= max(1.0, weights.sum())
        return TargetWeights(dict(zip(self.universe, weights.tolist())))
