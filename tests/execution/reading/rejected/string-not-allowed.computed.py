"""Special names of Python in computed strings."""

from types import SimpleNamespace

import pandas as pd
from scipy.spatial import ConvexHull, Delaunay
from sklearn.pipeline import Pipeline

series = pd.Series([1])
line = "_" * 2
name = "_" * 2 + "array_interface" + "_" * 2  # <-
again = line + "class" + line  # <-
percent = "%s%s" % ("__cla", "ss__")  # <-
formatted = "{0}class{0}".format("__")  # <-
cut = "x__class__x"[1:-1]  # <-
replaced = "--class--".replace("-", "_")  # <-
decoded = b"__class__".decode()  # <-
hexed = bytes.fromhex("5f5f636c6173735f5f").decode()  # <-
numbered = "".join(map(chr, [95, 95, 99, 108, 97, 115, 115, 95, 95]))  # <-
character = chr(95) + "_class_" + chr(95)  # <-
turned = "".join(reversed("__ssalc__"))  # <-
SimpleNamespace(**{line + "mine" + line: 1})  # <-
SimpleNamespace(**{f"{series}": 1})  # <-
SimpleNamespace(**dict(zip([line], [1])))  # <-
attributes = {"a": 1}
attributes[line + "x"] = 2
SimpleNamespace(**attributes)  # <-
print(**{series.name: 1})  # <-
for method in ("mean", "eval"):
    series.agg(method, 0, "1")  # <-
series.to_frame().agg(axis=0, func=f"ev{series}")  # <-
pd.DataFrame.agg(series.to_frame(), f"ev{series}", 0)  # <-
series.groupby(series).agg(b=("a", f"ev{series}"))  # <-
METHODS = ["mean", "query"]  # <-
series.agg(METHODS)
ConvexHull(series, qhull_options="TI /etc/passwd")  # <-
ConvexHull(series, False, "Qt TO /tmp/x")  # <-
Delaunay(series, False, False, "TI/etc/passwd")  # <-
Delaunay(series, qhull_options=series.name)  # <-
Delaunay(series, **{"qhull_options": "Qt 'TI /etc/passwd'"})  # <-
Pipeline([], memory="/tmp/x")  # <-
long = "a" * 10
(  # <-
    "{0.close}"
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    "{0.gi_frame}"
).format(1)


from hqg_algorithms import Hold, Strategy


class Honest(Strategy):
    universe = ["SPY"]

    def on_data(self, data, portfolio):
        return Hold()
