import warnings

import numpy as np
import pandas as pd
import sklearn.metrics
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from hqg_algorithms import BarSize, Cadence, Hold, Strategy, TargetWeights

warnings.filterwarnings("ignore", category=ConvergenceWarning)


class ModelPipeline(Strategy):
    universe = ["SPY", "IEF"]
    cadence = Cadence(bar_size=BarSize.MONTHLY)

    def __init__(self):
        self.prices = []
        self.models = {
            "forest": RandomForestClassifier(n_estimators=20, max_depth=3, random_state=0),
            "boost": GradientBoostingClassifier(n_estimators=10, random_state=0),
            "svm": make_pipeline(StandardScaler(), SVC(kernel="rbf", C=1.0)),
        }
        self.search = GridSearchCV(
            Pipeline([("scale", StandardScaler()), ("model", SVC())]),
            param_grid={"model__C": [0.1, 1.0]},
            cv=TimeSeriesSplit(n_splits=3),
            scoring="accuracy",
        )

    def dataset(self):
        df = pd.DataFrame({"close": self.prices})
        for lag in (1, 2, 3, 6):
            df[f"r{lag}"] = df["close"].pct_change(lag)
        df["target"] = (df["close"].shift(-1) > df["close"]).astype(int)
        return df

    def on_data(self, data, portfolio):
        self.prices.append(data.close("SPY"))
        if len(self.prices) < 36:
            return Hold()
        columns = ["r1", "r2", "r3", "r6"]
        df = self.dataset()
        train = df.dropna().iloc[:-1]
        if train["target"].nunique() < 2:
            return Hold()
        votes = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for name, model in self.models.items():
                model.fit(train[columns].to_numpy(), train["target"].values)
                fitted = model.predict(train[columns].to_numpy())
                score = sklearn.metrics.accuracy_score(train["target"], fitted)
                votes.append(model.predict(df[columns].tail(1).to_numpy())[0])
                print(f"{name:>8}: {score:.2%}")
        share = float(np.mean(votes))
        return TargetWeights({"SPY": share, "IEF": 1.0 - share})
