"""What a run leaves behind: the orders that filled, the daily marks, and what could not fill."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Orders:
    """Filled orders in the order in which they filled, one column a field, all of one length.

    Attributes:
        day: index into the timeline's days.
        symbol: index into the universe's symbols.
        shares: signed share count; positive buys, negative sells; never zero.
        price: fill price per share in account currency, slippage included.
        fee: commission of this order in account currency, at least zero.
    """

    day: list[int] = field(default_factory=list)
    symbol: list[int] = field(default_factory=list)
    shares: list[float] = field(default_factory=list)
    price: list[float] = field(default_factory=list)
    fee: list[float] = field(default_factory=list)


@dataclass(slots=True)
class Unfilled:
    """A stretch in which one symbol could not fill for one reason.

    Attributes:
        symbol: index into the universe's symbols.
        reason: a short clause without symbol or date ("no bar at its fill", "no trading day left").
        first_day: timeline index of the first such day.
        last_day: timeline index of the last such day.
        count: how many fills the stretch stands for, at least one.
    """

    symbol: int
    reason: str
    first_day: int
    last_day: int
    count: int = 1


@dataclass(slots=True)
class Ledger:
    """The books of one run.

    Attributes:
        orders: every fill.
        cash: cash after the day's last fill, one per timeline day.
        equity: cash plus positions at the day's close (last known close for a symbol
            without a bar), one per timeline day.
        unfilled: what waited or never filled, in order of first_day.
        decisions: how often the strategy was asked.
    """

    orders: Orders = field(default_factory=Orders)
    cash: list[float] = field(default_factory=list)
    equity: list[float] = field(default_factory=list)
    unfilled: list[Unfilled] = field(default_factory=list)
    decisions: int = 0
