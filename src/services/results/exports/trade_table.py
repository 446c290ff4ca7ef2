"""trades.csv and trades.parquet: every round trip, exact to the last digit."""

import csv
import io

import pyarrow as pa

from src.services.results.errors import ArtifactNotFound
from src.services.results.exports.order_table import table_cell
from src.services.results.packing import parquet, trade_table
from src.services.results.result import Result

NOT_RECORDED = "This run was stored by a version that did not record round trips"


def trades_csv(result: Result) -> bytes:
    """The table as RFC 4180 CSV: ISO dates, numbers that read back as the same.

    Raises:
        ArtifactNotFound: the result was stored before round trips were recorded.
    """
    table = _table(result)
    columns = [_values(table, name) for name in table.column_names]
    text = io.StringIO(newline="")
    csv.writer(text).writerows([table.column_names, *zip(*columns, strict=True)])
    return text.getvalue().encode("utf-8")


def trades_parquet(result: Result) -> bytes:
    """The same as Parquet.

    Raises:
        as `trades_csv`
    """
    return parquet(_table(result))


def _table(result: Result) -> pa.Table:
    """The columns of trades.arrow, and those that follow from them."""
    trades = result.trades
    if trades is None:
        raise ArtifactNotFound(NOT_RECORDED)
    more = {"pnl": trades.pnl, "return": trades.returns, "bars_held": trades.bars_held}
    table = trade_table(result, trades)
    for name, values in more.items():
        table = table.append_column(name, pa.array(values, from_pandas=True))
    return table


def _values(table: pa.Table, name: str) -> list[object]:
    column = table.column(name)
    if pa.types.is_timestamp(column.type):
        return [str(day) for day in column.to_numpy().astype("datetime64[D]")]
    return [table_cell(value) for value in column.to_pylist()]
