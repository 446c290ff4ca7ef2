"""The files that are made from a result when they are asked for."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from src.services.results.answer_json import answer_pieces
from src.services.results.exports.equity_table import equity_csv, equity_curve, equity_parquet
from src.services.results.exports.order_table import orders_csv
from src.services.results.exports.trade_table import trades_csv, trades_parquet
from src.services.results.packing import orders_parquet, packed, sealed_parts
from src.services.results.report.page import report_page
from src.services.results.result import Result

RENDERING = "2"
"""Part of the files' ETags: counts up when one of them looks different than before."""

Renderer = Callable[[Result, str, str], Iterator[bytes]]
"""Takes the result, the run's name and the strategy's source."""


def _sealed(name: str, result: Result, _title: str, _source: str) -> Iterator[bytes]:
    return iter([sealed_parts(packed(result))[name]])


RENDERERS: Mapping[str, Renderer] = {
    "result.json": lambda result, title, source: answer_pieces(result),
    "orders.csv": lambda result, title, source: orders_csv(result),
    "orders.parquet": lambda result, title, source: iter([orders_parquet(result)]),
    "trades.csv": lambda result, title, source: iter([trades_csv(result)]),
    "trades.parquet": lambda result, title, source: iter([trades_parquet(result)]),
    "equity.csv": lambda result, title, source: iter([equity_csv(equity_curve(result))]),
    "equity.parquet": lambda result, title, source: iter([equity_parquet(equity_curve(result))]),
    "report.html": lambda result, title, source: iter([report_page(title, result, source).encode("utf-8")]),
    # Sealed, but for runs that were sealed before results were columns.
    **{name: partial(_sealed, name) for name in ("document.json", "daily.arrow", "orders.arrow")},
}
