import numpy as np
import pandas as pd

from hqg_algorithms import Hold, Liquidate, Strategy, TargetWeights

pd.options.mode.chained_assignment = None
pd.set_option("display.max_columns", 12)


class PandasIndicators(Strategy):
    """RSI, MACD and Bollinger bands the pandas way."""

    universe = ["QQQ"]

    def __init__(self):
        self.rows = []

    def frame(self) -> pd.DataFrame:
        df = pd.DataFrame(self.rows, columns=["open", "high", "low", "close", "volume"])
        df["return"] = df["close"].pct_change().fillna(0.0)
        change = df["close"].diff()
        gain = change.clip(lower=0).rolling(14).mean()
        loss = -change.clip(upper=0).rolling(14).mean()
        df["rsi"] = 100 - 100 / (1 + gain / loss.replace(0, np.nan))
        fast, slow = df.close.ewm(span=12, adjust=False).mean(), df.close.ewm(span=26, adjust=False).mean()
        df["macd"] = fast - slow
        df["hist"] = df["macd"] - df["macd"].ewm(span=9, adjust=False).mean()
        middle, spread = df.close.rolling(20).mean(), df.close.rolling(20).std(ddof=0)
        return df.assign(upper=middle + 2 * spread, lower=middle - 2 * spread)

    def on_data(self, data, portfolio):
        bar = data.bar("QQQ")
        if bar is None:
            return Hold()
        self.rows.append((bar.open, bar.high, bar.low, bar.close, bar.volume))
        if len(self.rows) < 40:
            return Hold()
        df = self.frame()
        last = df.iloc[-1]
        level = 30
        quiet = df.tail(10).query("close > lower and close < upper and rsi > @level")
        if len(quiet) == 10 and last["hist"] > 0:
            return TargetWeights({"QQQ": 1.0})
        if last.rsi > 70 or pd.isna(last["upper"]):
            return Liquidate()
        return Hold()
