"""The account day by day: equity.parquet with units in its metadata, and the same as CSV."""

import csv
import io
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from src.services.results.result import Result
from src.utils.drawdown import drawdowns
from src.utils.return_stats import Float64Array

MONEY = "account currency"

FIELDS = (
    ("time", "day", "Midnight UTC of the day"),
    ("open", MONEY, "Equity before the fills at that day's open"),
    ("high", MONEY, "Highest equity of the day"),
    ("low", MONEY, "Lowest equity of the day"),
    ("close", MONEY, "Equity after the fills at that day's close"),
    ("benchmark", MONEY, "The benchmark scaled to the starting equity; null without one"),
    ("drawdown", "fraction", "Distance of close below its highest so far or the starting equity; 0.25 is a quarter"),
)
"""Name, unit and meaning of each column."""


@dataclass(frozen=True)
class EquityCurve:
    """The account on each timeline day, all (n_days,).

    Attributes:
        dates: datetime64[D], ascending and unique.
        candles: (n_days, 4) open, high, low, close; account currency.
        benchmark: scaled to the starting equity, account currency; NaN before its first and after its last day;
            None without one.
        starting_equity: account currency.
        drawdown: fraction below the highest close so far.
    """

    dates: npt.NDArray[np.datetime64]
    candles: Float64Array
    benchmark: Float64Array | None
    starting_equity: float
    drawdown: Float64Array

    @property
    def close(self) -> Float64Array:
        """Equity at the end of each day."""
        return self.candles[:, 3]


def equity_curve(result: Result) -> EquityCurve:
    """The curve of a result."""
    daily, starting_equity = result.daily, float(result.document["parameters"]["starting_equity"])
    drawdown = drawdowns(daily.candles[:, 3], starting_equity)
    return EquityCurve(daily.dates, daily.candles, daily.benchmark, starting_equity, drawdown)


def equity_csv(curve: EquityCurve) -> bytes:
    """The table as RFC 4180 CSV: ISO dates, numbers that read back as the same, an empty field where there is none."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["date", *(name for name, _, _ in FIELDS[1:])])
    n_days = len(curve.dates)
    benchmark = (
        [None] * n_days if curve.benchmark is None else [None if np.isnan(v) else v for v in curve.benchmark.tolist()]
    )
    rows = zip(
        curve.dates.astype(str).tolist(), curve.candles.tolist(), benchmark, curve.drawdown.tolist(), strict=True
    )
    writer.writerows([day, *candle, value, drawdown] for day, candle, value, drawdown in rows)
    return text.getvalue().encode("ascii")


def equity_parquet(curve: EquityCurve) -> bytes:
    """The table with units in its metadata."""
    times = pa.array(curve.dates.astype("datetime64[ms]"), type=pa.timestamp("ms", tz="UTC"))
    n_days = len(curve.dates)
    benchmark = (
        pa.nulls(n_days, pa.float64()) if curve.benchmark is None else pa.array(curve.benchmark, from_pandas=True)
    )
    columns = [times, *(pa.array(column) for column in curve.candles.T), benchmark, pa.array(curve.drawdown)]
    schema = pa.schema(
        pa.field(name, column.type, metadata={"unit": unit, "description": meaning})
        for (name, unit, meaning), column in zip(FIELDS, columns, strict=True)
    )
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns, schema=schema), sink, compression="zstd")
    content: bytes = sink.getvalue().to_pybytes()
    return content
