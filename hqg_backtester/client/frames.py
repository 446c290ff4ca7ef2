"""Parts of the answer as pandas objects. pandas is imported on first use.

Indexes are calendar days without a time zone, named "date", as in price files and most data libraries.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hqg_backtester.client.errors import PackageMissing

if TYPE_CHECKING:
    import pandas as pd

CANDLE_COLUMNS = ("open", "high", "low", "close")
ORDER_COLUMNS = ("id", "symbol", "action", "price", "shares", "fee", "slippage_cost")
TRADE_COLUMNS = (
    *("symbol", "side", "entry_time", "exit_time", "entry_price", "exit_price", "shares", "pnl", "return", "bars_held"),
    *("fees", "mae", "mfe", "mae_close", "mfe_close", "exit_reason"),
)

Rows = Sequence[Mapping[str, Any]]


def equity_frame(candles: Rows) -> "pd.DataFrame":
    """One row per day; columns open, high, low, close."""
    frame: pd.DataFrame = _pandas().DataFrame(
        [[candle[name] for name in CANDLE_COLUMNS] for candle in candles],
        index=_index([candle["time"] for candle in candles]),
        columns=list(CANDLE_COLUMNS),
        dtype="float64",
    )
    return frame


def orders_frame(orders: Rows) -> "pd.DataFrame":
    """One row per order; fields that only some orders have, such as `reason`, become columns too."""
    pandas = _pandas()
    present = dict.fromkeys(name for order in orders for name in order)
    more = [name for name in present if name not in (*ORDER_COLUMNS, "timestamp")]
    times = pandas.to_datetime([order["timestamp"] for order in orders], utc=True)
    index = times.tz_localize(None).as_unit("s").rename("date")
    columns = {name: [order.get(name) for order in orders] for name in (*ORDER_COLUMNS, *more)}
    frame: pd.DataFrame = pandas.DataFrame(columns, index=index)
    return frame.astype(dict.fromkeys(("price", "shares", "fee", "slippage_cost"), "float64"))


def trades_frame(trades: Rows) -> "pd.DataFrame":
    """One row per round trip; fields that a newer service adds become columns."""
    pandas = _pandas()
    names = [*TRADE_COLUMNS, *(name for name in (trades[0] if trades else ()) if name not in TRADE_COLUMNS)]
    columns = {name: [trade.get(name) for trade in trades] for name in names}
    for name in ("entry_time", "exit_time"):
        columns[name] = pandas.to_datetime(columns[name], utc=True).tz_localize(None).as_unit("s")
    frame: pd.DataFrame = pandas.DataFrame(columns)
    numbers = [
        name for name in TRADE_COLUMNS if name not in ("symbol", "side", "exit_reason", "entry_time", "exit_time")
    ]
    return frame.astype({**dict.fromkeys(numbers, "float64"), "bars_held": "int64"})


def rolling_frame(candles: Rows, window: Mapping[str, Any]) -> "pd.DataFrame":
    """One row per day, a column per statistic; NaN before the first whole window."""
    columns = {name: values for name, values in window.items() if name != "days"}
    index = _index([candle["time"] for candle in candles])
    frame: pd.DataFrame = _pandas().DataFrame(columns, index=index, dtype="float64")
    return frame


def exposure_frame(months: Rows) -> "pd.DataFrame":
    """One row per month, indexed by its period."""
    index = _pandas().PeriodIndex([month["month"] for month in months], freq="M", name="month")
    columns = ["exposure", "gross_exposure", "turnover"]
    rows = [[month[name] for name in columns] for month in months]
    frame: pd.DataFrame = _pandas().DataFrame(rows, index=index, columns=columns, dtype="float64")
    return frame


def plots_frame(plots: Rows) -> "pd.DataFrame":
    """One column per series, one row per day on which any has a point; NaN where a series has none."""
    pandas = _pandas()
    series = {
        plot["name"]: pandas.Series(
            [value for _, value in plot["points"]], index=_index([time for time, _ in plot["points"]]), dtype="float64"
        )
        for plot in plots
    }
    frame: pd.DataFrame = pandas.DataFrame(series, index=None if series else _index([]))
    return frame


def log_lines_frame(lines: Rows) -> "pd.DataFrame":
    """One row per line, with the day on which it was printed; NaT before the first bar."""
    pandas = _pandas()
    dates = pandas.to_datetime([line["time"] for line in lines], unit="s").as_unit("s")
    frame: pd.DataFrame = pandas.DataFrame({"date": dates, "line": [line["line"] for line in lines]})
    return frame


def returns_series(candles: Rows, starting_equity: float) -> "pd.Series[float]":
    """Simple return of each day's close, the first counted from the starting equity; NaN after a close of zero."""
    close = equity_frame(candles)["close"]
    returns: pd.Series[float] = (close / close.shift(fill_value=starting_equity) - 1.0).rename("returns")
    return returns.where(close.shift(fill_value=starting_equity) > 0.0)


def drawdown_series(candles: Rows, drawdown: Sequence[float]) -> "pd.Series[float]":
    """One value per day."""
    index = _index([candle["time"] for candle in candles])
    series: pd.Series[float] = _pandas().Series(drawdown, index=index, name="drawdown", dtype="float64")
    return series


def drawdown_periods_frame(periods: Rows) -> "pd.DataFrame":
    """One row per drawdown."""
    pandas = _pandas()
    columns = ["depth", "peak", "trough", "recovery", "n_days"]
    frame: pd.DataFrame = pandas.DataFrame([[period[name] for name in columns] for period in periods], columns=columns)
    for name in ("peak", "trough", "recovery"):
        frame[name] = pandas.to_datetime(frame[name]).astype("datetime64[s]")
    return frame.astype({"depth": "float64", "n_days": "int64"})


def monthly_returns_frame(years: Rows) -> "pd.DataFrame":
    """One row per year; columns 1 to 12 and total."""
    rows = [[*entry["months"], entry["total"]] for entry in years]
    index = _pandas().Index([entry["year"] for entry in years], name="year")
    frame: pd.DataFrame = _pandas().DataFrame(rows, index=index, columns=[*range(1, 13), "total"], dtype="float64")
    return frame


def weights_frame(holdings: Rows) -> "pd.DataFrame":
    """One row per day with fills, one column per symbol; 0 if not held."""
    symbols = sorted({symbol for holding in holdings for symbol in holding["weights"]})
    frame: pd.DataFrame = _pandas().DataFrame(
        [[holding["weights"].get(symbol, 0.0) for symbol in symbols] for holding in holdings],
        index=_index([holding["time"] for holding in holdings]),
        columns=symbols,
        dtype="float64",
    )
    return frame


def benchmark_series(points: Rows | None) -> "pd.Series[float] | None":
    """One value per day; None without a benchmark."""
    if points is None:
        return None
    values, index = [point["value"] for point in points], _index([point["time"] for point in points])
    series: pd.Series[float] = _pandas().Series(values, index=index, name="benchmark", dtype="float64")
    return series


def _index(unix_seconds: Sequence[int]) -> "pd.DatetimeIndex":
    times = _pandas().to_datetime(list(unix_seconds), unit="s")
    index: pd.DatetimeIndex = times.as_unit("s").rename("date")
    return index


def _pandas() -> Any:
    try:
        # Imported late: pandas is optional and slow to import.
        import pandas  # noqa: PLC0415
    except ImportError as error:
        raise PackageMissing(
            'Tables need pandas: pip install "hqg-backtester[pandas]". Without it, `result.raw` has the same values.'
        ) from error
    return pandas
