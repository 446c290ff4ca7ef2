import numpy as np
import pandas as pd
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import squareform
from sklearn.covariance import LedoitWolf

from hqg_algorithms import BarSize, Cadence, Hold, Strategy, TargetWeights


def cluster_variance(covariance: pd.DataFrame, items: list) -> float:
    block = covariance.loc[items, items]
    inverse = 1.0 / np.diag(block)
    weights = inverse / inverse.sum()
    return float(weights @ block.to_numpy() @ weights)


class HierarchicalRiskParity(Strategy):
    universe = ["SPY", "QQQ", "TLT", "IEF", "GLD"]
    cadence = Cadence(bar_size=BarSize.WEEKLY)

    def __init__(self):
        self.rows: list[dict[str, float]] = []

    def allocate(self, returns: pd.DataFrame) -> pd.Series:
        correlation = returns.corr().fillna(0.0)
        distance = np.sqrt(0.5 * (1 - correlation.clip(-1, 1)))
        order = leaves_list(linkage(squareform(distance.values, checks=False), method="single"))
        shrunk = LedoitWolf().fit(returns.values).covariance_
        covariance = pd.DataFrame(shrunk, index=returns.columns, columns=returns.columns)
        ordered = [returns.columns[i] for i in order]
        weights = pd.Series(1.0, index=ordered)
        clusters = [ordered]
        while clusters:
            clusters = [half for c in clusters if len(c) > 1 for half in (c[: len(c) // 2], c[len(c) // 2 :])]
            for left, right in zip(clusters[::2], clusters[1::2]):
                low, high = cluster_variance(covariance, left), cluster_variance(covariance, right)
                share = 1 - low / (low + high)
                weights[left] *= share
                weights[right] *= 1 - share
        return weights

    def on_data(self, data, portfolio):
        self.rows.append({s: data.close(s) for s in self.universe if data.close(s) is not None})
        prices = pd.DataFrame(self.rows).dropna()
        if len(prices) < 52:
            return Hold()
        weights = self.allocate(prices.pct_change().dropna())
        return TargetWeights((weights / weights.sum()).to_dict())
