import pandas as pd
from pandas.tseries.offsets import BDay, MonthEnd

import numpy as np
from hqg_algorithms import Hold, Strategy, TargetWeights

SECTORS = {"XLK": "growth", "XLY": "growth", "XLP": "defensive", "XLU": "defensive"}


def spread(values: pd.Series) -> float:
    return float(values.max() - values.min())


class PandasGrouping(Strategy):
    universe = ["XLK", "XLY", "XLP", "XLU"]

    def __init__(self):
        self.history = {s: [] for s in self.universe}
        self.start = pd.Timestamp("2010-01-04")

    def on_data(self, data, portfolio):
        for symbol in self.universe:
            close = data.close(symbol)
            if close is not None:
                self.history[symbol].append(close)
        length = min(len(h) for h in self.history.values())
        if length < 60:
            return Hold()
        dates = pd.date_range(self.start, periods=length, freq=BDay())
        wide = pd.DataFrame({s: h[-length:] for s, h in self.history.items()}, index=dates)
        tall = wide.reset_index(names="date").melt(id_vars="date", var_name="symbol", value_name="close")
        tall["sector"] = tall["symbol"].map(SECTORS)
        tall["return"] = tall.groupby("symbol")["close"].transform(lambda c: c.pct_change())
        summary = tall.groupby("sector").agg(mean=("return", "mean"), risk=("return", "std"), width=("close", spread))
        monthly = wide.resample("ME").agg({"XLK": "last", "XLY": ["first", "last"]})
        both = wide.agg(["min", "max"]).T.apply(lambda row: row["max"] - row["min"], axis="columns")
        table = tall.pivot_table(index="date", columns="sector", values="return", aggfunc="mean")
        ranks = wide.rank(axis=1).apply(np.mean)
        best = (summary["mean"] / summary["risk"]).idxmax()
        self.log(f"{best=} {len(monthly)} {both.to_dict()} {table.shape} {ranks.round(2).to_list()}")
        self.start = self.start + MonthEnd(0)
        chosen = [s for s, sector in SECTORS.items() if sector == best]
        return TargetWeights({s: 1 / len(chosen) for s in chosen})
