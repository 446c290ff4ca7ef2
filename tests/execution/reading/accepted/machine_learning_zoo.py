import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, WhiteKernel
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import mean_squared_error, r2_score
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KDTree, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, LabelEncoder, MinMaxScaler
from sklearn.tree import DecisionTreeRegressor, export_text
from sklearn.utils import check_random_state, shuffle

from hqg_algorithms import BarSize, Cadence, Hold, Strategy, TargetWeights


class Lagger(BaseEstimator, TransformerMixin):
    def __init__(self, lags=3):
        self.lags = lags

    def fit(self, X, y=None):
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X):
        return np.hstack([np.roll(X, lag, axis=0) for lag in range(self.lags)])


class MachineLearningZoo(Strategy):
    universe = ["SPY", "AGG"]
    cadence = Cadence(bar_size=BarSize.MONTHLY)

    def __init__(self):
        self.closes = []
        self.labels = LabelEncoder().fit(["down", "up"])
        self.pipeline = make_pipeline(Lagger(lags=2), FunctionTransformer(np.tanh), MinMaxScaler(), PCA(n_components=2), Ridge(alpha=1.0))
        self.random = check_random_state(0)

    def on_data(self, data, portfolio):
        self.closes.append([data.close(s) for s in self.universe])
        if len(self.closes) < 40 or None in self.closes[-1]:
            return Hold()
        prices = np.array(self.closes, dtype=float)
        returns = prices[1:] / prices[:-1] - 1
        X, y = returns[:-1], returns[1:, 0]
        model = clone(self.pipeline).set_params(ridge__alpha=0.5).fit(X, y)
        fitted = model.predict(X)
        regimes = KMeans(n_clusters=2, n_init=5, random_state=0).fit_predict(X)
        mixture = GaussianMixture(n_components=2, random_state=0).fit(X)
        process = GaussianProcessRegressor(kernel=1.0 * RBF() + WhiteKernel(), random_state=0).fit(X[-20:], y[-20:])
        tree = DecisionTreeRegressor(max_depth=2, random_state=0).fit(X, y)
        _, near = KDTree(X).query(X[-1:], k=3)
        neighbours = KNeighborsRegressor(n_neighbors=3).fit(X, y)
        direction = LogisticRegression(C=0.5).fit(X, self.labels.transform(np.where(y > 0, "up", "down"))) if len(set(y > 0)) == 2 else None
        mixed_X, mixed_y = shuffle(X, y, random_state=self.random)
        print(f"mse={mean_squared_error(y, fitted):.5f} r2={r2_score(y, fitted):.2f} {regimes[-1]} {mixture.bic(X):.0f}")
        print(export_text(tree).splitlines()[0], near.tolist(), neighbours.predict(X[-1:]), mixed_X.shape, mixed_y.shape)
        mean, deviation = process.predict(X[-1:], return_std=True)
        up = direction.predict_proba(returns[-1:])[0, 1] if direction is not None else 0.5
        share = float(np.clip(up + mean[0] / max(deviation[0], 1e-9) * 0.01, 0.0, 1.0))
        return TargetWeights({"SPY": share, "AGG": 1 - share})
