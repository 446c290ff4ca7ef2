"""The inputs of a run: the prices of its universe and its trading rules."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from hqg_algorithms import BarSize, ExecutionTiming

from src.engine.costs import Commission, Slippage

if TYPE_CHECKING:
    Doubles = memoryview[float]
else:
    Doubles = memoryview  # cannot be subscripted before Python 3.14
"""A one-dimensional buffer of doubles (format 'd')."""

FIELDS = 5
"""Doubles per bar: open, high, low, close (account currency per share), volume (shares)."""


@dataclass(frozen=True, eq=False, repr=False)
class Market:
    """Daily bars of a universe.

    Attributes:
        days: (n_days,) ascending days since 1970-01-01 on which some symbol has a bar.
        symbols: the universe; all sequences of this package use its order.
        bars: (n_days × n_symbols × 5) doubles in C order. Five NaNs mean no bar on that day; a bar
            may have a NaN volume.
        last_period_complete: False when the window ends before the last week, month or quarter does.
        delistings: timeline index of the day on which a symbol leaves, by symbol index. From that day on the symbol
            has no bar, except that one whose last bar is on the timeline's last day leaves at that day's end.
        dividends: by timeline index of the ex-date, (symbol index, cash per share in account currency), paid on the
            previous day's holdings; empty where prices are adjusted for dividends.
    """

    days: list[int]
    symbols: tuple[str, ...]
    bars: Doubles
    last_period_complete: bool = True
    delistings: Mapping[int, int] = field(default_factory=dict)
    dividends: Mapping[int, Sequence[tuple[int, float]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        expected = len(self.days) * len(self.symbols) * FIELDS
        if self.bars.format != "d" or len(self.bars) != expected:
            raise ValueError(f"bars must hold {expected} doubles, got {len(self.bars)} of {self.bars.format!r}")


MAX_WARMUP_BARS = 10_000
"""Most calls of a strategy before its books begin."""


class Rules(NamedTuple):
    """How a run trades.

    Attributes:
        bar_size: how often the strategy is called.
        execution: whether its orders fill at that day's close or at the next day's open.
        initial_capital: account currency, above zero.
        min_trade_value: account currency; smaller changes are skipped unless they close a position.
        delisting_return: a position's loss (below zero) or gain when its symbol is delisted, as a fraction of its
            value at the last close; at least -1.
        max_orders: a run ends with TooManyOrders on the day on which it exceeds this.
        allow_short: whether weights and positions may be negative.
        max_gross: bound on the sum of absolute weights and, when an order increases it, on Σ|shares| · price ÷ equity;
            at least 1.
        borrow_rate: yearly cost of a short position, as a fraction of its value, by calendar day.
        margin_rate: yearly interest on negative cash, a fraction, by calendar day.
    """

    bar_size: BarSize
    execution: ExecutionTiming
    initial_capital: float
    min_trade_value: float
    commission: Commission
    slippage: Slippage
    delisting_return: float = 0.0
    max_orders: int = sys.maxsize
    allow_short: bool = False
    max_gross: float = 1.0
    borrow_rate: float = 0.0
    margin_rate: float = 0.0

    @property
    def fills_at_open(self) -> bool:
        """True when orders fill at the next open, False when they fill at the close that the strategy sees."""
        return self.execution is ExecutionTiming.CLOSE_TO_NEXT_OPEN

    @property
    def is_free(self) -> bool:
        """True when every order fills completely, at its reference price and without a fee."""
        slippage = self.slippage
        return not slippage.uses_volume and slippage.fraction(1, 1) == 0 and self.commission.fee(1, 1) == 0

    @property
    def is_margin(self) -> bool:
        """True when positions or cash may be negative; everything else is paid for with cash at hand."""
        return self.allow_short or self.max_gross > 1
