"""Strings that a library would turn into attribute access or code."""

import pandas as pd

series = pd.Series([1])
name = "to_" + "pickle"  # <-
attribute = "__globals__"  # <-
pieces = "".join(["__cla", "ss__"])  # <-
mirrored = "__slabolg__"[::-1]  # <-
interpolated = f"__cla{'ss__'}"  # <-
code = "__import__('os').getpid()"  # <-
path = "{0.__class__.__base__}"  # <-
TEMPLATE = "{0.gi_frame}"
TEMPLATE.format(1)  # <-
"{0:{1.f_globals}}".format(1, 2)  # <-
series.apply("to_json")  # <-
series.agg(["mean", "to_json"])  # <-
series.agg({"a": "to_csv"})  # <-
series.agg("eval", 0, "1")  # <-
series.transform(f"to_{name}")  # <-
lowered = "TO_CSV".lower()  # <-
series.agg(lowered)
computed = "to_{}".format(series)
series.agg(computed)  # <-
series.groupby(series).agg("__reduce__")  # <-
series.groupby(series).agg(b=("a", "to_csv"))  # <-
pd.crosstab(series, series, aggfunc="to_csv")  # <-
series.to_frame().pivot_table(aggfunc="query")  # <-


from hqg_algorithms import Hold, Strategy


class Honest(Strategy):
    universe = ["SPY"]

    def on_data(self, data, portfolio):
        return Hold()
