"""Parts of the answer as pandas objects. pandas is imported when the first one is asked for."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from src.client.errors import PackageMissing

if TYPE_CHECKING:
    import pandas as pd

CANDLE_COLUMNS = ("open", "high", "low", "close")
ORDER_COLUMNS = ("id", "symbol", "action", "price", "shares", "fee", "slippage_cost")
Rows = Sequence[Mapping[str, Any]]


def equity_frame(candles: Rows) -> "pd.DataFrame":
    """One row a day; columns open, high, low, close."""
    frame: pd.DataFrame = _pandas().DataFrame(
        [[candle[name] for name in CANDLE_COLUMNS] for candle in candles],
        index=_index([candle["time"] for candle in candles]),
        columns=list(CANDLE_COLUMNS),
        dtype="float64",
    )
    return frame


def orders_frame(orders: Rows) -> "pd.DataFrame":
    """One row an order; fields that a newer service adds are columns too."""
    pandas = _pandas()
    more = [name for name in (orders[0] if orders else ()) if name not in (*ORDER_COLUMNS, "timestamp")]
    index = pandas.to_datetime([order["timestamp"] for order in orders], utc=True).as_unit("s").rename("time")
    columns = {name: [order.get(name) for order in orders] for name in (*ORDER_COLUMNS, *more)}
    frame: pd.DataFrame = pandas.DataFrame(columns, index=index)
    return frame.astype(dict.fromkeys(("price", "shares", "fee", "slippage_cost"), "float64"))


def weights_frame(holdings: Rows) -> "pd.DataFrame":
    """One row a day with fills, one column a symbol; 0 for what was not held."""
    symbols = sorted({symbol for holding in holdings for symbol in holding["weights"]})
    frame: pd.DataFrame = _pandas().DataFrame(
        [[holding["weights"].get(symbol, 0.0) for symbol in symbols] for holding in holdings],
        index=_index([holding["time"] for holding in holdings]),
        columns=symbols,
        dtype="float64",
    )
    return frame


def benchmark_series(points: Rows | None) -> "pd.Series[float] | None":
    """One value a day; None where there is no benchmark."""
    if points is None:
        return None
    values, index = [point["value"] for point in points], _index([point["time"] for point in points])
    series: pd.Series[float] = _pandas().Series(values, index=index, name="benchmark", dtype="float64")
    return series


def _index(unix_seconds: Sequence[int]) -> "pd.DatetimeIndex":
    times = _pandas().to_datetime(list(unix_seconds), unit="s", utc=True)
    index: pd.DatetimeIndex = times.as_unit("s").rename("time")
    return index


def _pandas() -> Any:
    try:
        # Imported late: who only wants numbers needs no pandas, and it takes long.
        import pandas  # noqa: PLC0415
    except ImportError as error:
        raise PackageMissing(
            "Tables need the package pandas: `pip install pandas`. Without it, `result.raw` has the same values."
        ) from error
    return pandas
