"""A result as columns: the account day by day, the orders, and a small document of everything else.

Every form in which a result is served is rendered from these. The module does without NumPy's import, which is slow.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from src.utils.round_trips import RoundTrips

    Float64Array = npt.NDArray[np.float64]
    IndexArray = npt.NDArray[np.int32]

EXIT_REASONS = ("stop_loss", "take_profit", "trailing_stop")

LINE_DAYS = "line_days"
"""A member of the document, where the strategy printed, that no answer has as it is: for runs of lines of `logs`, the
day (seconds since 1970, or null before the first bar) and the number of lines."""

DAY_BYTES, BENCHMARK_BYTES, ORDER_BYTES, WEIGHTS_BYTES, WEIGHT_BYTES = 125, 45, 190, 35, 25
"""Typical length of each row as JSON."""


@dataclass(frozen=True, eq=False)
class Daily:
    """The account on each timeline day. Money is in account currency.

    Attributes:
        dates: (n_days,) datetime64[D], ascending and unique.
        candles: (n_days, 4) open, high, low and close of equity.
        benchmark: (n_days,) scaled to the starting equity; NaN before its first and after its last day; None without
            one.
        fill_days: (n_fill_days,) index of each day on which something filled.
        weights: (n_fill_days, n_symbols) holdings after that day's fills, as fractions of equity.
        income: (n_days,) cash received without an order: dividends less interest; None without any.
        gross_value: (n_days,) absolute value of all positions at the close; None if nothing was ever sold short, so
            that it is equity less cash.
        plots: (n_days,) the strategy's own series by name, NaN on days without a point.
    """

    dates: "npt.NDArray[np.datetime64]"
    candles: "Float64Array"
    benchmark: "Float64Array | None"
    fill_days: "IndexArray"
    weights: "Float64Array"
    income: "Float64Array | None" = None
    gross_value: "Float64Array | None" = None
    plots: "Mapping[str, Float64Array]" = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Orders:
    """Every fill in order, each column (n_orders,). Money is in account currency.

    Attributes:
        day: index into the dates.
        symbol: index into the universe.
        shares: signed; positive buys, negative sells.
        price: fill price per share, slippage included.
        fee: commission.
        slippage_cost: |shares| · |price − reference price|.
        is_settlement: True if a delisting closed the position, without a signal.
        reason: index into EXIT_REASONS plus one if a protective level caused it, else 0; None if none did.
    """

    day: "IndexArray"
    symbol: "IndexArray"
    shares: "Float64Array"
    price: "Float64Array"
    fee: "Float64Array"
    slippage_cost: "Float64Array"
    is_settlement: "npt.NDArray[np.bool_]"
    reason: "npt.NDArray[np.int8] | None" = None

    def __len__(self) -> int:
        return len(self.day)


@dataclass(frozen=True, eq=False)
class Result:
    """What a run leaves.

    Attributes:
        document: every member of a BacktestResponse that is not a column, in its order, as plain JSON values, and
            LINE_DAYS.
        trades: its round trips; None if it was stored before they were recorded.
    """

    document: Mapping[str, Any]
    daily: Daily
    orders: Orders
    trades: "RoundTrips | None" = None

    @property
    def symbols(self) -> Sequence[str]:
        """The universe, in the order of the columns' indexes."""
        universe: Sequence[str] = self.document["parameters"]["universe"]
        return universe

    def asked_as(self, name: str | None, warnings: Sequence[str], n_stored: int) -> "Result":
        """The result for another request for the same run.

        Args:
            name, warnings: of that request.
            n_stored: number of warnings of the request that produced the result, which come first in it.
        """
        document = self.document
        parameters = {**document["parameters"], "name": name}
        said = [*warnings, *document["warnings"][n_stored:]]
        return replace(self, document={**document, "parameters": parameters, "warnings": said})

    def approximate_json_length(self, document_length: int) -> int:
        """Bytes of the whole result as JSON, within a quarter.

        Args:
            document_length: of the document as JSON.
        """
        daily = self.daily
        n_days = len(daily.dates)
        weights = len(daily.fill_days) * WEIGHTS_BYTES + int((daily.weights != 0).sum()) * WEIGHT_BYTES
        per_day = DAY_BYTES + (BENCHMARK_BYTES if daily.benchmark is not None else 0)
        return document_length + n_days * per_day + len(self.orders) * ORDER_BYTES + weights
